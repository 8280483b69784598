#include "do.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- what is written of instants: the readings of the clock between which it was taken ---- */

void put_instant(FILE *out, int64_t first, int64_t last)
{
    fprintf(out, "[%" PRId64 ",%" PRId64 "]", first, last);
}

int64_t some_instant(void)
{
    const int64_t far = (int64_t)below((uint64_t)WH_MIN(600));
    return wh_now() + (one_in(2) ? far : -far);
}

/* ---- operations on a span ---- */

static void set_parts(const wh_ctx *ctx, const struct wh_attr *attr)
{
    const char *key = attr->key;
    const size_t len = attr->len;
    switch (attr->type) {
    case WH_EMPTY: wh_set(ctx, key, WH_NULL); break;
    case WH_ARRAY: wh_set(ctx, key, ((struct wh_items){attr->as.ptr, len})); break;
    case WH_MAP: wh_set(ctx, key, ((struct wh_attrs){attr->as.ptr, len})); break;
    case WH_INTS: wh_set(ctx, key, ((struct wh_ints){attr->as.ptr, len})); break;
    case WH_DOUBLES: wh_set(ctx, key, ((struct wh_doubles){attr->as.ptr, len})); break;
    case WH_BOOLS: wh_set(ctx, key, ((struct wh_bools){attr->as.ptr, len})); break;
    case WH_STRINGS: wh_set(ctx, key, ((struct wh_strings){attr->as.ptr, len})); break;
    default: abort();
    }
}

static void set(const wh_ctx *ctx, FILE *out)
{
    const struct wh_attr attr = some_attr(some_key());
    const char *key = attr.key;
    switch (attr.type) {
    case WH_STRING: wh_set(ctx, key, ((struct wh_str){attr.as.ptr, attr.len})); break;
    case WH_BOOL: wh_set(ctx, key, attr.as.boolean); break;
    case WH_INT: wh_set(ctx, key, attr.as.integer); break;
    case WH_UINT: wh_set(ctx, key, attr.as.natural); break;
    case WH_DOUBLE: wh_set(ctx, key, attr.as.real); break;
    case WH_BYTES: wh_set(ctx, key, ((struct wh_bytes){attr.as.ptr, attr.len})); break;
    default: set_parts(ctx, &attr);
    }
    fputs(",[\"set\",", out);
    put_text(out, key);
    putc(',', out);
    put_value(out, &attr);
    putc(']', out);
}

static void event(const wh_ctx *ctx, FILE *out)
{
    const char *name = some_name();
    const struct wh_attrs attrs = some_attrs(6);
    const bool given = one_in(3);
    const int64_t at = given ? some_instant() : 0, before = wh_now();
    wh_event(ctx, name, .attrs = attrs, .at = at);
    const int64_t after = wh_now();
    fputs(",[\"event\",", out);
    put_text(out, name);
    putc(',', out);
    put_instant(out, given ? at : before, given ? at : after);
    putc(',', out);
    put_attrs(out, attrs);
    putc(']', out);
}

struct wh_span_context some_span_context(bool valid)
{
    static const char *const states[] = {NULL, "a=1", "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7", "ot=th:8;rv:0123456789abcd", "x@y=z,k= !\"#"};
    struct wh_span_context span = {.flags = (uint8_t)below(valid ? 4 : 256), .remote = one_in(2),
        .tracestate = states[below(sizeof states / sizeof *states)]};
    if (valid || !one_in(3)) memcpy(span.trace_id, (uint64_t[2]){rand_word() | 1, rand_word() | 1}, sizeof span.trace_id);
    if (valid || !one_in(3)) memcpy(span.span_id, (uint64_t[1]){rand_word() | 1}, sizeof span.span_id);
    return span;
}

void put_span_context(FILE *out, const struct wh_span_context *span)
{
    fputs("{\"trace\":", out);
    put_hex(out, span->trace_id, sizeof span->trace_id);
    fputs(",\"span\":", out);
    put_hex(out, span->span_id, sizeof span->span_id);
    fprintf(out, ",\"flags\":%u,\"remote\":%s,\"state\":", span->flags, span->remote ? "true" : "false");
    put_text(out, span->tracestate);
    putc('}', out);
}

void put_link(FILE *out, const struct wh_span_context *to, struct wh_attrs attrs)
{
    fputs("[\"link\",", out);
    put_span_context(out, to);
    putc(',', out);
    put_attrs(out, attrs);
    putc(']', out);
}

static void link_to(const wh_ctx *ctx, FILE *out)
{
    const struct wh_span_context to = some_span_context(!one_in(5));
    const struct wh_attrs attrs = some_attrs(5);
    wh_link_to(ctx, &to, .attrs = attrs);
    putc(',', out);
    put_link(out, &to, attrs);
}

static void exception(const wh_ctx *ctx, FILE *out)
{
    const char *text[3];
    for (int i = 0; i < 3; i++) text[i] = one_in(4) ? NULL : some_text(true).ptr;
    const struct wh_attrs attrs = some_attrs(4);
    const int64_t at = some_instant();
    wh_exception(ctx, text[0], text[1], .stacktrace = text[2], .attrs = attrs, .at = at);
    fputs(",[\"exception\"", out);
    for (int i = 0; i < 3; i++) {
        putc(',', out);
        put_text(out, text[i]);
    }
    putc(',', out);
    put_instant(out, at, at);
    putc(',', out);
    put_attrs(out, attrs);
    putc(']', out);
}

static void status(const wh_ctx *ctx, FILE *out)
{
    const enum wh_status code = (enum wh_status)(one_in(3) ? below(3) : WH_STATUS_ERROR);
    const char *text = one_in(4) ? NULL : some_text(true).ptr;
    wh_status(ctx, code, text);
    fprintf(out, ",[\"status\",%d,", (int)code);
    put_text(out, text);
    putc(']', out);
}

static void fail(const wh_ctx *ctx, FILE *out)
{
    static const struct { int code; const char *name; } codes[] = {{EIO, "EIO"}, {ECONNREFUSED, "ECONNREFUSED"}, {ENOENT, "ENOENT"}};
    const size_t i = below(3);
    const char *type = one_in(2) ? NULL : "rate_limited", *text = some_text(true).ptr;
    wh_fail_as(ctx, codes[i].code, type, text);
    fputs(",[\"fail\",", out);
    put_text(out, type ? type : codes[i].name);
    putc(',', out);
    put_text(out, text);
    putc(']', out);
}

static void rename_it(const wh_ctx *ctx, FILE *out)
{
    const char *name = some_name();
    wh_rename(ctx, name);
    fputs(",[\"rename\",", out);
    put_text(out, name);
    putc(']', out);
}

void operate(const wh_ctx *ctx, FILE *out)
{
    const uint64_t choice = below(20), times = one_in(150) ? 140 : 1; /* more than the default limits allow */
    for (uint64_t i = 0; i < times; i++) {
        if (choice < 9) set(ctx, out);
        else if (choice < 12) event(ctx, out);
        else if (choice < 13) exception(ctx, out);
        else if (choice < 16) link_to(ctx, out);
        else if (choice < 18) status(ctx, out);
        else if (choice < 19) fail(ctx, out);
        else rename_it(ctx, out);
    }
}
