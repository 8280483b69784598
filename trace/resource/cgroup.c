/* The id of the container that this process runs in. No interface tells it: it stands in the names of cgroups, and in the places
 * that the files were mounted from which a runtime puts into every container (/etc/hostname and others). */
#include <string.h>

#include "trace/detect.h"

enum { ID = 64 };

static size_t hex_run(const char *text, const char *end)
{
    const char *p = text;
    while (p < end && ((*p >= '0' && *p <= '9') || (*p >= 'a' && *p <= 'f'))) p++;
    return (size_t)(p - text);
}

static bool is_word(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The last id in the text, NULL if there is none: of containers that run within others, the innermost. */
static const char *last_id(const char *text, size_t len)
{
    const char *last = NULL, *const end = text + len;
    for (const char *p = text; p < end;) {
        const size_t run = hex_run(p, end);
        const bool whole = run == ID && (p == text || !is_word(p[-1])) && (p + run == end || !is_word(p[run]));
        if (whole) last = p;
        p += run ? run : 1;
    }
    return last;
}

static bool follows(const char *at, const char *start, const char *word)
{
    const size_t len = strlen(word);
    return (size_t)(at - start) >= len && memcmp(at - len, word, len) == 0;
}

/* ---- cgroups ---- */

/* cgroups(7): hierarchy, controllers and path with colons between them, of which the path may hold more. The monitor of a
 * container ("conmon") is not in it. */
static const char *id_of_line(struct wh_str line)
{
    const char *end = line.ptr + line.len;
    const char *controllers = memchr(line.ptr, ':', line.len);
    const char *path = controllers ? memchr(controllers + 1, ':', (size_t)(end - controllers - 1)) : NULL;
    const char *id = path ? last_id(path + 1, (size_t)(end - path - 1)) : NULL;
    return id && !follows(id, path, "conmon-") ? id : NULL;
}

static bool copy_id(const char *id, char out[65])
{
    if (!id) return false;
    memcpy(out, id, ID);
    out[ID] = '\0';
    return true;
}

bool wh__container_of_cgroup(const char *text, char out[65])
{
    struct wh_str line;
    const char *id = NULL;
    while (!id && wh__next_line(&text, &line)) id = id_of_line(line);
    return copy_id(id, out);
}

/* ---- mounts ---- */

/* Field n of a line, the first being 0 (proc_pid_mountinfo(5): id, parent, device, root, mount point). */
static struct wh_str field(struct wh_str line, unsigned n)
{
    const char *p = line.ptr, *end = p + line.len;
    for (; n && p; n--) {
        p = memchr(p, ' ', (size_t)(end - p));
        if (p) p++;
    }
    if (!p) return (struct wh_str){end, 0};
    const char *space = memchr(p, ' ', (size_t)(end - p));
    return (struct wh_str){p, (size_t)((space ? space : end) - p)};
}

static bool is(struct wh_str text, const char *word)
{
    return text.len == strlen(word) && memcmp(text.ptr, word, text.len) == 0;
}

static bool is_put_in_by_runtimes(struct wh_str point)
{
    return is(point, "/etc/hostname") || is(point, "/etc/hosts") || is(point, "/etc/resolv.conf") ||
           is(point, "/run/.containerenv");
}

/* Docker mounts from .../containers/<id>/, Podman from .../overlay-containers/<id>/userdata/; what stands below another folder,
 * as .../sandboxes/<id>/, is no container's. */
bool wh__container_of_mounts(const char *text, char out[65])
{
    struct wh_str line;
    /* In a pod of Kubernetes these files are those of its sandbox, and the id would be the sandbox's. */
    if (strstr(text, "/kubelet/pods/")) return false;
    while (wh__next_line(&text, &line)) {
        const struct wh_str root = field(line, 3);
        const char *id = is_put_in_by_runtimes(field(line, 4)) ? last_id(root.ptr, root.len) : NULL;
        if (id && follows(id, root.ptr, "containers/")) return copy_id(id, out);
    }
    return false;
}
