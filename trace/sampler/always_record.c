/* AlwaysRecord: what would be dropped is recorded for processors. */
#include "base/mem.h"
#include "base/text.h"
#include "trace/sampler.h"

struct always_record {
    struct wh_sampler sampler;
    struct wh_sampler *inner;
};

static void should_sample(struct wh_sampler *self, const struct wh_sampling *in, struct wh_sampled *out)
{
    struct wh_sampler *inner = ((struct always_record *)self)->inner;
    inner->should_sample(inner, in, out);
    if (out->decision == WH_DROP) out->decision = WH_RECORD_ONLY;
}

static void describe(struct wh_sampler *self, char *buf, size_t size)
{
    struct wh__text text = {.buf = buf, .size = size};
    wh__put(&text, "AlwaysRecordSampler{");
    wh__put_sampler(&text, ((struct always_record *)self)->inner);
    wh__put(&text, "}");
}

static void shut_down(struct wh_sampler *self)
{
    wh__sampler_shut_down(((struct always_record *)self)->inner);
}

static void destroy(struct wh_sampler *self)
{
    wh_sampler_free(((struct always_record *)self)->inner);
    wh__mem_free(self);
}

struct wh_sampler *wh_sampler_always_record(struct wh_sampler *inner)
{
    struct always_record *made = wh__mem_zero(sizeof *made);
    if (!made) {
        wh_sampler_free(inner);
        wh__sampler_no_memory();
        return &wh__always_off;
    }
    made->sampler = (struct wh_sampler){.size = sizeof made->sampler, .should_sample = should_sample, .description = describe,
        .shutdown = shut_down, .destroy = destroy};
    made->inner = inner ? inner : &wh__always_off;
    return &made->sampler;
}
