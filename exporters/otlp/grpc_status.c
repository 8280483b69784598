#include "otlp/grpc.h"

#include <string.h>
#include <strings.h>

#include "otlp/budget.h"
#include "otlp/mem.h"
#include "status.pb-c.h"

/* ---- when to come again ---- */

int64_t wh__otlp_grpc_delay(int64_t seconds, int32_t nanos)
{
    const int64_t day = INT64_C(24) * 60 * 60;
    if (seconds < 0 || seconds > day || nanos < 0 || nanos > 999999999) return -1;
    return WH_SEC(seconds) + nanos;
}

static void read_retry_info(struct wh__otlp_grpc_status *status, ProtobufCBinaryData bytes)
{
    struct wh__otlp_budget budget;
    ProtobufCAllocator *allocator = wh__otlp_budget_begin(&budget, bytes.len);
    Wh__Otlp__RetryInfo *info = wh__otlp__retry_info__unpack(allocator, bytes.len, bytes.data);
    if (!info) return;
    const Wh__Otlp__Duration *delay = info->retry_delay;
    status->has_retry_info = true;
    status->retry_delay = delay ? wh__otlp_grpc_delay(delay->seconds, delay->nanos) : -1;
    wh__otlp__retry_info__free_unpacked(info, allocator);
}

/* Whatever host the name of the type has. */
static bool is_retry_info(const char *type)
{
    const char *slash = strrchr(type, '/');
    return slash && strcmp(slash, "/google.rpc.RetryInfo") == 0;
}

static void read_detail(struct wh__otlp_grpc_status *status, ProtobufCBinaryData bytes)
{
    struct wh__otlp_budget budget;
    ProtobufCAllocator *allocator = wh__otlp_budget_begin(&budget, bytes.len);
    Wh__Otlp__Any *any = wh__otlp__any__unpack(allocator, bytes.len, bytes.data);
    if (!any) return;
    if (is_retry_info(any->type_url)) read_retry_info(status, any->value);
    wh__otlp__any__free_unpacked(any, allocator);
}

static void read_details(struct wh__otlp_grpc_status *status, const uint8_t *bytes, size_t len)
{
    struct wh__otlp_budget budget;
    ProtobufCAllocator *allocator = wh__otlp_budget_begin(&budget, len);
    Wh__Otlp__Status *said = wh__otlp__status__unpack(allocator, len, bytes);
    if (!said) return;
    for (size_t i = 0; i < said->n_details; i++) read_detail(status, said->details[i]);
    wh__otlp__status__free_unpacked(said, allocator);
}

static void take_details(struct wh__otlp_grpc_status *status, struct wh_str value)
{
    uint8_t *bytes = wh__otlp_mem_get(value.len / 4 * 3 + 3);
    size_t len;
    status->has_retry_info = false;
    status->retry_delay = -1;
    if (bytes && wh__otlp_base64(value.ptr, value.len, bytes, &len)) read_details(status, bytes, len);
    wh__otlp_mem_free(bytes);
}

/* ---- the other fields ---- */

/* A number that is no code is one that is not known yet; what is no number tells as little. */
static int read_code(struct wh_str value)
{
    int code = 0;
    if (value.len == 0 || value.len > 3) return WH__GRPC_UNKNOWN;
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] < '0' || value.ptr[i] > '9') return WH__GRPC_UNKNOWN;
        code = 10 * code + (value.ptr[i] - '0');
    }
    return code < WH__GRPC_CODES ? code : WH__GRPC_UNKNOWN;
}

static void take_message(struct wh__otlp_grpc_status *status, struct wh_str value)
{
    char plain[WH__OTLP_WORDS];
    const char *at = value.ptr, *const end = value.ptr + value.len;
    size_t len = 0;
    while (at < end && len < sizeof plain) plain[len++] = wh__otlp_percent_next(&at, end);
    wh__otlp_copy_words(status->words, plain, len);
}

static bool is(struct wh_str name, const char *lower)
{
    return name.len == strlen(lower) && strncasecmp(name.ptr, lower, name.len) == 0;
}

void wh__otlp_grpc_take(struct wh__otlp_grpc_status *status, struct wh_str name, struct wh_str value)
{
    if (is(name, "grpc-status"))
        status->code = read_code(value);
    else if (is(name, "grpc-message"))
        take_message(status, value);
    else if (is(name, "grpc-status-details-bin"))
        take_details(status, value);
    else if (is(name, "grpc-encoding"))
        status->gzip = value.len == 4 && strncasecmp(value.ptr, "gzip", 4) == 0;
}
