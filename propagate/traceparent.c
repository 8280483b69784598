#include <string.h>

#include "base/hex.h"
#include "propagate/headers.h"

/* 00-<32 digits>-<16 digits>-<2 digits>: where the parts stand, in every version that there may ever be. */
enum { TRACE_ID_AT = 3, SPAN_ID_AT = 36, FLAGS_AT = 53, LENGTH = 55 };

/* White space around a field is no part of it (RFC 9110, section 5.5), though not every HTTP library takes it away. */
static const char *skip_blanks(const char *text)
{
    while (*text == ' ' || *text == '\t') text++;
    return text;
}

/* "If a higher version is detected, the implementation SHOULD try to parse it": the first four parts, and then nothing or
 * a further part. */
static bool ends_well(uint8_t version, const char *rest)
{
    return *rest == '\0' || *skip_blanks(rest) == '\0' || (version > 0 && *rest == '-');
}

bool wh__traceparent_read(const char *field, struct wh_span_context *out)
{
    struct wh_span_context span = {.remote = true};
    uint8_t version;
    if (!field) return false;
    field = skip_blanks(field);
    if (strnlen(field, LENGTH) < LENGTH) return false;
    if (field[2] != '-' || field[SPAN_ID_AT - 1] != '-' || field[FLAGS_AT - 1] != '-') return false;
    if (!wh__take_hex(&version, field, 1) || version == 0xff || !ends_well(version, field + LENGTH)) return false;
    if (!wh__take_hex(span.trace_id, field + TRACE_ID_AT, sizeof span.trace_id)) return false;
    if (!wh__take_hex(span.span_id, field + SPAN_ID_AT, sizeof span.span_id)) return false;
    if (!wh__take_hex(&span.flags, field + FLAGS_AT, 1) || !wh__is_valid(&span)) return false;
    span.flags &= WH_SAMPLED | WH_RANDOM; /* "MUST set unknown flags to zero" when it goes on */
    *out = span;
    return true;
}

void wh__traceparent_write(char out[WH__TRACEPARENT_SIZE], const struct wh_span_context *span)
{
    memcpy(out, "00-", 3);
    wh__put_hex(out + TRACE_ID_AT, span->trace_id, sizeof span->trace_id);
    out[SPAN_ID_AT - 1] = '-';
    wh__put_hex(out + SPAN_ID_AT, span->span_id, sizeof span->span_id);
    out[FLAGS_AT - 1] = '-';
    wh__put_hex(out + FLAGS_AT, &span->flags, 1);
    out[LENGTH] = '\0';
}
