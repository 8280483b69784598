/* A processor of one's own: every span gets the tenant of its context, and those that take long are said at once.
 *
 *   ./tracing_processor
 */
#include <stdio.h>
#include <whence/whence.h>

WH_KEY(tenant, const char *)

static void on_start(struct wh_processor *self, const wh_ctx *span, const wh_ctx *parent)
{
    const char *name = wh_tenant(parent);
    (void)self;
    if (name) wh_set(span, "tenant", name);
}

static void on_end(struct wh_processor *self, const struct wh_ended *ended)
{
    struct wh_span_view span;
    struct wh_attr_view of;
    (void)self;
    if (!wh_span_read(ended->span, &span) || span.end - span.start < 10000000) return;
    const bool known = wh_span_attr(&span, "tenant", &of) && of.type == WH_STRING;
    printf("slow: %.*s, of %.*s\n", (int)span.name.len, span.name.ptr, known ? (int)of.as.string.len : 6,
           known ? of.as.string.ptr : "nobody");
}

int main(void)
{
    struct wh_processor slow_spans = {.size = sizeof slow_spans, .name = "slow spans", .on_start = on_start, .on_end = on_end};
    struct wh_processor *processors[] = {&slow_spans};
    wh_provider *provider = wh_provider_new(.service = "processor", .processors = processors, .processor_count = 1);
    if (!provider) return perror("provider"), 1;
    wh_ctx *root = wh_provider_root(provider);
    wh_ctx *acme = wh_with_tenant(root, "acme");
    wh_ctx *quick = wh_start(acme, "quick");
    wh_end(quick);
    wh_ctx *report = wh_start(acme, "yearly report");
    wh_sleep(report, WH_MS(20));
    wh_end(report);
    wh_end(acme);
    wh_end(root);
    return wh_provider_shutdown(provider, WH_SEC(1));
}
