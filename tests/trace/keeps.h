/* What the tests of record-then-decide share: a provider whose sampler takes nothing, and which keeps. */
#ifndef KEEPS_H
#define KEEPS_H

#include <stdio.h>
#include <string.h>

#include "test.h"

/* So that no test depends on how fast the machine is: a budget that is never used up, and one of a kind in an hour. */
static inline struct wh_keep keep_all(void)
{
    return (struct wh_keep){.enabled = true, .per_second = 1000000000, .every = 1};
}

static inline struct spans keeping_begin_with(struct wh_keep keep, struct wh_provider_opts opts)
{
    if (!opts.sampler) opts.sampler = wh_sampler_parent_based(wh_sampler_always_off());
    opts.keep = keep;
    return spans_begin_with(opts);
}

static inline struct spans keeping_begin(struct wh_keep keep)
{
    return keeping_begin_with(keep, (struct wh_provider_opts){0});
}

static inline struct wh_provider_stats keep_stats(const struct spans *spans)
{
    struct wh_provider_stats stats = {.size = sizeof stats};
    wh_provider_stats(spans->provider, &stats);
    return stats;
}

static inline size_t exported(struct spans *spans)
{
    assert_int_equal(wh_provider_flush(spans->provider, WH_SEC(60)), 0);
    return wh_memory_count(spans->memory);
}

/* To be called when every span has ended. */
static inline void keeping_end(struct spans *spans)
{
    wh_end(spans->root);
    assert_int_equal(wh_provider_flush(spans->provider, WH_SEC(60)), 0);
    const struct wh_provider_stats s = keep_stats(spans);
    const uint64_t lost = s.dropped_queue + s.dropped_memory + s.dropped_export + s.dropped_shutdown;
    assert_int_equal(s.started, s.exported + s.recorded_only + s.keep_forgotten + lost);
    assert_int_equal(wh_provider_shutdown(spans->provider, WH_SEC(60)), 0);
}

#endif
