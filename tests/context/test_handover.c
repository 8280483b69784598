/* Contexts that are made on one thread and ended on another: they take no more memory than those that stay. */
#include "base/slab.h"
#include "context/tree.h"
#include "shards_tools.h"

enum { BATCH = 1000 };

struct handover {
    struct gate gate;
    int batches;
    wh_ctx *contexts[BATCH];
};

static void *end_them(void *arg)
{
    struct handover *handover = arg;
    for (int i = 0; i < handover->batches; i++) {
        meet(&handover->gate, 2);
        for (int j = 0; j < BATCH; j++) wh_end(handover->contexts[j]);
        meet(&handover->gate, 2);
    }
    return NULL;
}

/* 1e7 of them with WHENCE_LONG. The second thread gives each back to the first one's pages, and asks for none itself. */
static void T008_made_here_and_ended_there(void **state)
{
    (void)state;
    struct handover handover = {.batches = chances(500)};
    WH_AUTO wh_ctx *parent = wh_with_cancel(NULL);
    const pthread_t thread = start(end_them, &handover);
    size_t most = 0;
    for (int i = 0; i < handover.batches; i++) {
        for (int j = 0; j < BATCH; j++)
            handover.contexts[j] = j % 4 ? wh_with_cancel(parent) : wh_with_timeout(parent, WH_SEC(1000 + j));
        if (i == 1) most = wh__slab_pages();
        meet(&handover.gate, 2);
        meet(&handover.gate, 2);
    }
    join(thread);
    assert_true(wh__slab_pages() <= most + 2);
    assert_true(is_childless(parent));
    assert_int_equal(refs_of(parent, true), 1);
}

/* Whoever asks for one block when a great many have come back gets it without waiting until all of them are sorted in; and
 * in the end all are to be had again. */
static void a_great_many_come_back_little_by_little(void **state)
{
    (void)state;
    enum { MANY = 50 };
    static struct handover all[MANY];
    for (int i = 0; i < MANY; i++) {
        all[i].batches = 1;
        for (int j = 0; j < BATCH; j++) all[i].contexts[j] = wh_with_cancel(NULL);
    }
    for (int i = 0; i < MANY; i++) {
        const pthread_t thread = start(end_them, &all[i]);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(T008_made_here_and_ended_there),
        cmocka_unit_test(a_great_many_come_back_little_by_little),
    };
    return cmocka_run_group_tests_name("handover", tests, NULL, NULL);
}
