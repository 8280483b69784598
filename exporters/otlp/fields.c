#include "otlp/fields.h"

#include <string.h>
#include <strings.h>

#include "otlp/retry.h"

enum { MOST_BYTES = 256 << 10 };

void wh__otlp_fields_begin(struct wh__otlp_fields *fields)
{
    *fields = (struct wh__otlp_fields){.retry_after = -1, .grpc = WH__OTLP_GRPC_STATUS_INIT};
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is(struct wh_str name, const char *lower)
{
    return name.len == strlen(lower) && strncasecmp(name.ptr, lower, name.len) == 0;
}

/* ---- the two that HTTP has ---- */

static int64_t read_retry_after(struct wh_str text, time_t wall)
{
    char value[64];
    if (text.len >= sizeof value) return -1;
    memcpy(value, text.ptr, text.len);
    value[text.len] = '\0';
    return wh__otlp_retry_after(value, wall);
}

/* Without its parameters (RFC 9110, section 8.3.1). */
static enum wh__otlp_content read_content(struct wh_str value)
{
    const char *const semicolon = memchr(value.ptr, ';', value.len);
    if (semicolon) value.len = (size_t)(semicolon - value.ptr);
    while (value.len && is_blank(value.ptr[value.len - 1])) value.len--;
    if (is(value, "application/x-protobuf") || is(value, "application/protobuf")) return WH__OTLP_PROTOBUF;
    if (is(value, "application/json")) return WH__OTLP_JSON;
    if (is(value, "text/plain")) return WH__OTLP_PLAIN;
    if (value.len >= 16 && strncasecmp(value.ptr, "application/grpc", 16) == 0) return WH__OTLP_FRAMES;
    return WH__OTLP_ELSE;
}

/* ---- a line ---- */

static void take(struct wh__otlp_fields *fields, struct wh_str name, struct wh_str value, time_t wall)
{
    if (is(name, "retry-after"))
        fields->retry_after = read_retry_after(value, wall);
    else if (is(name, "content-type"))
        fields->content = read_content(value);
    else
        wh__otlp_grpc_take(&fields->grpc, name, value);
}

bool wh__otlp_fields_take(struct wh__otlp_fields *fields, const char *line, size_t len, time_t wall)
{
    const size_t bytes = fields->bytes + len;
    if (bytes > MOST_BYTES) return false;
    if (len >= 5 && memcmp(line, "HTTP/", 5) == 0) wh__otlp_fields_begin(fields);
    fields->bytes = bytes;
    const char *const colon = len ? memchr(line, ':', len) : NULL, *text = colon ? colon + 1 : NULL, *end = line + len;
    if (!colon) return true;
    while (text < end && is_blank(*text)) text++;
    while (text < end && is_blank(end[-1])) end--;
    take(fields, (struct wh_str){line, (size_t)(colon - line)}, (struct wh_str){text, (size_t)(end - text)}, wall);
    return true;
}
