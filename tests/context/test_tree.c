/* Large trees, deep ones, and trees that change while they are cancelled. */
#include <errno.h>
#include <stdlib.h>

#include "base/slab.h"
#include "context/tree.h"
#include "shards_tools.h"

WH_REASON(reason_x, "x");
WH_KEY(number, int)
WH_KEY(other, int)
WH_KEY(missing, int)

static wh_ctx **many(int count)
{
    wh_ctx **list = calloc((size_t)count, sizeof *list);
    assert_non_null(list);
    return list;
}

/* ---- deep ---- */

static void T025_a_million_deep_is_cancelled_and_freed_in_loops(void **state)
{
    (void)state;
    const int depth = rounds(1000000);
    wh_ctx **chain = many(depth);
    chain[0] = wh_with_cancel(NULL);
    for (int i = 1; i < depth; i++) chain[i] = wh_with_cancel(chain[i - 1]);
    assert_true(wh_cancel(chain[0], reason_x, NULL));
    for (int i = 0; i < depth; i++) assert_ptr_equal(wh_cause(chain[i]), reason_x);
    assert_int_equal(cause_of(chain[depth - 1]).depth, depth - 1);
    for (int i = 0; i < depth; i++) wh_end(chain[i]); /* from the top: all of it goes with the last */
    free(chain);
}

static void T079_T080_a_million_values_are_searched_and_freed_in_loops(void **state)
{
    (void)state;
    const int depth = rounds(1000000);
    wh_ctx **chain = many(depth);
    chain[0] = wh_with_number(NULL, 42);
    for (int i = 1; i < depth; i++) chain[i] = i % 2 ? wh_with_other(chain[i - 1], i) : wh_with_cancel(chain[i - 1]);
    assert_int_equal(wh_number(chain[depth - 1]), 42);
    assert_int_equal(wh_missing(chain[depth - 1]), 0);
    for (int i = 0; i < depth; i++) wh_end(chain[i]);
    free(chain);
}

/* ---- wide ---- */

struct wide {
    wh_ctx **children;
    int count;
    int turns;    /* atomic */
    bool stop;
};

/* Another thread gets its turns while the cancel is on its way, also on that parent's own children. */
static void *live_meanwhile(void *arg)
{
    struct wide *wide = arg;
    for (uint32_t seed = 7; !__atomic_load_n(&wide->stop, __ATOMIC_RELAXED);) {
        WH_AUTO wh_ctx *own = wh_with_cancel(NULL);
        WH_AUTO wh_ctx *below = wh_with_cancel(wide->children[next_random(&seed) % (unsigned)wide->count]);
        wh_cancel(own, reason_x, NULL);
        __atomic_fetch_add(&wide->turns, 1, __ATOMIC_RELAXED);
    }
    return NULL;
}

static void T026_a_million_children_of_one_parent(void **state)
{
    (void)state;
    struct wide wide = {.count = rounds(1000000)};
    WH_AUTO wh_ctx *parent = wh_with_cancel(NULL);
    wide.children = many(wide.count);
    for (int i = 0; i < wide.count; i++) wide.children[i] = wh_with_cancel(parent);
    const pthread_t thread = start(live_meanwhile, &wide);
    EVENTUALLY(__atomic_load_n(&wide.turns, __ATOMIC_RELAXED) > 0);
    wh_cancel(parent, reason_x, NULL);
    for (int i = 0; i < wide.count; i++) assert_int_equal(wh_err(wide.children[i]), ECANCELED);
    __atomic_store_n(&wide.stop, true, __ATOMIC_RELAXED);
    join(thread);
    assert_null(parent->children);
    for (int i = 0; i < wide.count; i++) wh_end(wide.children[i]);
    assert_int_equal(parent->refs, 1);
    free(wide.children);
}

static void T027_a_million_children_leave_in_any_order(void **state)
{
    (void)state;
    const int count = rounds(1000000);
    WH_AUTO wh_ctx *parent = wh_with_cancel(NULL);
    wh_ctx **children = many(count);
    uint32_t seed = 99;
    for (int i = 0; i < count; i++) children[i] = wh_with_cancel(parent);
    for (int i = count - 1; i > 0; i--) {
        const uint32_t j = next_random(&seed) % ((uint32_t)i + 1);
        wh_ctx *swap = children[i];
        children[i] = children[j];
        children[j] = swap;
    }
    for (int i = 0; i < count; i++) {
        wh_cancel(children[i], reason_x, NULL);
        wh_end(children[i]);
    }
    assert_null(parent->children);
    assert_int_equal(parent->refs, 1);
    free(children);
}

static void T008_a_million_come_and_go(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *parent = wh_with_timeout(NULL, WH_SEC(1000));
    const size_t pages = wh__slab_pages();
    for (int i = quick_or_all(1000000, 10000000); i; i--) {
        wh_ctx *child = i % 2 ? wh_with_cancel(parent) : wh_with_timeout(parent, WH_SEC(1 + i % 900));
        const wh_ctx *held = i % 3 ? NULL : wh_hold(child);
        if (i % 5) wh_cancel(child, reason_x, NULL);
        wh_end(child);
        wh_release(held);
    }
    assert_true(is_childless(parent));
    EVENTUALLY(refs_of(parent, true) == 1);
    assert_true(wh__slab_pages() <= pages + 2);
}

/* ---- order ---- */

struct mark {
    struct order *order;
    int number;
};
struct order {
    const wh_ctx *nodes[4];
    int seen[4], count;
    struct mark marks[4];
};

static void note(void *arg)
{
    const struct mark *mark = arg;
    struct order *order = mark->order;
    order->seen[order->count++] = mark->number;
    for (int i = 0; i < 4; i++) assert_int_equal(wh_err(order->nodes[i]), ECANCELED);
}

static void T028_the_parent_first_then_the_newest_child(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *parent = wh_with_cancel(NULL);
    WH_AUTO wh_ctx *c1 = wh_with_cancel(parent);
    WH_AUTO wh_ctx *c2 = wh_with_cancel(parent);
    WH_AUTO wh_ctx *c3 = wh_with_cancel(parent);
    struct order order = {.nodes = {parent, c1, c2, c3}};
    for (int i = 0; i < 4; i++) {
        order.marks[i] = (struct mark){&order, i};
        assert_int_equal(wh_after_inline(order.nodes[i], note, &order.marks[i], NULL), 0);
    }
    wh_cancel(parent, reason_x, NULL);
    assert_int_equal(order.count, 4);
    const int expected[] = {0, 3, 2, 1};
    assert_memory_equal(order.seen, expected, sizeof expected);
}

static void T022_any_layer_of_thirty_stops_the_bottom(void **state)
{
    (void)state;
    uint32_t seed = 4711;
    for (int round = 0; round < rounds(300); round++) {
        wh_ctx *layers[30];
        int cancellable[30], cancellables = 0, values = 0;
        for (int i = 0; i < 30; i++) {
            const wh_ctx *above = i ? layers[i - 1] : NULL;
            const uint32_t kind = next_random(&seed) % 3;
            layers[i] = kind == 0   ? wh_with_number(above, ++values)
                        : kind == 1 ? wh_with_cancel(above)
                                    : wh_with_timeout(above, WH_SEC(1000) + next_random(&seed));
            if (kind) cancellable[cancellables++] = i;
        }
        const wh_ctx *bottom = layers[29];
        assert_int_equal(wh_number(bottom), values);
        if (cancellables) {
            const int victim = cancellable[next_random(&seed) % (unsigned)cancellables];
            assert_true(wh_cancel(layers[victim], reason_x, NULL));
            assert_int_equal(wh_err(bottom), ECANCELED);
            assert_ptr_equal(wh_cause(bottom), reason_x);
            assert_int_equal(cause_of(bottom).depth, 29 - victim);
            for (int i = 0; i < victim; i++) assert_int_equal(wh_err(layers[i]), 0);
        }
        assert_int_equal(wh_number(bottom), values);
        for (int i = 0; i < 30; i++) wh_end(layers[i]);
    }
}

/* ---- a hundred at once ---- */

struct hundred {
    struct gate gate;
    wh_ctx *nodes[100];
    struct wh_reason own[100];
};
struct one {
    struct hundred *all;
    int number;
};

static void *cancel_own(void *arg)
{
    const struct one *one = arg;
    meet(&one->all->gate, 100);
    wh_cancel(one->all->nodes[one->number], &one->all->own[one->number], NULL);
    return NULL;
}

static void T020_a_hundred_threads_cancel_a_tree(void **state)
{
    (void)state;
    WH_REASON(pattern, "one of a hundred");
    for (int round = 0; round < rounds(40); round++) {
        struct hundred all = {.nodes = {wh_with_cancel(NULL)}};
        struct one ones[100];
        pthread_t threads[100];
        for (int i = 1; i < 100; i++) all.nodes[i] = wh_with_cancel(all.nodes[(i - 1) / 4]);
        for (int i = 0; i < 100; i++) {
            all.own[i] = pattern[0];
            ones[i] = (struct one){&all, (i * 37 + round) % 100};
            threads[i] = start(cancel_own, &ones[i]);
        }
        for (int i = 0; i < 100; i++) join(threads[i]);
        for (int i = 0; i < 100; i++) {
            int by = i;
            while (wh_cause(all.nodes[i]) != &all.own[by]) {
                assert_true(by > 0);
                by = (by - 1) / 4;
            }
        }
        for (int i = 0; i < 100; i++) wh_end(all.nodes[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(T025_a_million_deep_is_cancelled_and_freed_in_loops),
        cmocka_unit_test(T079_T080_a_million_values_are_searched_and_freed_in_loops),
        cmocka_unit_test(T026_a_million_children_of_one_parent),
        cmocka_unit_test(T027_a_million_children_leave_in_any_order),
        cmocka_unit_test(T008_a_million_come_and_go),
        cmocka_unit_test(T028_the_parent_first_then_the_newest_child),
        cmocka_unit_test(T022_any_layer_of_thirty_stops_the_bottom),
        cmocka_unit_test(T020_a_hundred_threads_cancel_a_tree),
    };
    return cmocka_run_group_tests_name("tree", tests, NULL, NULL);
}
