/* B3, in one header and in several (openzipkin/b3-propagation; context/api-propagators.md, B3 Requirements). */
#include <string.h>

#include "base/hex.h"
#include "propagate/incoming.h"
#include "trace/span.h"

#define B3 "b3"
#define TRACE_ID "X-B3-TraceId"
#define SPAN_ID "X-B3-SpanId"
#define SAMPLED "X-B3-Sampled"
#define FLAGS "X-B3-Flags"

/* ---- one header: trace-span[-state[-parent]], or a state alone ---- */

/* Until the '-' or the end. */
static size_t length_of_part(const char *text)
{
    size_t len = 0;
    while (text[len] && text[len] != '-' && len <= 32) len++;
    return len;
}

/* An id of 64 bits is the right half of one of 128. */
static bool read_trace_id(uint8_t id[16], const char *digits, size_t len)
{
    memset(id, 0, 8);
    return (len == 32 && wh__take_hex(id, digits, 16)) || (len == 16 && wh__take_hex(id + 8, digits, 8));
}

static bool read_span_id(uint8_t id[8], const char *digits, size_t len)
{
    return len == 16 && wh__take_hex(id, digits, 8);
}

static bool read_state(char state, struct wh__b3_field *out)
{
    if (state != '0' && state != '1' && state != 'd') return false;
    out->span.flags = state == '0' ? 0 : WH_SAMPLED;
    out->b3 = state == 'd' ? WH__B3_DEBUG : WH__B3_NONE;
    return true;
}

/* What follows the ids; the parent's id is of no use to us, but must be one. */
static bool read_rest(const char *rest, struct wh__b3_field *out)
{
    uint8_t parent[8];
    out->b3 = WH__B3_DEFERRED;
    if (*rest == '\0') return true;
    if (!read_state(rest[1], out)) return false;
    if (rest[2] == '\0') return true;
    return rest[2] == '-' && length_of_part(rest + 3) == 16 && read_span_id(parent, rest + 3, 16) && rest[19] == '\0';
}

bool wh__b3_read(const char *text, struct wh__b3_field *out)
{
    struct wh__b3_field field = {.span.remote = true};
    const size_t trace_len = length_of_part(text);
    if (trace_len == 1 && text[1] == '\0' && read_state(*text, &field)) {
        field.b3 |= WH__B3_ALONE;
        field.span.remote = false; /* there is no span */
        *out = field;
        return true;
    }
    if (!read_trace_id(field.span.trace_id, text, trace_len) || text[trace_len] != '-') return false;
    const char *span = text + trace_len + 1;
    const size_t span_len = length_of_part(span);
    if (!read_span_id(field.span.span_id, span, span_len) || !read_rest(span + span_len, &field)) return false;
    if (!wh__is_valid(&field.span)) return false;
    *out = field;
    return true;
}

void wh__b3_write(char out[WH__B3_SIZE], const struct wh_span_context *span, unsigned b3)
{
    wh__put_hex(out, span->trace_id, 16);
    out[32] = '-';
    wh__put_hex(out + 33, span->span_id, 8);
    out[49] = b3 & WH__B3_DEFERRED ? '\0' : '-';
    out[50] = b3 & WH__B3_DEBUG ? 'd' : span->flags & WH_SAMPLED ? '1' : '0';
    out[51] = '\0';
}

/* ---- several headers ---- */

/* "true" and "false" come from senders older than the text. */
static unsigned sampled_of(const char *sampled, const char *flags, struct wh__b3_field *out)
{
    const bool is_debug = flags && strcmp(flags, "1") == 0;
    if (is_debug) return read_state('d', out);
    if (!sampled) return false;
    if (strcmp(sampled, "true") == 0) sampled = "1";
    if (strcmp(sampled, "false") == 0) sampled = "0";
    return sampled[0] != 'd' && sampled[0] && !sampled[1] && read_state(sampled[0], out);
}

static bool read_multi(const struct wh_carrier *from, void *carrier, struct wh__b3_field *out)
{
    char buf[WH__FIELD_SIZE];
    struct wh__b3_field field = {.span.remote = true};
    const char *id = wh__get_only(from, carrier, TRACE_ID, buf);
    const bool has_id = id;
    if (has_id && !read_trace_id(field.span.trace_id, id, strnlen(id, 33))) return false;
    if (has_id) {
        id = wh__get_only(from, carrier, SPAN_ID, buf);
        if (!id || !read_span_id(field.span.span_id, id, strnlen(id, 17)) || !wh__is_valid(&field.span)) return false;
    }
    char state[8] = "";
    const char *sampled = wh__get_only(from, carrier, SAMPLED, buf);
    if (sampled && strnlen(sampled, sizeof state) < sizeof state) memcpy(state, sampled, strlen(sampled) + 1);
    const bool decided = sampled_of(*state ? state : NULL, wh__get_only(from, carrier, FLAGS, buf), &field);
    if (!has_id && !decided) return false;
    field.b3 |= has_id ? decided ? 0 : WH__B3_DEFERRED : WH__B3_ALONE;
    field.span.remote = has_id;
    *out = field;
    return true;
}

/* ---- the propagators ---- */

/* "MUST attempt to extract B3 encoded using single and multi-header formats. The single-header variant takes precedence." */
static void read(struct wh__incoming *in, const struct wh_carrier *from, void *carrier)
{
    char buf[WH__FIELD_SIZE];
    struct wh__b3_field field;
    const char *single = wh__get_only(from, carrier, B3, buf);
    if ((single && wh__b3_read(single, &field)) || read_multi(from, carrier, &field)) wh__incoming_span(in, &field.span, field.b3);
}

static void inject_single(const struct wh_propagator *self, const wh_ctx *ctx, const struct wh_carrier *to, void *carrier)
{
    struct wh__b3_field field;
    char text[WH__B3_SIZE];
    (void)self;
    if (!wh__b3_of(ctx, &field)) return;
    wh__b3_write(text, &field.span, field.b3);
    to->set(carrier, B3, field.b3 & WH__B3_ALONE ? text + 50 : text);
}

/* X-B3-ParentSpanId is never sent. Debug implies that it is sampled, and that is not said twice. */
static void inject_multi(const struct wh_propagator *self, const wh_ctx *ctx, const struct wh_carrier *to, void *carrier)
{
    struct wh__b3_field field;
    char digits[33];
    (void)self;
    if (!wh__b3_of(ctx, &field)) return;
    if (!(field.b3 & WH__B3_ALONE)) {
        wh__put_hex(digits, field.span.trace_id, 16);
        digits[32] = '\0';
        to->set(carrier, TRACE_ID, digits);
        wh__put_hex(digits, field.span.span_id, 8);
        digits[16] = '\0';
        to->set(carrier, SPAN_ID, digits);
    }
    if (field.b3 & WH__B3_DEBUG)
        to->set(carrier, FLAGS, "1");
    else if (!(field.b3 & WH__B3_DEFERRED))
        to->set(carrier, SAMPLED, field.span.flags & WH_SAMPLED ? "1" : "0");
}

const struct wh__codec wh__b3_single = {
    .public = {sizeof(struct wh_propagator), "b3", inject_single, wh__codec_extract, (const char *const[]){B3, NULL}},
    .read = read,
};
const struct wh__codec wh__b3_multi = {
    .public = {sizeof(struct wh_propagator), "b3multi", inject_multi, wh__codec_extract,
               (const char *const[]){TRACE_ID, SPAN_ID, SAMPLED, FLAGS, NULL}},
    .read = read,
};
