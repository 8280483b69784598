/* What the tests of clocks share: alarms that note when they fire. */
#ifndef CLOCK_TOOLS_H
#define CLOCK_TOOLS_H

#include <errno.h>
#include <whence/test.h>

#include "context/clock.h"
#include "context/tree.h"
#include "tools.h"

enum { MOST = 1000 };

/* What has fired, and at which time; `fired` belongs to whoever moves the clock. */
static struct {
    wh_clock *clock;
    int64_t at[MOST];
    int who[MOST];
    int count;
} fired;

struct alarm {
    wh_ctx *ctx;
    int number;
};

static inline void note(void *arg)
{
    const struct alarm *alarm = arg;
    assert_int_equal(wh_err(alarm->ctx), ETIMEDOUT);
    fired.at[fired.count] = wh_clock_now(fired.clock);
    fired.who[fired.count++] = alarm->number;
}

static inline void set(struct alarm *alarm, int number, wh_ctx *ctx)
{
    *alarm = (struct alarm){.ctx = ctx, .number = number};
    assert_int_equal(wh_after_inline(ctx, note, alarm, NULL), 0);
}

static inline wh_clock *begin(int64_t start)
{
    fired.clock = wh_clock_new(start);
    fired.count = 0;
    assert_non_null(fired.clock);
    return fired.clock;
}

#endif
