/* Composable samplers that ask no other. */
#include <stdio.h>

#include "base/mem.h"
#include "base/text.h"
#include "trace/probability.h"
#include "trace/sampler.h"

static void intend_all(struct wh_composable *self, const struct wh_sampling *in, struct wh_intent *out)
{
    (void)self;
    (void)in;
    out->threshold = 0;
    out->reliable = true;
}

static void intend_nothing(struct wh_composable *self, const struct wh_sampling *in, struct wh_intent *out)
{
    (void)self;
    (void)in;
    out->threshold = WH_NO_THRESHOLD;
    out->reliable = false;
}

static void describe_on(struct wh_composable *self, char *buf, size_t size)
{
    (void)self;
    snprintf(buf, size, "ComposableAlwaysOn");
}

static void describe_off(struct wh_composable *self, char *buf, size_t size)
{
    (void)self;
    snprintf(buf, size, "ComposableAlwaysOff");
}

struct wh_composable *wh_composable_always_on(void)
{
    static struct wh_composable on = {.size = sizeof on, .get_intent = intend_all, .description = describe_on};
    return &on;
}

struct wh_composable *wh_composable_always_off(void)
{
    static struct wh_composable off = {.size = sizeof off, .get_intent = intend_nothing, .description = describe_off};
    return &off;
}

/* ---- probability ---- */

struct probability {
    struct wh_composable composable;
    double ratio;
    uint64_t threshold;
};

static void intend_share(struct wh_composable *self, const struct wh_sampling *in, struct wh_intent *out)
{
    (void)in;
    out->threshold = ((struct probability *)self)->threshold;
    out->reliable = out->threshold != WH_NO_THRESHOLD;
}

static void describe_share(struct wh_composable *self, char *buf, size_t size)
{
    struct wh__text text = {.buf = buf, .size = size};
    wh__put(&text, "ComposableProbability{");
    wh__put_ratio(&text, ((struct probability *)self)->ratio);
    wh__put(&text, "}");
}

static void destroy_share(struct wh_composable *self)
{
    wh__mem_free(self);
}

struct wh_composable *wh_composable_probability(double ratio)
{
    struct probability *made = wh__mem_zero(sizeof *made);
    if (!made) {
        wh__sampler_no_memory();
        return wh_composable_always_off();
    }
    *made = (struct probability){
        .composable = {.size = sizeof made->composable, .get_intent = intend_share, .description = describe_share, .destroy = destroy_share},
        .ratio = !(ratio > 0) ? 0 : ratio > 1 ? 1 : ratio, .threshold = wh__threshold_of(ratio)};
    return &made->composable;
}
