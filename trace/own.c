/* What Whence itself has to say of a span. */
#include "trace/own.h"

#include "base/text.h"
#include "context/words.h"
#include "trace/attr.h"
#include "trace/provider.h"

static void put(struct wh__record **record, const struct wh__attr *attr)
{
    const uint32_t most = (*record)->most_attributes, before = (*record)->attributes;
    (*record)->most_attributes = UINT32_MAX;
    wh__record_attr(record, attr);
    const uint32_t added = (*record)->attributes - before;
    (*record)->most_attributes = most < UINT32_MAX - added ? most + added : UINT32_MAX;
}

void wh__own_attr(struct wh__record **record, struct wh_attr attr)
{
    struct wh__attr ready;
    if (wh__attr_ready(&ready, &attr, strlen(attr.key), NULL)) put(record, &ready);
    wh__attr_done(&ready);
}

void wh__own_text(struct wh__record **record, const char *key, const char *text)
{
    if (text && *text) wh__own_attr(record, (struct wh_attr){.key = key, .type = WH_STRING, .len = strlen(text), .as.ptr = text});
}

void wh__own_id(struct wh__record **record, const char *key, const uint8_t *id, size_t size)
{
    static const uint8_t none[16];
    char hex[33] = "";
    if (memcmp(id, none, size) == 0) return;
    wh__hex(hex, id, size);
    wh__own_text(record, key, hex);
}

void wh__own_ms(struct wh__record **record, const char *key, int64_t ns)
{
    wh__own_attr(record, wh_attr(key, wh__milliseconds(ns)));
}

void wh__own_texts(struct wh__record **record, const char *key, const void *encoded, size_t len)
{
    struct wh__attr ready = {.key = {key, strlen(key)}, .field = WH__ANY_ARRAY, .as.bytes = {encoded, len}};
    ready.value_size = wh__len_size(len);
    ready.size = wh__len_size(ready.key.len) + wh__len_size(ready.value_size);
    put(record, &ready);
}

void wh__own_event(struct wh__record **record, const struct wh__trace_node *trace, const char *name, uint64_t at,
                   struct wh_attrs attrs)
{
    struct wh_limits limits = trace->provider->limits;
    const uint32_t before = (*record)->events;
    limits.events = limits.event_attributes = UINT32_MAX;
    wh__record_event(record, name, at, attrs, &limits);
    (*record)->events = before;
}

void wh__own_link(struct wh__record **record, const struct wh__trace_node *trace, const struct wh_span_context *to,
                  struct wh_attrs attrs)
{
    struct wh_limits limits = trace->provider->limits;
    const uint32_t before = (*record)->links;
    limits.links = limits.link_attributes = UINT32_MAX;
    wh__record_link(record, to, attrs, &limits);
    (*record)->links = before;
}

bool wh__own_open(const wh_ctx *ctx, struct wh__trace_node **trace)
{
    *trace = wh__trace_of(ctx);
    if (!*trace || !__atomic_load_n(&(*trace)->record, __ATOMIC_RELAXED)) return false;
    wh__lock(&(*trace)->lock);
    if ((*trace)->record) return true;
    wh__unlock(&(*trace)->lock);
    return false;
}

const char *wh__say_site(char *buf, size_t size, const struct wh_site *site)
{
    struct wh__text text = {.buf = buf, .size = size};
    if (size) *buf = '\0';
    wh__put_site(&text, "", site);
    wh__put(&text, " %s", site->func);
    return buf;
}
