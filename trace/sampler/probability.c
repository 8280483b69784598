/* ProbabilitySampler. */
#include "base/mem.h"
#include "base/text.h"
#include "trace/probability.h"
#include "trace/sampler.h"

struct probability {
    struct wh_sampler sampler;
    double ratio;
    uint64_t threshold;
    bool told;
};

static void should_sample(struct wh_sampler *self, const struct wh_sampling *in, struct wh_sampled *out)
{
    struct probability *own = (struct probability *)self;
    struct wh__ot ot;
    bool is_fresh;
    wh__ot_read(out->tracestate, &ot);
    const uint64_t randomness = wh__trace_randomness(in, &ot, &own->told, &is_fresh);
    const bool sampled = own->threshold != WH_NO_THRESHOLD && randomness >= own->threshold;
    out->decision = sampled ? WH_RECORD_AND_SAMPLE : WH_DROP;
    out->tracestate = wh__ot_write(out->tracestate, &ot, sampled ? own->threshold : WH_NO_THRESHOLD,
                                   is_fresh ? &randomness : NULL, &out->scratch, &out->scratch_size);
}

static void describe(struct wh_sampler *self, char *buf, size_t size)
{
    struct wh__text text = {.buf = buf, .size = size};
    wh__put(&text, "ProbabilitySampler{");
    wh__put_ratio(&text, ((struct probability *)self)->ratio);
    wh__put(&text, "}");
}

static void destroy(struct wh_sampler *self)
{
    wh__mem_free(self);
}

struct wh_sampler *wh_sampler_probability(double ratio)
{
    struct probability *made = wh__mem_zero(sizeof *made);
    if (!made) {
        wh__sampler_no_memory();
        return &wh__always_off;
    }
    *made = (struct probability){
        .sampler = {.size = sizeof made->sampler, .should_sample = should_sample, .description = describe, .destroy = destroy},
        .ratio = !(ratio > 0) ? 0 : ratio > 1 ? 1 : ratio, .threshold = wh__threshold_of(ratio)};
    return &made->sampler;
}
