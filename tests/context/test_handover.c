/* Contexts that pass from thread to thread: made here, ended there, and cancelled while somebody else lets go of the last. */
#include <errno.h>

#include "base/slab.h"
#include "context/tree.h"
#include "shards_tools.h"

WH_REASON(reason_x, "x");

/* ---- made on one thread, ended on another ---- */

enum { RING = 256 };

static struct {
    wh_ctx *slots[RING]; /* atomic; NULL: free */
    int count;
} ring;

static void *end_them(void *unused)
{
    for (int i = 0; i < ring.count; i++) {
        wh_ctx *ctx;
        while (!(ctx = __atomic_exchange_n(&ring.slots[i % RING], NULL, __ATOMIC_ACQ_REL))) sched_yield();
        if (i % 3) wh_cancel(ctx, reason_x, NULL);
        wh_end(ctx);
    }
    return unused;
}

static void T008_millions_made_here_and_ended_there(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *parent = wh_with_cancel(NULL);
    ring.count = quick_or_all(500000, 10000000);
    const size_t pages = wh__slab_pages();
    const pthread_t thread = start(end_them, NULL);
    for (int i = 0; i < ring.count; i++) {
        wh_ctx *ctx = i % 2 ? wh_with_cancel(parent) : wh_with_timeout(parent, WH_SEC(1 + i % 900));
        while (__atomic_load_n(&ring.slots[i % RING], __ATOMIC_ACQUIRE)) sched_yield();
        __atomic_store_n(&ring.slots[i % RING], ctx, __ATOMIC_RELEASE);
    }
    join(thread);
    assert_true(is_childless(parent));
    EVENTUALLY(refs_of(parent, true) == 1);
    assert_true(wh__slab_pages() <= pages + 4);
}

/* ---- what has been given back is sorted in ---- */

enum { BATCH = 1000 };

struct batch {
    struct gate gate;
    wh_ctx *contexts[BATCH];
};

static void *end_all(void *arg)
{
    struct batch *batch = arg;
    meet(&batch->gate, 2);
    for (int j = 0; j < BATCH; j++) wh_end(batch->contexts[j]);
    meet(&batch->gate, 2);
    return NULL;
}

/* Whoever asks for one block when a great many have come back gets it without waiting until all of them are sorted in; and
 * in the end all are to be had again. */
static void a_great_many_come_back_little_by_little(void **state)
{
    (void)state;
    enum { MANY = 50 };
    static struct batch all[MANY];
    for (int i = 0; i < MANY; i++)
        for (int j = 0; j < BATCH; j++) all[i].contexts[j] = wh_with_cancel(NULL);
    for (int i = 0; i < MANY; i++) {
        const pthread_t thread = start(end_all, &all[i]);
        meet(&all[i].gate, 2);
        meet(&all[i].gate, 2);
        join(thread);
    }
    const struct wh__heap *heap = &wh__self()->heap;
    const size_t pages = wh__slab_pages();
    int between = 0;
    for (int i = 0; i < MANY; i++)
        for (int j = 0; j < BATCH; j++) {
            all[i].contexts[j] = wh_with_cancel(NULL);
            between += heap->collecting != NULL;
        }
    assert_true(between > 0);
    assert_null(heap->collecting);
    assert_true(wh__slab_pages() <= pages + 2);
    for (int i = 0; i < MANY; i++)
        for (int j = 0; j < BATCH; j++) wh_end(all[i].contexts[j]);
}

/* ---- the last reference to one below goes while the news is on its way to it ---- */

static struct {
    struct gate gate;
    int rounds;
    wh_ctx *child, *grandchild;
    const wh_ctx *held;
    int destroyed;
} last;

static void destroy(int *value)
{
    __atomic_fetch_add(&last.destroyed, *value, __ATOMIC_RELAXED);
}
WH_KEY_OWNED(counted, int, destroy)

static void *let_go(void *unused)
{
    uint32_t seed = 3;
    for (int i = 0; i < last.rounds; i++) {
        meet(&last.gate, 2);
        dawdle(&seed);
        wh_end(last.grandchild);
        wh_end(last.child);
        wh_release(last.held);
        meet(&last.gate, 2);
    }
    return unused;
}

static void T023_the_last_reference_goes_meanwhile(void **state)
{
    (void)state;
    uint32_t seed = 4;
    last.rounds = quick_or_all(50000, 1000000);
    const pthread_t thread = start(let_go, NULL);
    for (int i = 0; i < last.rounds; i++) {
        wh_ctx *root = wh_with_cancel(NULL);
        wh_ctx *value = wh_with_counted(root, 1);
        last.child = i % 2 ? wh_with_cancel(value) : wh_with_timeout(value, WH_SEC(100));
        last.grandchild = wh_with_cancel(last.child);
        last.held = i % 3 ? NULL : wh_hold(last.child);
        if (i % 5 == 0) wh_done_fd(last.grandchild);
        wh_end(value);
        meet(&last.gate, 2);
        dawdle(&seed);
        assert_true(wh_cancel(root, reason_x, NULL));
        meet(&last.gate, 2);
        assert_int_equal(__atomic_load_n(&root->refs, __ATOMIC_ACQUIRE), 1);
        wh_end(root);
    }
    join(thread);
    assert_int_equal(last.destroyed, last.rounds);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(T008_millions_made_here_and_ended_there),
        cmocka_unit_test(a_great_many_come_back_little_by_little),
        cmocka_unit_test(T023_the_last_reference_goes_meanwhile),
    };
    return cmocka_run_group_tests_name("handover", tests, NULL, NULL);
}
