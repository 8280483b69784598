/* Resources: a header, and the encoding of opentelemetry.proto.resource.v1.Resource behind it. */
#include "trace/resource.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/thread.h"
#include "trace/attr.h"
#include "trace/detect.h"

static const wh_resource empty;

wh_resource *wh__resource_alloc(size_t len, const char *schema_url)
{
    const size_t url = schema_url && *schema_url ? strlen(schema_url) + 1 : 0;
    wh_resource *resource = wh__mem_get(sizeof *resource + len + url);
    if (!resource) {
        errno = ENOMEM;
        return NULL;
    }
    *resource = (wh_resource){.len = len, .forks = wh__forks};
    if (url) resource->schema_url = memcpy(resource->bytes + len, schema_url, url);
    return resource;
}

void wh_resource_free(wh_resource *resource)
{
    wh__mem_free(resource);
}

struct wh_bytes wh_resource_bytes(const wh_resource *resource)
{
    return resource ? (struct wh_bytes){resource->bytes, resource->len} : (struct wh_bytes){"", 0};
}

const char *wh_resource_schema_url(const wh_resource *resource)
{
    return resource ? resource->schema_url : NULL;
}

/* ---- walking ---- */

static bool read_len(struct wh_bytes *rest, uint8_t tag, struct wh_bytes *out)
{
    const uint8_t *p = rest->ptr, *const end = p + rest->len;
    size_t len = 0;
    if (p == end || *p++ != tag) return false;
    for (unsigned shift = 0; p < end && shift < 35; shift += 7) {
        len |= (size_t)(*p & 0x7f) << shift;
        if (*p++ & 0x80) continue;
        if (len > (size_t)(end - p)) return false;
        *out = (struct wh_bytes){p, len};
        *rest = (struct wh_bytes){p + len, (size_t)(end - p) - len};
        return true;
    }
    return false;
}

/* They are as wh__attr_put() writes them: the key, then the value. */
bool wh__resource_next(struct wh_bytes *rest, struct wh__resource_attr *attr)
{
    const uint8_t *start = rest->ptr;
    struct wh_bytes pair;
    if (!read_len(rest, WH__TAG(WH__RESOURCE_ATTRIBUTE, WH__LEN), &pair)) return false;
    attr->whole = (struct wh_bytes){start, (size_t)((const uint8_t *)rest->ptr - start)};
    return read_len(&pair, WH__TAG(WH__KEY, WH__LEN), &attr->key) &&
           read_len(&pair, WH__TAG(WH__VALUE_OF_KEY, WH__LEN), &attr->value);
}

bool wh__resource_find(const wh_resource *resource, struct wh_bytes key, struct wh__resource_attr *attr)
{
    struct wh_bytes rest = wh_resource_bytes(resource);
    while (wh__resource_next(&rest, attr))
        if (attr->key.len == key.len && memcmp(attr->key.ptr, key.ptr, key.len) == 0) return true;
    return false;
}

bool wh__resource_text(const wh_resource *resource, const char *key, struct wh_bytes *text)
{
    struct wh__resource_attr attr;
    return wh__resource_find(resource, (struct wh_bytes){key, strlen(key)}, &attr) &&
           read_len(&attr.value, WH__TAG(WH__ANY_STRING, WH__LEN), text);
}

/* ---- from attributes ---- */

wh_resource *wh_resource_new(struct wh_attrs attrs, const char *schema_url)
{
    const struct wh_bytes encoded = wh__attrs_encode(WH__RESOURCE_ATTRIBUTE, attrs);
    wh_resource *resource = encoded.ptr ? wh__resource_alloc(encoded.len, schema_url) : NULL;
    if (resource)
        memcpy(resource->bytes, encoded.ptr, encoded.len);
    else
        errno = ENOMEM;
    wh__mem_free((void *)encoded.ptr);
    return resource;
}

/* host.name also keeps Jaeger from suspecting the clocks of spans that overlap their parent's end. */
wh_resource *wh_resource_default(void)
{
    char host[256] = "", service[256];
    if (gethostname(host, sizeof host - 1)) host[0] = '\0';
    snprintf(service, sizeof service, "unknown_service:%s", program_invocation_short_name);
    const struct wh__found found[] = {
        {.key = "telemetry.sdk.name", .text = "whence"},
        {.key = "telemetry.sdk.language", .text = "c"},
        {.key = "telemetry.sdk.version", .text = WH_VERSION},
        {.key = "service.name", .text = *program_invocation_short_name ? service : "unknown_service"},
        {.key = "host.name", .text = host},
    };
    return wh__resource_found(found, sizeof found / sizeof *found);
}

/* ---- merging ---- */

static const char *merged_url(const wh_resource *old, const wh_resource *updating)
{
    if (!old->schema_url) return updating->schema_url;
    if (!updating->schema_url || strcmp(old->schema_url, updating->schema_url) == 0) return old->schema_url;
    wh_report(WH_WARNING, "resources that follow %.150s and %.150s are merged: which the result follows is not known",
              old->schema_url, updating->schema_url);
    return NULL;
}

static uint8_t *append(uint8_t *p, const void *bytes, size_t len)
{
    memcpy(p, bytes, len);
    return p + len;
}

static bool is_parents(const wh_resource *resource)
{
    return resource->len && resource->forks != wh__forks;
}

wh_resource *wh_resource_merge(const wh_resource *old, const wh_resource *updating)
{
    struct wh__resource_attr attr, other;
    if (!old) old = &empty;
    if (!updating) updating = &empty;
    wh_resource *merged = wh__resource_alloc(old->len + updating->len, merged_url(old, updating));
    if (!merged) return NULL;
    uint8_t *p = merged->bytes;
    merged->renewed = updating->renewed | (old->renewed & ~wh__resource_has(updating));
    for (struct wh_bytes rest = wh_resource_bytes(old); wh__resource_next(&rest, &attr);) {
        if (wh__resource_find(updating, attr.key, &other)) continue;
        p = append(p, attr.whole.ptr, attr.whole.len);
    }
    p = append(p, updating->bytes, updating->len - updating->refs);
    p = append(p, old->bytes + old->len - old->refs, old->refs);
    p = append(p, updating->bytes + updating->len - updating->refs, updating->refs);
    merged->refs = old->refs + updating->refs;
    merged->len = (size_t)(p - merged->bytes);
    if (is_parents(old) || is_parents(updating)) wh__resource_renew(merged);
    return merged;
}

/* ---- for providers ---- */

wh_resource *wh__resource_compose(const wh_resource *base, const char *service, struct wh_attrs attrs)
{
    const struct wh_attr name = wh_attr("service.name", service);
    wh_resource *usual = base ? NULL : wh_resource_default();
    wh_resource *named = wh_resource_new((struct wh_attrs){&name, service && *service ? 1 : 0}, NULL);
    wh_resource *given = wh_resource_new(attrs, NULL);
    wh_resource *both = (base || usual) && named ? wh_resource_merge(base ? base : usual, named) : NULL;
    wh_resource *all = both && given ? wh_resource_merge(both, given) : NULL;
    wh_resource_free(usual);
    wh_resource_free(named);
    wh_resource_free(given);
    wh_resource_free(both);
    return all;
}

struct wh_str wh__resource_url(const wh_resource *resource)
{
    const char *url = resource->schema_url;
    return (struct wh_str){url, url ? strlen(url) : 0};
}
