#include "reading.h"

#include <stdlib.h>

/* ---- a span with everything in it ---- */

const uint8_t far_trace[16] = {0x4b, 0xf9, 0x2f, 0x35, 1}, far_span[8] = {0, 0xf0, 0x67};

static const char *carried(void *carrier, const char *name)
{
    (void)carrier;
    if (strcmp(name, "traceparent") == 0) return "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-03";
    return strcmp(name, "tracestate") == 0 ? "vendor=1" : NULL;
}

void record_everything(struct spans *spans)
{
    const struct wh_span_context far = {.flags = WH_SAMPLED, .remote = true, .tracestate = "a=b"};
    struct wh_span_context to = far;
    memcpy(to.trace_id, far_trace, sizeof to.trace_id);
    memcpy(to.span_id, far_span, sizeof to.span_id);
    WH_AUTO wh_ctx *from = wh_extract(spans->root, carried, NULL);
    WH_AUTO wh_ctx *span = wh_start(from, "everything", .kind = WH_CONSUMER);
    wh_set(span, "text", "a text");
    wh_set_bool(span, "flag", true);
    wh_set(span, "integer", -5);
    wh_set(span, "natural", UINT64_MAX);
    wh_set(span, "real", 0.5);
    wh_set(span, "bytes", ((struct wh_bytes){"\0\1\2", 3}));
    wh_event(span, "tried", .attrs = WH_ATTRS(wh_attr("attempt", 2)));
    wh_event(span, "tried again", .attrs = WH_ATTRS(wh_attr("attempt", 3), wh_attr("last", "yes")));
    wh_link_to(span, &to, .attrs = WH_ATTRS(wh_attr("why", "because")));
    wh_status(span, WH_STATUS_ERROR, "it broke");
}

struct wh_span_view everything(struct spans *spans)
{
    *spans = spans_begin_with((struct wh_provider_opts){.limits = {.attributes = 6, .events = 2, .links = 1}});
    record_everything(spans);
    return span_named(spans, "everything");
}

bool is(struct wh_str text, const char *what)
{
    return text.len == strlen(what) && memcmp(text.ptr, what, text.len) == 0;
}

struct wh_bytes copy_of(const void *bytes, size_t len)
{
    void *copy = malloc(len ? len : 1);
    assert_non_null(copy);
    if (len) memcpy(copy, bytes, len);
    return (struct wh_bytes){copy, len};
}

void free_copy(struct wh_bytes copy)
{
    free((void *)copy.ptr);
}

/* ---- reading ---- */

static volatile size_t weight; /* of what was read: keeps the reads from being optimized away */

static void weigh(struct wh_str text)
{
    size_t sum = 0;
    for (size_t i = 0; i < text.len; i++) sum += (unsigned char)text.ptr[i];
    weight += sum;
}

static void weigh_attr(const struct wh_attr_view *attr)
{
    weigh(attr->key);
    if (attr->type == WH_STRING) weigh(attr->as.string);
    if (attr->type == WH_BYTES) weigh((struct wh_str){attr->as.bytes.ptr, attr->as.bytes.len});
    weigh((struct wh_str){attr->raw.ptr, attr->raw.len});
}

bool read_all(struct wh_bytes bytes)
{
    struct wh_span_view view;
    struct wh_event_view event;
    struct wh_link_view link;
    struct wh_attr_view attr;
    struct wh_cursor cursor = {bytes}, inner;
    const bool read = wh_span_read(bytes, &view);
    if (read) weigh(view.name), weigh(view.tracestate), weigh(view.status_text);
    if (read && wh_span_attr(&view, "text", &attr)) weigh_attr(&attr);
    while (wh_next_span_attr(&cursor, &attr)) weigh_attr(&attr);
    for (cursor.rest = bytes; wh_next_event(&cursor, &event);) {
        weigh(event.name);
        for (inner.rest = event.raw; wh_next_event_attr(&inner, &attr);) weigh_attr(&attr);
    }
    for (cursor.rest = bytes; wh_next_link(&cursor, &link);) {
        weigh(link.tracestate);
        for (inner.rest = link.raw; wh_next_link_attr(&inner, &attr);) weigh_attr(&attr);
    }
    for (cursor.rest = bytes; wh_next_resource_attr(&cursor, &attr);) weigh_attr(&attr);
    return read;
}

/* ---- mutants ---- */

uint32_t any(uint32_t below)
{
    static uint64_t seed = 1;
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((seed >> 33) % below);
}

static void mutate(uint8_t *bytes, size_t len)
{
    static const uint8_t odd[] = {0, 1, 0x7f, 0x80, 0xff, 0x0a, 0x4a, 0x12};
    for (uint32_t times = 1 + any(4); times > 0; times--) {
        const size_t at = any((uint32_t)len);
        switch (any(3)) {
        case 0: bytes[at] ^= (uint8_t)(1u << any(8)); break;
        case 1: bytes[at] = odd[any(sizeof odd)]; break;
        default: memmove(bytes + at, bytes + at / 2, len - at); break;
        }
    }
}

struct wh_bytes mutant_of(struct wh_bytes bytes)
{
    const size_t len = any(4) ? bytes.len : 1 + any((uint32_t)bytes.len);
    const struct wh_bytes mutant = copy_of(bytes.ptr, len);
    mutate((uint8_t *)mutant.ptr, len);
    return mutant;
}
