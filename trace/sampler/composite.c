/* CompositeSampler: turns an intent into a decision. */
#include "base/mem.h"
#include "base/random.h"
#include "base/text.h"
#include "trace/probability.h"
#include "trace/sampler.h"

struct composite {
    struct wh_sampler sampler;
    struct wh_composable *composable;
    bool told;
};

static struct wh_intent ask(struct wh_composable *composable, const struct wh_sampling *in, const struct wh_sampled *out)
{
    struct wh_sampling without_id = *in;
    struct wh_intent intent = {.size = sizeof intent, .threshold = WH_NO_THRESHOLD, .tracestate = out->tracestate,
        .scratch = out->scratch, .scratch_size = out->scratch_size};
    memset(without_id.trace_id, 0, sizeof without_id.trace_id);
    composable->get_intent(composable, &without_id, &intent);
    if (intent.threshold > WH__ALL_RANDOM) intent.threshold = WH_NO_THRESHOLD;
    return intent;
}

/* A threshold that nobody can count by says nothing about this trace: it is tried on new randomness, and not handed on. */
static void should_sample(struct wh_sampler *self, const struct wh_sampling *in, struct wh_sampled *out)
{
    struct composite *own = (struct composite *)self;
    struct wh__ot ot;
    bool is_fresh = false, sampled = false;
    uint64_t randomness = 0;
    struct wh_intent intent = ask(own->composable, in, out);
    wh__ot_read(intent.tracestate, &ot);
    if (intent.threshold != WH_NO_THRESHOLD) {
        randomness = intent.reliable ? wh__trace_randomness(in, &ot, &own->told, &is_fresh) : wh__random() & WH__ALL_RANDOM;
        sampled = randomness >= intent.threshold;
    }
    out->decision = sampled ? WH_RECORD_AND_SAMPLE : WH_DROP;
    if (sampled) out->attrs = intent.attrs;
    out->scratch = intent.scratch;
    out->scratch_size = intent.scratch_size;
    out->tracestate = wh__ot_write(intent.tracestate, &ot, sampled && intent.reliable ? intent.threshold : WH_NO_THRESHOLD,
                                   is_fresh ? &randomness : NULL, &out->scratch, &out->scratch_size);
}

static void describe(struct wh_sampler *self, char *buf, size_t size)
{
    struct wh__text text = {.buf = buf, .size = size};
    wh__put(&text, "CompositeSampler{");
    wh__put_composable(&text, ((struct composite *)self)->composable);
    wh__put(&text, "}");
}

static void shut_down(struct wh_sampler *self)
{
    wh__composable_shut_down(((struct composite *)self)->composable);
}

static void destroy(struct wh_sampler *self)
{
    wh_composable_free(((struct composite *)self)->composable);
    wh__mem_free(self);
}

struct wh_sampler *wh_sampler_composite(struct wh_composable *composable)
{
    struct composite *made = wh__mem_zero(sizeof *made);
    if (!made) {
        wh_composable_free(composable);
        wh__sampler_no_memory();
        return &wh__always_off;
    }
    made->sampler = (struct wh_sampler){.size = sizeof made->sampler, .should_sample = should_sample, .description = describe,
        .shutdown = shut_down, .destroy = destroy};
    made->composable = composable ? composable : wh_composable_always_off();
    return &made->sampler;
}
