/* Random trees, and threads that cancel, derive, look and wait in them in any order: against what must hold whatever the
 * order was. Every cancel has a reason of its own, so that each cause leads back to the one call that won. */
#include <errno.h>

#include "tools.h"

WH_KEY(number, int)
WH_REASON(canceled, "canceled by one of the crowd");
WH_REASON(timed_out, "timed out by one of the crowd", .err = ETIMEDOUT);

enum { NODES = 32, THREADS = 4, CANCELS = 6, LOOKS = 12 };

struct act {
    struct wh_reason reason;
    int node;
    int payload;              /* written before the cancel, and by nobody afterwards (T030) */
    bool won;
};

static struct {
    struct gate gate;
    int rounds;
    wh_ctx *ctx[NODES];
    int above[NODES];         /* the node that it was derived from; -1: none */
    bool is_value[NODES], is_detached[NODES];
    int fds[NODES];           /* -1: asked for by nobody before the crowd comes */
    uint32_t ran[NODES];      /* by an inline callback of each; atomic */
    struct act acts[THREADS][CANCELS];
} crowd;

/* ---- the tree ---- */

static int live_of(int i)
{
    while (i >= 0 && crowd.is_value[i]) i = crowd.above[i];
    return i;
}

static int live_above(int i)
{
    return crowd.is_detached[i] ? -1 : live_of(crowd.above[i]);
}

static bool is_at_or_below(int i, int node)
{
    for (i = live_of(i); i >= 0 && i != node; i = live_above(i)) continue;
    return i >= 0 && i == node;
}

static void count(void *ran)
{
    __atomic_fetch_add((uint32_t *)ran, 1, __ATOMIC_RELAXED);
}

static void plant(uint32_t *seed)
{
    for (int i = 0; i < NODES; i++) {
        const uint32_t kind = next_random(seed) % 8;
        const int above = crowd.above[i] = i && next_random(seed) % 8 ? (int)(next_random(seed) % (uint32_t)i) : -1;
        const wh_ctx *parent = above < 0 ? NULL : crowd.ctx[above];
        crowd.is_value[i] = kind == 0;
        crowd.is_detached[i] = kind == 1;
        crowd.ctx[i] = kind == 0 ? wh_with_number(parent, i) : kind == 1 ? wh_detach(parent)
                     : kind < 4 ? wh_with_timeout(parent, WH_SEC(1000 + i)) : wh_with_cancel(parent);
        crowd.fds[i] = next_random(seed) % 3 ? -1 : wh_done_fd(crowd.ctx[i]);
        crowd.ran[i] = 0;
        wh_after_inline(crowd.ctx[i], count, &crowd.ran[i], NULL);
    }
    for (int t = 0; t < THREADS; t++)
        for (int i = 0; i < CANCELS; i++)
            crowd.acts[t][i] = (struct act){.reason = next_random(seed) % 3 ? canceled[0] : timed_out[0],
                .node = (int)(next_random(seed) % NODES)};
}

/* ---- one of the crowd ---- */

static const struct act *act_of(const struct wh_reason *reason)
{
    return (const struct act *)(const void *)reason;
}

/* R2, R5, T030, T031: what is done is so in every respect, and what its canceller wrote is there. */
static void is_done_for_good(const wh_ctx *ctx, int node)
{
    const struct wh_reason *cause = wh_cause(ctx);
    const int err = wh_err(ctx);
    HOLDS(err && cause);
    if (!cause) return;
    HOLDS(err == (cause->err ? cause->err : ECANCELED));
    HOLDS(wh_wait(ctx, WH_NEVER) == err);
    HOLDS(readable(wh_done_fd(ctx)));
    HOLDS(act_of(cause)->payload == 4711);
    if (node >= 0) HOLDS(is_at_or_below(node, live_of(act_of(cause)->node)));
    HOLDS(wh_err(ctx) == err && wh_cause(ctx) == cause);
}

static void look_at(int i)
{
    const wh_ctx *ctx = crowd.ctx[i];
    const bool was_readable = crowd.fds[i] >= 0 && readable(crowd.fds[i]);
    if (was_readable || wh_err(ctx) || (i % 4 == 0 && wh_wait(ctx, WH_US(1)))) is_done_for_good(ctx, i);
}

/* R3, R13, T014: whoever's cancel returns, of his own tree all are done, also those that another thread is at. */
static void cancel(struct act *act)
{
    act->payload = 4711;
    act->won = wh_cancel(crowd.ctx[act->node], &act->reason, NULL);
    if (crowd.is_value[act->node]) return;
    HOLDS(!act->won || wh_cause(crowd.ctx[act->node]) == &act->reason);
    for (int i = 0; i < NODES; i++)
        if (is_at_or_below(i, act->node)) HOLDS(wh_err(crowd.ctx[i]) && wh_cause(crowd.ctx[i]));
}

/* R10, T019: if the parent is done, so is the child from the beginning; if it gets done meanwhile, the news may still be on its
 * way (T029), but it comes. */
static void derive_below(int i)
{
    const bool was_done = wh_err(crowd.ctx[i]) != 0;
    WH_AUTO wh_ctx *child = wh_with_cancel(crowd.ctx[i]);
    WH_AUTO wh_ctx *below = wh_with_number(child, i);
    if (was_done) HOLDS(wh_err(below));
    if (wh_err(crowd.ctx[i])) {
        HOLDS(wh_wait(below, WH_NEVER) == wh_err(crowd.ctx[i]) && wh_cause(child) == wh_cause(crowd.ctx[i]));
        is_done_for_good(child, i);
    }
}

static void *take_part(void *arg)
{
    const int number = *(int *)arg;
    uint32_t seed = 4242 + (uint32_t)number * 17;
    for (int round = 0; round < crowd.rounds; round++) {
        meet(&crowd.gate, THREADS + 1);
        for (int i = 0; i < CANCELS + LOOKS; i++) {
            const int node = (int)(next_random(&seed) % NODES);
            if (i % 3 == 0) cancel(&crowd.acts[number][i / 3]);
            else if (next_random(&seed) % 2) look_at(node);
            else derive_below(node);
        }
        meet(&crowd.gate, THREADS + 1);
    }
    return NULL;
}

/* ---- afterwards ---- */

/* T012: of those who cancelled it or something below that it had reached first, one has won and all others are counted. */
static void check_origin(int i)
{
    const struct wh_cause cause = cause_of(crowd.ctx[i]);
    uint32_t winners = 0, losers = 0;
    for (int t = 0; t < THREADS; t++)
        for (int a = 0; a < CANCELS; a++) {
            const struct act *act = &crowd.acts[t][a];
            if (crowd.is_value[act->node]) continue;
            winners += act->won && act->node == i;
            losers += !act->won && wh_cause(crowd.ctx[act->node]) == cause.reason;
        }
    HOLDS(winners == 1 && losers == cause.losers);
}

static void check(void)
{
    for (int i = 0; i < NODES; i++) {
        const int err = wh_err(crowd.ctx[i]), above = live_of(i) == i ? live_above(i) : live_of(i);
        if (above >= 0 && wh_err(crowd.ctx[above])) HOLDS(err);
        HOLDS(crowd.ran[i] == (err != 0));
        if (crowd.fds[i] >= 0) HOLDS(readable(crowd.fds[i]) == (err != 0));
        if (!err) continue;
        is_done_for_good(crowd.ctx[i], i);
        if (act_of(wh_cause(crowd.ctx[i]))->node == i) check_origin(i);
    }
}

static void T012_T014_T019_T030_T031_whatever_the_order(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    int numbers[THREADS];
    uint32_t seed = 77;
    crowd.rounds = quick_or_all(1000, 100000);
    for (int i = 0; i < THREADS; i++) {
        numbers[i] = i;
        threads[i] = start(take_part, &numbers[i]);
    }
    for (int round = 0; round < crowd.rounds; round++) {
        plant(&seed);
        meet(&crowd.gate, THREADS + 1);
        meet(&crowd.gate, THREADS + 1);
        check();
        for (int i = 0; i < NODES; i++) wh_end(crowd.ctx[(i * 7 + round) % NODES]);
    }
    for (int i = 0; i < THREADS; i++) join(threads[i]);
    assert_false(is_broken);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(T012_T014_T019_T030_T031_whatever_the_order),
    };
    return cmocka_run_group_tests_name("crowd", tests, NULL, NULL);
}
