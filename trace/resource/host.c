#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "trace/detect.h"

enum { SMALL = 4096, VALUE = 256 };

/* ---- parsing ---- */

bool wh__machine_id(const char *text, char out[33])
{
    if (strspn(text, "0123456789abcdef") != 32 || strspn(text + 32, "\n") != strlen(text + 32)) return false;
    memcpy(out, text, 32);
    out[32] = '\0';
    return true;
}

/* As a shell would read it: quotes around the whole are none of it, and a backslash makes the next character itself. */
static void unquote(struct wh_str from, char *value, size_t size)
{
    size_t len = 0;
    char quote = '\0';
    for (size_t i = 0; i < from.len && len < size - 1; i++) {
        char c = from.ptr[i];
        if (i == 0 && (c == '"' || c == '\'')) {
            quote = c;
            continue;
        }
        if (quote && c == quote) break;
        if (c == '\\' && quote != '\'' && i + 1 < from.len) c = from.ptr[++i];
        value[len++] = c;
    }
    value[len] = '\0';
}

bool wh__os_release(const char *text, const char *name, char *value, size_t size)
{
    struct wh_str line;
    const size_t len = strlen(name);
    while (wh__next_line(&text, &line)) {
        if (line.len <= len || line.ptr[len] != '=' || memcmp(line.ptr, name, len)) continue;
        unquote((struct wh_str){line.ptr + len + 1, line.len - len - 1}, value, size);
        return true;
    }
    return false;
}

const char *wh__host_arch(const char *machine)
{
    static const struct { const char *machine, *arch; } known[] = {
        {"x86_64", "amd64"}, {"aarch64", "arm64"}, {"i386", "x86"}, {"i486", "x86"}, {"i586", "x86"}, {"i686", "x86"},
        {"ppc64le", "ppc64"}, {"ppc", "ppc32"}, {"ia64", "ia64"}, {"s390x", "s390x"},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(machine, known[i].machine) == 0) return known[i].arch;
    return strncmp(machine, "armv", 4) == 0 ? "arm32" : machine;
}

/* ---- looking ---- */

static void find_id(char id[33])
{
    static const char *const paths[] = {"/etc/machine-id", "/var/lib/dbus/machine-id"};
    char text[SMALL];
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        if (wh__read_file(paths[i], text, sizeof text) && wh__machine_id(text, id)) return;
    id[0] = '\0';
}

static void find_value(const char *text, const char *name, char value[VALUE])
{
    if (!wh__os_release(text, name, value, VALUE)) value[0] = '\0';
}

wh_resource *wh__detect_host(void)
{
    char host[VALUE] = "", id[33], release[SMALL], name[VALUE], version[VALUE], description[VALUE];
    struct utsname system = {.machine = ""};
    if (gethostname(host, sizeof host - 1)) host[0] = '\0';
    if (uname(&system)) system.machine[0] = '\0';
    find_id(id);
    if (!wh__read_file("/etc/os-release", release, sizeof release)) wh__read_file("/usr/lib/os-release", release, sizeof release);
    find_value(release, "NAME", name);
    find_value(release, "VERSION_ID", version);
    find_value(release, "PRETTY_NAME", description);
    const struct wh__found found[] = {
        {.key = "host.name", .text = host},
        {.key = "host.id", .text = id},
        {.key = "host.arch", .text = wh__host_arch(system.machine)},
        {.key = "os.type", .text = "linux"},
        {.key = "os.name", .text = name},
        {.key = "os.version", .text = version},
        {.key = "os.description", .text = description},
    };
    return wh__resource_found(found, sizeof found / sizeof *found);
}
