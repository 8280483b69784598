/* Always on, always off. */
#include <stdio.h>

#include "trace/sampler.h"

static void sample(struct wh_sampler *self, const struct wh_sampling *in, struct wh_sampled *out)
{
    (void)self;
    (void)in;
    out->decision = WH_RECORD_AND_SAMPLE;
}

static void drop(struct wh_sampler *self, const struct wh_sampling *in, struct wh_sampled *out)
{
    (void)self;
    (void)in;
    out->decision = WH_DROP;
}

static void describe_on(struct wh_sampler *self, char *buf, size_t size)
{
    (void)self;
    snprintf(buf, size, "AlwaysOnSampler");
}

static void describe_off(struct wh_sampler *self, char *buf, size_t size)
{
    (void)self;
    snprintf(buf, size, "AlwaysOffSampler");
}

struct wh_sampler wh__always_on = {.size = sizeof wh__always_on, .should_sample = sample, .description = describe_on};
struct wh_sampler wh__always_off = {.size = sizeof wh__always_off, .should_sample = drop, .description = describe_off};

struct wh_sampler *wh_sampler_always_on(void)
{
    return &wh__always_on;
}

struct wh_sampler *wh_sampler_always_off(void)
{
    return &wh__always_off;
}
