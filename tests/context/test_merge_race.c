/* Random graphs of merged contexts, cancelled and ended from several threads at once: whoever has cancelled one finds all
 * below it done (R13, T014), in whatever order the sweeps meet. */
#include <errno.h>

#include "context/merge.h"
#include "tools.h"

WH_REASON(reasons, "one of many");
WH_KEY(number, int)

enum { NODES = 48, THREADS = 4, LATE = 64 };

static struct graph {
    wh_ctx *all[NODES];
    uint64_t below[NODES];  /* those that are done when this one is, itself included */
    int callbacks[NODES];   /* how often that of this one has run */
    bool ended[NODES];
    struct wh_reason own[NODES];
    struct gate gate;
} graph;
static struct late {
    wh_ctx *ctx;
    int sources[2];
} late[LATE];

static void count(void *arg)
{
    __atomic_fetch_add((int *)arg, 1, __ATOMIC_ACQ_REL);
}

/* Sources are mostly near, so that the graph is deep. */
static int source_of(int i, uint32_t *seed)
{
    const int back = 1 + (int)(next_random(seed) % (next_random(seed) % 4 ? 6 : NODES));
    return i - back < 0 ? 0 : i - back;
}

static void make_graph(uint32_t *seed)
{
    memset(graph.below, 0, sizeof graph.below);
    memset(graph.callbacks, 0, sizeof graph.callbacks);
    memset(graph.ended, 0, sizeof graph.ended);
    for (int i = 0; i < NODES; i++) {
        const wh_ctx *sources[3];
        const size_t several = i ? next_random(seed) % 4 : 0;
        for (size_t j = 0; j < several; j++) {
            const int source = source_of(i, seed);
            sources[j] = graph.all[source];
            for (int k = 0; k < i; k++)
                if (graph.below[k] >> source & 1) graph.below[k] |= UINT64_C(1) << i;
        }
        graph.below[i] |= UINT64_C(1) << i;
        graph.all[i] = several == 1 ? wh_with_cancel(sources[0]) : wh_merge_at(sources, several, WH_HERE);
        graph.own[i] = reasons[0];
        wh_hold(graph.all[i]);
        if (next_random(seed) % 2) assert_int_equal(wh_after_inline(graph.all[i], count, &graph.callbacks[i], NULL), 0);
        else graph.callbacks[i] = 1;
    }
}

static void check_below(int i)
{
    for (int k = 0; k < NODES; k++)
        if (graph.below[i] >> k & 1) HOLDS(wh_err(graph.all[k]) == ECANCELED);
}

static void end_one(int i)
{
    if (__atomic_exchange_n(&graph.ended[i], true, __ATOMIC_ACQ_REL)) return;
    wh_end(graph.all[i]);
    check_below(i);
}

struct thread {
    int number;
    uint32_t seed;
};

static void *cancel_some(void *arg)
{
    struct thread *thread = arg;
    meet(&graph.gate, THREADS);
    for (int n = 0; n < 3; n++) {
        const int i = (int)(next_random(&thread->seed) % NODES);
        dawdle(&thread->seed);
        if (next_random(&thread->seed) % 4 == 0) {
            end_one(i);
        } else if (!__atomic_load_n(&graph.ended[i], __ATOMIC_ACQUIRE)) {
            const bool won = wh_cancel(graph.all[i], &graph.own[i], NULL); /* held: also if it is being ended */
            if (won) HOLDS(wh_cause(graph.all[i]) == &graph.own[i]);
            check_below(i);
        }
    }
    return NULL;
}

/* Merges what the others are cancelling: no cancel may be lost (T019). */
static void *merge_some(void *arg)
{
    struct thread *thread = arg;
    meet(&graph.gate, THREADS);
    for (int n = 0; n < LATE; n++) {
        const wh_ctx *sources[2];
        int err = 0;
        for (int j = 0; j < 2; j++) {
            late[n].sources[j] = (int)(next_random(&thread->seed) % NODES);
            sources[j] = graph.all[late[n].sources[j]];
            err |= wh_err(sources[j]);
        }
        late[n].ctx = wh_merge(sources[0], sources[1]);
        if (err) HOLDS(wh_err(late[n].ctx));
    }
    return NULL;
}

/* Whoever is done is so because of itself or of somebody above it, and was told once. */
static void check_all(void)
{
    for (int i = 0; i < NODES; i++) {
        const struct wh_reason *reason = wh_cause(graph.all[i]);
        if (!reason) continue;
        HOLDS(graph.callbacks[i] == 1);
        const long by = reason - graph.own;
        if (by < 0 || by >= NODES)
            HOLDS(reason == WH_ENDED);
        else
            HOLDS(graph.below[by] >> i & 1);
        if (by >= 0 && by < NODES) HOLDS(cause_of(graph.all[i]).depth <= NODES);
    }
    for (int n = 0; n < LATE; n++) {
        const int *from = late[n].sources;
        if (wh_err(graph.all[from[0]]) || wh_err(graph.all[from[1]])) HOLDS(wh_err(late[n].ctx));
        wh_end(late[n].ctx);
    }
}

static void T014_T019_T095_all_below_is_done_when_a_cancel_returns(void **state)
{
    (void)state;
    uint32_t seed = 4711;
    for (int round = chances(1500); round && !is_broken; round--) {
        struct thread each[THREADS];
        pthread_t threads[THREADS];
        make_graph(&seed);
        for (int i = 0; i < THREADS; i++) {
            each[i] = (struct thread){.number = i, .seed = next_random(&seed)};
            threads[i] = start(i ? cancel_some : merge_some, &each[i]);
        }
        for (int i = 0; i < THREADS; i++) join(threads[i]);
        check_all();
        for (int i = 0; i < NODES; i++) end_one(i);
        for (int i = 0; i < NODES; i++) HOLDS(graph.all[i]->refs >= 1 && !graph.all[i]->children);
        for (int i = 0; i < NODES; i++) wh_release(graph.all[i]);
    }
    assert_false(is_broken);
}

/* Two cancels meet in every node of a ladder: each closes some, and has to wait for the other's below those. */
enum { RUNGS = 24 };
static wh_ctx *left[RUNGS], *right[RUNGS], *leaves[RUNGS][2];

static void *cancel_a_side(void *arg)
{
    uint32_t seed = *(uint32_t *)arg;
    const int side = (int)(seed & 1);
    meet(&graph.gate, 2);
    dawdle(&seed);
    wh_cancel(side ? left[0] : right[0], reasons, NULL);
    for (int i = 1; i < RUNGS; i++) {
        HOLDS(wh_err(left[i]) && wh_err(right[i]));
        for (int j = 0; j < 2; j++) HOLDS(wh_err(leaves[i][j]));
    }
    return NULL;
}

static void T020_T095_two_cancels_that_cross_again_and_again(void **state)
{
    (void)state;
    uint32_t seed = 99;
    for (int round = chances(1500); round && !is_broken; round--) {
        uint32_t seeds[2] = {next_random(&seed) | 1, next_random(&seed) & ~1u};
        pthread_t threads[2];
        left[0] = wh_with_cancel(NULL);
        right[0] = wh_with_cancel(NULL);
        for (int i = 1; i < RUNGS; i++) {
            left[i] = wh_merge(left[i - 1], right[i - 1]);
            right[i] = wh_merge(right[i - 1], left[i - 1]);
            leaves[i][0] = wh_with_cancel(left[i]);
            leaves[i][1] = wh_with_number(right[i], i);
        }
        for (int i = 0; i < 2; i++) threads[i] = start(cancel_a_side, &seeds[i]);
        for (int i = 0; i < 2; i++) join(threads[i]);
        for (int i = 0; i < RUNGS; i++) {
            wh_end(left[i]);
            wh_end(right[i]);
            if (i) wh_end(leaves[i][0]);
            if (i) wh_end(leaves[i][1]);
        }
    }
    assert_false(is_broken);
}

/* While one source is cancelled, its owner ends the merged context, below which somebody still works. */
static struct {
    wh_ctx *source, *both;
    const wh_ctx *below;
} ending;

static void *end_it(void *arg)
{
    uint32_t seed = *(uint32_t *)arg;
    meet(&graph.gate, 2);
    dawdle(&seed);
    wh_end(ending.both);
    HOLDS(!ending.below || wh_err(ending.below));
    return NULL;
}

static void T023_T095_ended_while_a_source_is_cancelled(void **state)
{
    (void)state;
    uint32_t seed = 5;
    for (int round = chances(4000); round && !is_broken; round--) {
        WH_AUTO wh_ctx *other = wh_with_cancel(NULL);
        const bool alone = next_random(&seed) % 2;
        uint32_t its_seed = next_random(&seed);
        ending.source = wh_with_cancel(NULL);
        ending.both = wh_merge(other, ending.source);
        WH_AUTO wh_ctx *below = alone ? NULL : wh_with_cancel(ending.both);
        ending.below = below;
        pthread_t thread = start(end_it, &its_seed);
        meet(&graph.gate, 2);
        dawdle(&seed);
        wh_cancel(ending.source, reasons, NULL);
        HOLDS(!below || wh_err(below));
        join(thread);
        wh_end(ending.source);
        HOLDS(!alone || (other->children == NULL && other->refs == 1));
    }
    assert_false(is_broken);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(T014_T019_T095_all_below_is_done_when_a_cancel_returns),
        cmocka_unit_test(T020_T095_two_cancels_that_cross_again_and_again),
        cmocka_unit_test(T023_T095_ended_while_a_source_is_cancelled),
    };
    return cmocka_run_group_tests_name("merge race", tests, NULL, NULL);
}
