#include "otlp/answer.h"

#include <errno.h>
#include <protobuf-c/protobuf-c.h>

#include "export.pb-c.h"
#include "otlp/http.h"
#include "otlp/mem.h"
#include "status.pb-c.h"

/* ---- decoding what may be hostile ---- */

/* Every unknown field costs the decoder far more memory than bytes in the answer: it gets so much and no more. */
struct budget {
    ProtobufCAllocator allocator;
    size_t left;
    bool no_memory;
};

static void *spend(void *arg, size_t size)
{
    struct budget *budget = arg;
    if (size > budget->left) return NULL;
    budget->left -= size;
    void *ptr = wh__otlp_mem_get(size);
    budget->no_memory |= ptr == NULL;
    return ptr;
}

static void give_back(void *arg, void *ptr)
{
    (void)arg;
    wh__otlp_mem_free(ptr);
}

static ProtobufCAllocator *begin(struct budget *budget)
{
    *budget = (struct budget){{spend, give_back, budget}, 2 * WH__OTLP_MOST_ANSWER, false};
    return &budget->allocator;
}

/* On its way to logs and terminals. */
static void copy_words(char words[WH__OTLP_WORDS], const char *text)
{
    size_t i = 0;
    for (; text[i] && i < WH__OTLP_WORDS - 1; i++) words[i] = text[i] >= 0x20 && text[i] < 0x7f ? text[i] : '?';
    words[i] = '\0';
}

/* ---- the two kinds of bodies ---- */

int wh__otlp_read_success(struct wh_bytes body, size_t count, size_t *rejected, char words[WH__OTLP_WORDS])
{
    struct budget budget;
    *rejected = 0;
    words[0] = '\0';
    if (body.len == 0) return 0;
    ProtobufCAllocator *allocator = begin(&budget);
    Wh__Otlp__ExportTraceServiceResponse *response =
        wh__otlp__export_trace_service_response__unpack(allocator, body.len, body.ptr);
    if (!response) return budget.no_memory ? ENOMEM : EBADMSG;
    const Wh__Otlp__ExportTracePartialSuccess *partial = response->partial_success;
    if (partial) {
        if (partial->rejected_spans > 0)
            *rejected = (uint64_t)partial->rejected_spans < count ? (size_t)partial->rejected_spans : count;
        copy_words(words, partial->error_message);
    }
    wh__otlp__export_trace_service_response__free_unpacked(response, allocator);
    return 0;
}

void wh__otlp_read_refusal(struct wh_bytes body, char words[WH__OTLP_WORDS])
{
    struct budget budget;
    words[0] = '\0';
    if (body.len == 0) return;
    ProtobufCAllocator *allocator = begin(&budget);
    Wh__Otlp__Status *status = wh__otlp__status__unpack(allocator, body.len, body.ptr);
    if (!status) return;
    copy_words(words, status->message);
    wh__otlp__status__free_unpacked(status, allocator);
}

bool wh__otlp_may_try_again(long status)
{
    return status == 429 || status == 502 || status == 503 || status == 504;
}
