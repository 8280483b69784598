#include <string.h>

#include "base/text.h"
#include "propagate/headers.h"

/* 00-<32 digits>-<16 digits>-<2 digits>: where the parts stand, in every version that there may ever be. */
enum { TRACE_ID_AT = 3, SPAN_ID_AT = 36, FLAGS_AT = 53, LENGTH = 55 };

static bool all_zero(const uint8_t *bytes, size_t len)
{
    while (len && bytes[len - 1] == 0) len--;
    return len == 0;
}

/* "If a higher version is detected, the implementation SHOULD try to parse it": the first four parts, and then nothing or
 * a further part. White space around a field is no part of it (RFC 9110, section 5.5), though not every HTTP library takes
 * it away. */
static bool ends_well(uint8_t version, const char *rest)
{
    return rest[strspn(rest, " \t")] == '\0' || (version > 0 && *rest == '-');
}

bool wh__traceparent_read(const char *field, struct wh_span_context *out)
{
    struct wh_span_context span = {.remote = true};
    uint8_t version;
    if (!field) return false;
    field += strspn(field, " \t");
    if (strnlen(field, LENGTH) < LENGTH) return false;
    if (field[2] != '-' || field[SPAN_ID_AT - 1] != '-' || field[FLAGS_AT - 1] != '-') return false;
    if (!wh__unhex(&version, field, 1) || version == 0xff || !ends_well(version, field + LENGTH)) return false;
    if (!wh__unhex(span.trace_id, field + TRACE_ID_AT, sizeof span.trace_id)) return false;
    if (!wh__unhex(span.span_id, field + SPAN_ID_AT, sizeof span.span_id)) return false;
    if (!wh__unhex(&span.flags, field + FLAGS_AT, 1)) return false;
    if (all_zero(span.trace_id, sizeof span.trace_id) || all_zero(span.span_id, sizeof span.span_id)) return false;
    span.flags &= WH_SAMPLED | WH_RANDOM; /* "MUST set unknown flags to zero" when it goes on */
    *out = span;
    return true;
}

void wh__traceparent_write(char out[WH__TRACEPARENT_SIZE], const struct wh_span_context *span)
{
    memcpy(out, "00-", 3);
    wh__hex(out + TRACE_ID_AT, span->trace_id, sizeof span->trace_id);
    out[SPAN_ID_AT - 1] = '-';
    wh__hex(out + SPAN_ID_AT, span->span_id, sizeof span->span_id);
    out[FLAGS_AT - 1] = '-';
    wh__hex(out + FLAGS_AT, &span->flags, 1);
    out[LENGTH] = '\0';
}
