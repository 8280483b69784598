/* The span lives in the context: pattern 31. What is derived from it is its child; what is detached stays in the trace; and
 * a span that was stopped says by whom, where and why. Drawn by the console exporter; any other takes the same spans. */
#include <stdio.h>
#include <whence/whence.h>

static void count(const wh_ctx *ctx)
{
    WH_AUTO wh_ctx *span = wh_start(ctx, "count");
    int shelf = 0;
    while (wh_sleep(span, WH_MS(2)) == 0) shelf++; /* until nobody wants it any more */
    wh_set(span, "counted", shelf > 0 ? "some" : "none");
}

static void order(const wh_ctx *root)
{
    WH_AUTO wh_ctx *request = wh_start(root, "GET /order", .kind = WH_SERVER, .timeout = WH_MS(60));
    count(request);
    WH_AUTO wh_ctx *after = wh_detach(request);
    WH_AUTO wh_ctx *bill = wh_start(after, "send the bill", .timeout = WH_SEC(60)); /* the request is over, this is not */
    wh_event(bill, "sent");
}

int main(void)
{
    struct wh_exporter *memory = wh_memory_exporter_new(100);
    wh_provider *provider = wh_provider_new(.service = "spans", .exporters = &memory, .exporter_count = 1);
    if (!provider) return 1;
    WH_AUTO wh_ctx *root = wh_provider_root(provider);
    order(root);
    if (wh_provider_flush(provider, WH_SEC(30))) return 1;

    struct wh_span_view request, span;
    if (!wh_memory_find(memory, "GET /order", &request)) return 1;
    for (size_t i = 0; wh_memory_span(memory, i, &span); i++) {
        struct wh_attr_view why;
        const bool same = memcmp(span.trace_id, request.trace_id, sizeof span.trace_id) == 0;
        printf("%.*s: %s trace, ", (int)span.name.len, span.name.ptr, same ? "the same" : "another");
        if (wh_span_attr(&span, "whence.cancel.reason", &why))
            printf("stopped: %.*s\n", (int)why.as.string.len, why.as.string.ptr);
        else
            printf("well\n");
    }
    return wh_provider_shutdown(provider, WH_SEC(30)) ? 1 : 0;
}
