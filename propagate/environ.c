/* The environment as a carrier. */
#include "propagate/environ.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "propagate/composite.h"

extern char **environ;

enum { MOST_NAME = 256 };

/* ---- names ---- */

static char upper(char c)
{
    if (c >= 'a' && c <= 'z') return (char)(c - 'a' + 'A');
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ? c : '_';
}

size_t wh__env_name(char *out, size_t size, const char *field)
{
    size_t len = 0;
    if ((!*field || (*field >= '0' && *field <= '9')) && len + 1 < size) out[len++] = '_';
    for (; *field && len + 1 < size; field++) out[len++] = upper(*field);
    out[len] = '\0';
    return len;
}

/* Whether an entry of an environment is that variable; its value, or NULL. */
static const char *value_in(const char *entry, const char *name, size_t len)
{
    return strncmp(entry, name, len) == 0 && entry[len] == '=' ? entry + len + 1 : NULL;
}

/* ---- in ---- */

static const char *get(void *unused, const char *field)
{
    char name[MOST_NAME];
    const size_t len = wh__env_name(name, sizeof name, field);
    (void)unused;
    for (char **entry = environ; entry && *entry; entry++) {
        const char *value = value_in(*entry, name, len);
        if (value) return value;
    }
    return NULL;
}

static void keys(void *unused, wh_each_fn *each, void *arg)
{
    (void)unused;
    for (char **entry = environ; entry && *entry; entry++) {
        char name[MOST_NAME];
        const size_t len = strcspn(*entry, "=");
        if (len == 0 || len >= sizeof name) continue;
        memcpy(name, *entry, len);
        name[len] = '\0';
        if (!each(arg, name)) return;
    }
}

wh_ctx *wh_extract_env_at(const wh_ctx *parent, const struct wh_site *site)
{
    const struct wh_carrier from = {.size = sizeof from, .get = get, .keys = keys};
    return wh__extract_all(wh__composite_now(), parent, &from, NULL, site);
}

/* ---- out ---- */

/* Twice the same way: first only counting, then into the block. In between, what is left of a deadline can become longer as a
 * text. */
enum { SLACK = WH__TIMEOUT_SIZE };

struct out {
    char **entries; /* NULL: counting */
    char *room;
    size_t count, bytes, most_count, most_bytes;
};

/* The place of that variable, if it was set before: what is set later holds. */
static char **place_of(struct out *out, const char *name, size_t len)
{
    for (size_t i = 0; i < out->count; i++)
        if (value_in(out->entries[i], name, len)) return &out->entries[i];
    return out->count < out->most_count ? &out->entries[out->count++] : NULL;
}

static void write(struct out *out, const char *name, size_t name_len, const char *value, size_t value_len)
{
    char **place = out->bytes <= out->most_bytes ? place_of(out, name, name_len) : NULL;
    if (!place) return;
    *place = out->room;
    memcpy(out->room, name, name_len);
    out->room[name_len] = '=';
    memcpy(out->room + name_len + 1, value, value_len + 1);
    out->room += name_len + value_len + 2;
}

static void set(void *carrier, const char *field, const char *value)
{
    struct out *out = carrier;
    char name[MOST_NAME];
    const size_t name_len = wh__env_name(name, sizeof name, field), value_len = strlen(value);
    out->bytes += name_len + value_len + 2;
    if (out->entries)
        write(out, name, name_len, value, value_len);
    else
        out->count++;
}

/* By one that was set, or as what could have been: the parent's context is not the child's. */
static bool is_replaced(const char *entry, const struct out *out, const char *const *fields)
{
    char name[MOST_NAME];
    const size_t entry_len = strcspn(entry, "=");
    for (size_t i = 0; i < out->count; i++)
        if (value_in(out->entries[i], entry, entry_len)) return true;
    for (; *fields; fields++) {
        const size_t len = wh__env_name(name, sizeof name, *fields);
        if (value_in(entry, name, len)) return true;
    }
    return false;
}

char **wh_inject_env(const wh_ctx *ctx, char *const *envp)
{
    static char *const nothing[] = {NULL};
    const struct wh_carrier to = {.size = sizeof to, .set = set};
    const struct wh__composite *all = wh__composite_now();
    struct out size = {0};
    size_t count = 0;
    if (!envp) envp = environ ? environ : nothing;
    while (envp[count]) count++;
    wh__inject_all(all, ctx, &to, &size);
    const size_t bytes = size.bytes + size.count * SLACK;
    char **made = wh__mem_get((count + size.count + 1) * sizeof *made + bytes);
    if (!made) return NULL;
    struct out out = {.entries = made, .room = (char *)(made + count + size.count + 1), .most_count = size.count, .most_bytes = bytes};
    wh__inject_all(all, ctx, &to, &out);
    count = out.count;
    for (; *envp; envp++)
        if (!is_replaced(*envp, &out, all->public.fields)) made[count++] = *envp;
    made[count] = NULL;
    return made;
}
