/* TraceIdRatioBased. What it decides, and how it describes itself, may not change before 2027 (trace/sdk.md). */
#include "base/mem.h"
#include "base/text.h"
#include "trace/sampler.h"

struct ratio {
    struct wh_sampler sampler;
    double ratio;
    uint64_t threshold; /* sampled from this randomness on */
    bool told;
};

static void should_sample(struct wh_sampler *self, const struct wh_sampling *in, struct wh_sampled *out)
{
    struct ratio *ratio = (struct ratio *)self;
    if (in->parent_span && wh__first_time(&ratio->told))
        wh_report(WH_WARNING, "TraceIdRatioBased decides for the child of a span, and may tear its trace: "
                              "put it in a ParentBased, or use a ProbabilitySampler");
    out->decision = wh__randomness(in->trace_id) >= ratio->threshold ? WH_RECORD_AND_SAMPLE : WH_DROP;
}

static void describe(struct wh_sampler *self, char *buf, size_t size)
{
    struct wh__text text = {.buf = buf, .size = size};
    wh__put(&text, "TraceIdRatioBased{");
    wh__put_ratio(&text, ((struct ratio *)self)->ratio);
    wh__put(&text, "}");
}

static void destroy(struct wh_sampler *self)
{
    wh__mem_free(self);
}

/* 2^56 is never reached by 56 bits. */
static uint64_t threshold_of(double ratio)
{
    const double most = (double)(UINT64_C(1) << WH__RANDOM_BITS);
    if (!(ratio > 0)) return UINT64_C(1) << WH__RANDOM_BITS;
    return ratio >= 1 ? 0 : (uint64_t)((1 - ratio) * most);
}

struct wh_sampler *wh_sampler_ratio(double ratio)
{
    struct ratio *made = wh__mem_zero(sizeof *made);
    if (!made) {
        wh__sampler_no_memory();
        return &wh__always_off;
    }
    *made = (struct ratio){
        .sampler = {.size = sizeof made->sampler, .should_sample = should_sample, .description = describe, .destroy = destroy},
        .ratio = !(ratio > 0) ? 0 : ratio > 1 ? 1 : ratio, .threshold = threshold_of(ratio)};
    return &made->sampler;
}

bool wh__sampler_threshold(const struct wh_sampler *sampler, uint64_t *threshold)
{
    if (sampler == &wh__always_on)
        *threshold = threshold_of(1);
    else if (sampler == &wh__always_off)
        *threshold = threshold_of(0);
    else if (sampler->should_sample == should_sample)
        *threshold = ((const struct ratio *)sampler)->threshold;
    else
        return false;
    return true;
}
