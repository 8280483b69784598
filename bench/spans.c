#include "spans.h"

enum { QUEUE = 1 << 19 };

struct source source_new(struct wh_exporter *exporter, uint32_t max_batch)
{
    struct source source = {.seen = {.size = sizeof source.seen}};
    source.provider = wh_provider_new(.service = "bench", .exporters = &exporter, .exporter_count = 1, .max_queue = QUEUE,
                                      .max_batch = max_batch);
    if (!source.provider) bench_die("no memory for a provider");
    source.root = wh_provider_root(source.provider);
    source.span = wh_start(source.root, "GET /orders/{id}", .kind = WH_SERVER);
    spans_with_5(source.span, 1); /* starts the export thread, on another CPU */
    source_flush(&source);
    return source;
}

static uint64_t lost(const struct wh_provider_stats *stats)
{
    return stats->dropped_queue + stats->dropped_memory + stats->dropped_export + stats->dropped_shutdown;
}

void source_flush(struct source *source)
{
    const int rc = wh_provider_flush(source->provider, WH_SEC(10));
    struct wh_provider_stats now = {.size = sizeof now};
    wh_provider_stats(source->provider, &now);
    const uint64_t more = lost(&now) - lost(&source->seen);
    if (more)
        bench_invalid("%llu spans were lost", (unsigned long long)more);
    else if (rc || now.exported != now.ended)
        bench_invalid("%llu spans ended, %llu were exported", (unsigned long long)now.ended,
                      (unsigned long long)now.exported);
    source->seen = now;
}

void source_end(struct source *source, const char *whose)
{
    wh_end(source->span);
    wh_end(source->root);
    wh_provider_shutdown(source->provider, WH_SEC(5));
    struct wh_provider_stats all = {.size = sizeof all};
    wh_provider_stats(source->provider, &all);
    bench_remark("spans, %s: %llu ended, %llu were exported, %llu lost", whose, (unsigned long long)all.ended,
                 (unsigned long long)all.exported, (unsigned long long)lost(&all));
}
