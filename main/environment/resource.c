#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "main/environment.h"
#include "main/values.h"
#include "trace/detect.h"

/* ---- text ---- */

/* resource/sdk.md: one error, and the whole variable is discarded. An empty piece between two commas is none. */
static int read_pairs(char *text, struct wh_attr *attrs, size_t *count)
{
    char *rest = text;
    for (char *pair; (pair = strsep(&rest, ","));) {
        char *equals = strchr(pair, '=');
        if (*wh__trimmed(pair) == '\0') continue;
        if (!equals) return EINVAL;
        *equals = '\0';
        char *key = wh__trimmed(pair), *value = wh__trimmed(equals + 1);
        if (!*key || !wh__decode(key) || !wh__decode(value)) return EINVAL;
        attrs[(*count)++] = wh_attr(key, (const char *)value);
    }
    return 0;
}

static size_t most_pairs(const char *text)
{
    size_t count = 1;
    for (; *text; text++) count += *text == ',';
    return count;
}

wh_resource *wh__parse_attributes(const char *text)
{
    const size_t size = strlen(text) + 1;
    size_t count = 0;
    char *copy = wh__mem_get(size);
    struct wh_attr *attrs = wh__mem_get(most_pairs(text) * sizeof *attrs);
    wh_resource *resource = NULL;
    int rc = copy && attrs ? 0 : ENOMEM;
    if (rc == 0) rc = read_pairs(memcpy(copy, text, size), attrs, &count);
    if (rc == 0 && !(resource = wh_resource_new((struct wh_attrs){attrs, count}, NULL))) rc = ENOMEM;
    wh__mem_free(attrs);
    wh__mem_free(copy);
    if (rc) errno = rc;
    return resource;
}

/* ---- variables ---- */

static wh_resource *read_attributes(void)
{
    const char *text = wh__env("OTEL_RESOURCE_ATTRIBUTES");
    wh_resource *resource = text ? wh__parse_attributes(text) : NULL;
    if (text && !resource && errno == EINVAL) wh__env_ignored("OTEL_RESOURCE_ATTRIBUTES", text, NULL);
    return resource;
}

static unsigned read_detectors(void)
{
    const char *value = wh__env("WHENCE_RESOURCE_DETECTORS");
    char list[256], *rest = list;
    unsigned detectors = 0;
    if (!value) return WH_DETECT_ALL;
    if (strlen(value) >= sizeof list) {
        wh__env_ignored("WHENCE_RESOURCE_DETECTORS", value, "is too long");
        return WH_DETECT_ALL;
    }
    strcpy(list, value);
    for (char *name; (name = strsep(&rest, ","));) {
        const char *word = wh__trimmed(name);
        const int which = *word ? wh__detector_named(word) : 0;
        if (which < 0) wh__env_ignored("WHENCE_RESOURCE_DETECTORS", word, NULL);
        if (which > 0) detectors |= (unsigned)which;
    }
    return detectors;
}

/* What the program says is more than what the environment says, the name of the service excepted. */
static wh_resource *say_service(const char *service, const char *version)
{
    struct wh_attr attrs[2];
    size_t count = 0;
    const char *name = wh__env("OTEL_SERVICE_NAME");
    if (!name) name = service;
    if (name && *name) attrs[count++] = wh_attr("service.name", name);
    if (version) attrs[count++] = wh_attr("service.version", version);
    return wh_resource_new((struct wh_attrs){attrs, count}, NULL);
}

wh_resource *wh__env_resource(const char *service, const char *version)
{
    wh_resource *parts[] = {wh_resource_default(), wh_resource_detect(read_detectors()), read_attributes(),
                            say_service(service, version)};
    wh_resource *all = NULL;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        wh_resource *more = wh_resource_merge(all, parts[i]);
        if (more) {
            wh_resource_free(all);
            all = more;
        }
        wh_resource_free(parts[i]);
    }
    return all;
}
