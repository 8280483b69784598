#include "trace/detect.h"

#include <strings.h>

#include "trace/attr.h"

static const struct {
    const char *name;
    unsigned mark;
    wh_resource *(*detect)(void);
} detectors[] = {
    {"service", WH_DETECT_SERVICE, wh__detect_service},
    {"host", WH_DETECT_HOST, wh__detect_host},
    {"process", WH_DETECT_PROCESS, wh__detect_process},
    {"container", WH_DETECT_CONTAINER, wh__detect_container},
    {"command", WH_DETECT_COMMAND, wh__detect_command},
};
enum { DETECTORS = sizeof detectors / sizeof *detectors };

int wh__detector_named(const char *name)
{
    if (strcasecmp(name, "all") == 0) return WH_DETECT_ALL;
    if (strcasecmp(name, "none") == 0) return 0;
    for (int i = 0; i < DETECTORS; i++)
        if (strcasecmp(name, detectors[i].name) == 0) return (int)detectors[i].mark;
    return -1;
}

static wh_resource *with(wh_resource *before, wh_resource *found)
{
    wh_resource *both = before && found ? wh_resource_merge(before, found) : NULL;
    wh_resource_free(before);
    wh_resource_free(found);
    return both;
}

wh_resource *wh_resource_detect(unsigned marks)
{
    wh_resource *all = wh__resource_alloc(0, WH__SCHEMA_URL);
    for (int i = 0; i < DETECTORS && all; i++)
        if (marks & detectors[i].mark) all = with(all, detectors[i].detect());
    return all;
}

/* ---- what is found, as a resource ---- */

/* As wide as the widest: the child of a fork writes another number in its place. */
enum { NUMBER = 1 + 5 };

static size_t value_size(const struct wh__found *found)
{
    return found->text ? wh__len_size(strlen(found->text)) : NUMBER;
}

static bool is_found(const struct wh__found *found)
{
    return !found->text || *found->text;
}

static size_t pair_size(const struct wh__found *found)
{
    return wh__len_size(strlen(found->key)) + wh__len_size(value_size(found));
}

static uint8_t *put(uint8_t *p, const struct wh__found *found)
{
    p = wh__put_len(p, WH__RESOURCE_ATTRIBUTE, pair_size(found));
    p = wh__put_bytes(p, WH__KEY, found->key, strlen(found->key));
    p = wh__put_len(p, WH__VALUE_OF_KEY, value_size(found));
    if (found->text) return wh__put_text(p, WH__ANY_STRING, found->text, strlen(found->text));
    *p++ = WH__TAG(WH__ANY_INT, WH__VARINT);
    return wh__put_wide(p, found->number);
}

wh_resource *wh__resource_found(const struct wh__found *found, size_t count)
{
    size_t len = 0;
    for (size_t i = 0; i < count; i++)
        if (is_found(&found[i])) len += wh__len_size(pair_size(&found[i]));
    wh_resource *resource = wh__resource_alloc(len, WH__SCHEMA_URL);
    if (!resource) return NULL;
    uint8_t *p = resource->bytes;
    for (size_t i = 0; i < count; i++) {
        if (!is_found(&found[i])) continue;
        p = put(p, &found[i]);
        resource->renewed |= found[i].renewed;
    }
    return resource;
}
