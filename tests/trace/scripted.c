#include "scripted.h"

#include "base/park.h"

/* ---- the exporter ---- */

static int scripted_export(struct wh_exporter *self, const struct wh_batch *batch, int64_t deadline, size_t *rejected)
{
    struct scripted *s = (struct scripted *)self;
    (void)deadline;
    assert_int_equal(__atomic_fetch_add(&s->inside, 1, __ATOMIC_SEQ_CST), 0);
    while (__atomic_load_n(&s->blocked, __ATOMIC_ACQUIRE)) wh__park(&s->blocked, 1, WH_NEVER);
    struct wh_span_view span;
    for (size_t j = 0; j < batch->scope_count; j++)
        for (size_t i = 0; i < batch->scopes[j].count; i++) assert_true(wh_span_read(batch->scopes[j].spans[i], &span));
    s->spans += batch->count;
    s->batches++;
    if (batch->count > s->largest) s->largest = batch->count;
    *rejected = s->rejects;
    __atomic_fetch_sub(&s->inside, 1, __ATOMIC_SEQ_CST);
    return s->result;
}

void scripted_block(struct scripted *s, bool blocked)
{
    __atomic_store_n(&s->blocked, blocked ? 1 : 0, __ATOMIC_RELEASE);
    wh__unpark(&s->blocked);
}

static int scripted_flush(struct wh_exporter *self, int64_t deadline)
{
    (void)deadline;
    ((struct scripted *)self)->flushes++;
    return 0;
}

static void scripted_shutdown(struct wh_exporter *self, int64_t deadline)
{
    (void)deadline;
    ((struct scripted *)self)->shutdowns++;
}

static void scripted_interrupt(struct wh_exporter *self)
{
    struct scripted *s = (struct scripted *)self;
    if (s->heeds_interrupt) scripted_block(s, false);
}

static void scripted_destroy(struct wh_exporter *self)
{
    __atomic_fetch_add(&((struct scripted *)self)->destroyed, 1, __ATOMIC_RELEASE);
}

void scripted_init(struct scripted *s)
{
    *s = (struct scripted){.exporter = {.size = sizeof s->exporter, .name = "scripted", .export_batch = scripted_export,
        .flush = scripted_flush, .shutdown = scripted_shutdown, .interrupt = scripted_interrupt,
        .destroy = scripted_destroy}};
}

/* ---- its provider ---- */

wh_provider *provider_with(struct scripted *s, struct wh_provider_opts opts)
{
    static struct wh_exporter *list[1];
    list[0] = &s->exporter;
    opts.size = sizeof opts;
    opts.exporters = list;
    opts.exporter_count = 1;
    wh_provider *provider = wh_provider_new_at(&opts);
    assert_non_null(provider);
    return provider;
}

struct wh_provider_stats stats_of(const wh_provider *provider)
{
    struct wh_provider_stats stats = {.size = sizeof stats};
    wh_provider_stats(provider, &stats);
    return stats;
}

void make_spans(wh_provider *provider, int count)
{
    WH_AUTO wh_ctx *root = wh_provider_root(provider);
    for (int i = 0; i < count; i++) {
        WH_AUTO wh_ctx *span = wh_start(root, "span");
        wh_set(span, "i", i);
    }
}

void assert_adds_up(const struct wh_provider_stats *s)
{
    const uint64_t lost = s->dropped_queue + s->dropped_memory + s->dropped_export + s->dropped_shutdown;
    assert_int_equal(s->started, s->exported + s->recorded_only + s->keep_forgotten + lost);
}

/* ---- reports ---- */

char report[4096];

static void keep_report(enum wh_severity severity, const char *line, void *arg)
{
    (void)severity, (void)arg;
    strncat(report, line, sizeof report - strlen(report) - 1);
    strncat(report, "\n", sizeof report - strlen(report) - 1);
}

int listen_to_reports(void **state)
{
    (void)state;
    report[0] = '\0';
    wh_report_to(keep_report, NULL);
    return 0;
}

int stop_listening(void **state)
{
    (void)state;
    wh_report_to(NULL, NULL);
    return 0;
}
