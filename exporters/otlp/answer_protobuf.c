#include "otlp/answer.h"

#include <errno.h>
#include <string.h>

#include "export.pb-c.h"
#include "otlp/budget.h"
#include "status.pb-c.h"

int wh__otlp_read_success(struct wh_bytes body, size_t count, size_t *rejected, char words[WH__OTLP_WORDS])
{
    struct wh__otlp_budget budget;
    *rejected = 0;
    words[0] = '\0';
    if (body.len == 0) return 0;
    ProtobufCAllocator *allocator = wh__otlp_budget_begin(&budget, body.len);
    Wh__Otlp__ExportTraceServiceResponse *response =
        wh__otlp__export_trace_service_response__unpack(allocator, body.len, body.ptr);
    if (!response) return budget.no_memory ? ENOMEM : EBADMSG;
    const Wh__Otlp__ExportTracePartialSuccess *partial = response->partial_success;
    if (partial) {
        if (partial->rejected_spans > 0)
            *rejected = (uint64_t)partial->rejected_spans < count ? (size_t)partial->rejected_spans : count;
        wh__otlp_copy_words(words, partial->error_message, strlen(partial->error_message));
    }
    wh__otlp__export_trace_service_response__free_unpacked(response, allocator);
    return 0;
}

void wh__otlp_read_refusal(struct wh_bytes body, char words[WH__OTLP_WORDS])
{
    struct wh__otlp_budget budget;
    words[0] = '\0';
    if (body.len == 0) return;
    ProtobufCAllocator *allocator = wh__otlp_budget_begin(&budget, body.len);
    Wh__Otlp__Status *status = wh__otlp__status__unpack(allocator, body.len, body.ptr);
    if (!status) return;
    wh__otlp_copy_words(words, status->message, strlen(status->message));
    wh__otlp__status__free_unpacked(status, allocator);
}
