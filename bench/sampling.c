/* What deciding costs: each sampler asked by itself, and spans whose start asks one. */
#include <string.h>

#include "bench.h"
#include "spans.h"

enum { IDS = 256 };
static struct wh_sampling roots[IDS], children[IDS];
static struct wh_span_context parent = {.span_id = {1}, .flags = WH_SAMPLED | WH_RANDOM, .tracestate = "ot=th:8;rv:9b8233f7e3a151,vendor=value"};

static struct wh_sampler *on, *ratio, *based, *recorded, *probability, *composite, *ruled;
#ifdef BENCH_OTLP
static struct wh_sampler *jaeger;
#endif
static wh_provider *asking;
static wh_ctx *asked;

static void decide(struct wh_sampler *sampler, const struct wh_sampling *from, size_t n)
{
    static _Alignas(16) char scratch[6144];
    while (n--) {
        const struct wh_sampling *in = &from[n % IDS];
        struct wh_sampled out = {.size = sizeof out, .tracestate = in->parent_span ? parent.tracestate : NULL, .scratch = scratch,
            .scratch_size = sizeof scratch};
        sampler->should_sample(sampler, in, &out);
        HIDE(out.decision);
    }
}

static void always_on(size_t n) { decide(on, roots, n); }
static void by_ratio(size_t n) { decide(ratio, roots, n); }
static void by_parent(size_t n) { decide(based, children, n); }
static void always_recorded(size_t n) { decide(recorded, roots, n); }
static void by_probability(size_t n) { decide(probability, roots, n); }
static void by_probability_below(size_t n) { decide(probability, children, n); }
static void by_composite(size_t n) { decide(composite, roots, n); }
static void by_threshold_of_parent(size_t n) { decide(composite, children, n); }
static void by_rules(size_t n) { decide(ruled, roots, n); }
#ifdef BENCH_OTLP
static void by_jaeger(size_t n) { decide(jaeger, roots, n); }
#endif

static void asked_children(size_t n)
{
    while (n--) wh_end(wh_start(asked, "GET"));
}

/* ---- the room ---- */

static bool is_client(const struct wh_sampling *in, void *unused) { (void)unused; return in->kind == WH_CLIENT; }

static void make_ids(void)
{
    uint64_t word = 0;
    for (size_t i = 0; i < IDS; i++) {
        struct wh_sampling in = {.size = sizeof in, .random = true, .name = "GET /orders/{id}", .kind = WH_SERVER};
        for (size_t at = 0; at < 16; at++) in.trace_id[at] = (uint8_t)((word += UINT64_C(0x9e3779b97f4a7c15)) >> 56);
        roots[i] = children[i] = in;
        children[i].parent_span = &parent;
    }
}

static void begin(void)
{
    static const struct wh_attr rule[] = {{.key = "rule", .type = WH_STRING, .len = 3, .as.ptr = "all"}};
    make_ids();
    on = wh_sampler_always_on();
    ratio = wh_sampler_ratio(0.1);
    based = wh_sampler_parent_based(wh_sampler_ratio(0.1));
    recorded = wh_sampler_always_record(wh_sampler_ratio(0.1));
    probability = wh_sampler_probability(0.1);
    composite = wh_sampler_composite(wh_composable_parent_threshold(wh_composable_probability(0.1)));
    const struct wh_rule rules[] = {{is_client, NULL, wh_composable_always_off()},
        {NULL, NULL, wh_composable_annotating((struct wh_attrs){rule, 1}, wh_composable_probability(0.1))}};
    ruled = wh_sampler_composite(wh_composable_rule_based(rules, 2));
#ifdef BENCH_OTLP
    jaeger = wh_jaeger_sampler_new(.endpoint = "http://127.0.0.1:9", .service = "bench", .initial = wh_sampler_ratio(0.1));
    jaeger->shutdown(jaeger); /* it is not to ask: what it decides with is the same */
#endif
    asking = wh_provider_new(.service = "bench", .sampler = wh_sampler_always_off());
    if (!asking) bench_die("no memory for a provider");
    asked = wh_provider_root(asking);
}

static void end(void)
{
    wh_end(asked);
    wh_provider_shutdown(asking, WH_SEC(5));
    struct wh_sampler *const all[] = {ratio, based, recorded, probability, composite, ruled};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) wh_sampler_free(all[i]);
#ifdef BENCH_OTLP
    wh_sampler_free(jaeger);
#endif
}

#define LEAST "decision: always on"
static const struct subject subjects[] = {
    {.rows = {{.name = LEAST}}, .op = always_on, .counted = true},
    {.rows = {{.name = "decision: ratio", .floor = LEAST}}, .op = by_ratio, .counted = true},
    {.rows = {{.name = "decision: parent based, child", .floor = LEAST}}, .op = by_parent, .counted = true},
    {.rows = {{.name = "decision: always record, ratio", .floor = LEAST}}, .op = always_recorded, .counted = true},
    {.rows = {{.name = "decision: probability, root", .floor = LEAST}}, .op = by_probability, .counted = true},
    {.rows = {{.name = "decision: probability, child with ot", .floor = LEAST, .note = "reads and writes the tracestate"}},
     .op = by_probability_below, .counted = true},
    {.rows = {{.name = "decision: composite, root", .floor = LEAST}}, .op = by_composite, .counted = true},
    {.rows = {{.name = "decision: composite, parent's threshold", .floor = LEAST, .note = "reads the tracestate"}},
     .op = by_threshold_of_parent, .counted = true},
    {.rows = {{.name = "decision: composite, the second of two rules", .floor = LEAST}}, .op = by_rules, .counted = true},
#ifdef BENCH_OTLP
    {.rows = {{.name = "decision: jaeger remote, by its initial ratio", .floor = LEAST}}, .op = by_jaeger, .counted = true},
#endif
    {.rows = {{.name = "span whose start asks a sampler", .floor = LEAST, .note = "a new trace id, and always off"}},
     .op = asked_children, .counted = true},
    {.op = NULL},
};

const struct room sampling_room = {.name = "sampling", .begin = begin, .subjects = subjects, .end = end};
