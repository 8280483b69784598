/* Parents with shards that are merged, tied to, go by a clock of their own, or are listed: nobody notices there either. */
#include <errno.h>

#include "context/shards.h"
#include "live_tools.h"
#include "shards_tools.h"

#include <whence/test.h>

WH_KEY(number, int)
WH_REASON(reason_x, "x");

static wh_ctx *with_shards(wh_ctx *ctx)
{
    assert_true(wh__shard(ctx));
    assert_true(wh__state(ctx) & WH__SHARDED);
    return ctx;
}

/* ---- merged ---- */

/* By the first source, by the second, and by a value of it. Who is tied hangs in the source's own list, beside its shards. */
static void T014_the_news_comes_through_shards_by_every_source(void **state)
{
    (void)state;
    for (int which = 0; which < 3; which++) {
        WH_AUTO wh_ctx *first = with_shards(wh_with_cancel(NULL)), *second = with_shards(wh_with_cancel(NULL));
        WH_AUTO wh_ctx *value = wh_with_number(second, 1);
        WH_AUTO wh_ctx *merged = with_shards(wh_merge(first, which == 2 ? value : second));
        WH_AUTO wh_ctx *beside = with_shards(wh_merge(value, second));
        wh_ctx *below[] = {wh_with_cancel(merged), wh_with_number(merged, 2), wh_with_timeout(merged, WH_SEC(100)),
            with_shards(wh_merge(merged, beside))};
        WH_AUTO wh_ctx *last = wh_with_cancel(below[3]);
        assert_ptr_equal(wh__parent(below[0]), merged);
        assert_ptr_equal(wh__live_above(last), below[3]);
        assert_true(wh_cancel(which ? second : first, reason_x, NULL));
        for (int i = 0; i < 4; i++) {
            assert_ptr_equal(wh_cause(below[i]), reason_x);
            assert_int_equal(cause_of(below[i]).depth, which == 2 ? 3 : 2);
            wh_end(below[i]);
        }
        assert_ptr_equal(wh_cause(last), reason_x);
        assert_int_equal(wh_err(which ? first : second), 0);
        assert_int_equal(wh_number(merged), which == 2);
    }
}

/* In every order: what is left of them are the sources as they were. */
static void T023_merged_ones_with_shards_end_in_any_order(void **state)
{
    (void)state;
    enum { PARTS = 4 };
    for (int order = 0; order < 256; order++) {
        WH_AUTO wh_ctx *one = with_shards(wh_with_cancel(NULL)), *other = with_shards(wh_with_cancel(NULL));
        wh_ctx *merged = with_shards(wh_merge(one, other));
        wh_ctx *parts[PARTS] = {merged, wh_with_cancel(merged), wh_with_number(merged, 1), wh_merge(merged, other)};
        for (int i = 0, digits = order; i < 2 * PARTS; i++, digits /= PARTS) {
            wh_ctx **part = &parts[i < PARTS ? digits % PARTS : i - PARTS];
            wh_end(*part);
            *part = NULL;
            if (!parts[0] && parts[1]) assert_ptr_equal(wh_cause(parts[1]), WH_ENDED);
            if (!parts[0] && parts[3]) assert_ptr_equal(wh_cause(parts[3]), WH_ENDED);
        }
        assert_true(is_childless(one) && is_childless(other));
        assert_int_equal(refs_of(one, true), 1);
        assert_int_equal(refs_of(other, true), 1);
        assert_int_equal(wh_err(one), 0);
    }
}

/* Nothing is below it, so nobody hears of its end. */
static void who_is_alone_with_shards_ends_at_once(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *one = wh_with_cancel(NULL), *other = wh_with_cancel(NULL);
    wh_ctx *merged = with_shards(wh_merge(one, other));
    wh_end(wh_with_cancel(merged));
    assert_true(wh__is_alone_with_shards(merged));
    wh_end(merged);
    assert_null(one->children);
    assert_null(other->children);
    assert_int_equal(one->refs, 1);
    assert_int_equal(other->refs, 1);
}

/* ---- by another clock ---- */

static void deadlines_below_go_by_the_clock_above(void **state)
{
    (void)state;
    wh_clock *clock = wh_clock_new(WH_SEC(-7));
    WH_AUTO wh_ctx *root = with_shards(wh_with_clock(NULL, clock));
    WH_AUTO wh_ctx *middle = with_shards(wh_with_timeout(root, WH_SEC(10)));
    wh_ctx *soon = wh_with_timeout(middle, WH_SEC(2)), *until = wh_with_deadline(middle, WH_SEC(-4)),
           *value = wh_with_number(middle, 1), *late = wh_with_timeout(value, WH_SEC(20)), *past = wh_with_deadline(value, WH_SEC(-8));
    assert_int_equal(wh_deadline(soon), WH_SEC(-5));
    assert_int_equal(wh_deadline(late), WH_SEC(3));
    assert_int_equal(wh_remaining(value), WH_SEC(10));
    assert_int_equal(wh_err(past), ETIMEDOUT);
    wh_clock_advance(clock, WH_SEC(2));
    assert_int_equal(wh_err(soon), ETIMEDOUT);
    assert_int_equal(wh_err(until), 0);
    wh_clock_advance(clock, WH_SEC(1));
    assert_int_equal(wh_err(until), ETIMEDOUT);
    assert_int_equal(wh_err(late), 0);
    wh_clock_advance(clock, WH_SEC(7));
    assert_int_equal(wh_wait(late, 0), ETIMEDOUT);
    assert_ptr_equal(cause_of(late).site, middle->made);
    wh_ctx *all[] = {soon, until, value, late, past};
    for (int i = 0; i < 5; i++) wh_end(all[i]);
    wh_clock_free(clock);
}

/* ---- listed ---- */

static void look(const wh_ctx *ctx, struct wh__seen *seen)
{
    struct wh__snapshot snapshot;
    assert_int_equal(wh__snapshot_take(&snapshot), 0);
    wh__snapshot_link(&snapshot);
    const int32_t at = wh__snapshot_find(&snapshot, id_of(ctx));
    assert_true(at != WH__NONE);
    *seen = snapshot.list[at];
    wh__snapshot_free(&snapshot);
}

static void the_list_knows_parents_and_no_shards(void **state)
{
    (void)state;
    struct wh__seen seen;
    wh_ctx *before = with_shards(wh_with_cancel(NULL));
    wh_track(WH_TRACK_LIVE);
    const size_t count = wh_live_count();
    wh_ctx *parent = with_shards(wh_with_cancel(before));
    wh_ctx *children[] = {wh_with_cancel(parent), wh_with_timeout(parent, WH_SEC(100)), wh_with_number(parent, 1), wh_detach(parent)};
    assert_int_equal(wh_live_count(), count + 5);
    for (int i = 0; i < 4; i++) {
        look(children[i], &seen);
        assert_int_equal(seen.parent, id_of(parent));
        assert_ptr_equal(seen.parent_address, parent);
        assert_int_equal(seen.refs, 1);
    }
    look(parent, &seen);
    assert_int_equal(seen.refs, 5);
    assert_int_equal(seen.children, 4);
    assert_int_equal(seen.parent, 0);
    assert_ptr_equal(seen.parent_address, before);
    const wh_ctx *held = wh_hold(parent);
    wh_end(parent);
    look(held, &seen);
    assert_int_equal(seen.stage, WH__HELD);
    assert_int_equal(seen.refs, 5);
    for (int i = 0; i < 4; i++) wh_end(children[i]);
    wh_release(held);
    assert_int_equal(wh_live_count(), count);
    wh_track(0);
    wh_end(before);
}

/* The lock is not to be had at once while contexts are listed, and not because of others. */
static void who_is_listed_is_not_fought_for(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *parent = wh_with_cancel(NULL);
    wh_track(WH_TRACK_LIVE);
    for (int i = 0; i < 1000; i++) wh_end(wh_with_cancel(parent));
    wh_track(0);
    assert_false(wh__state(parent) & WH__SHARDED);
}

/* ---- among threads ---- */

static struct {
    struct gate gate;
    int rounds;
    const wh_ctx *one, *other;
    bool failed;
} rush;

static void *merge_below(void *unused)
{
    uint32_t seed = 5;
    for (int i = 0; i < rush.rounds; i++) {
        meet(&rush.gate, 2);
        const wh_ctx *one = wh_hold(rush.one), *other = wh_hold(rush.other);
        meet(&rush.gate, 2);
        wh_ctx *value = wh_with_number(other, 1);
        wh_ctx *merged = wh_merge(one, value);
        if (i % 3 == 0) wh__shard(merged);
        wh_ctx *below = wh_with_timeout(merged, WH_SEC(100));
        dawdle(&seed);
        wh_end(value);
        if (i % 2) wh_end(merged);
        if (wh_wait(below, WH_SEC(20)) != ECANCELED) rush.failed = true;
        wh_end(below);
        if (i % 2 == 0) wh_end(merged);
        wh_release(one);
        wh_release(other);
    }
    return unused;
}

/* It gets its shards while a tie hangs in it, or before, and goes. */
static void T019_a_source_gets_shards_and_ends_meanwhile(void **state)
{
    (void)state;
    rush.rounds = chances(10000);
    uint32_t seed = 6;
    const pthread_t thread = start(merge_below, NULL);
    for (int i = 0; i < rush.rounds; i++) {
        wh_ctx *one = wh_with_cancel(NULL), *other = wh_with_cancel(NULL);
        rush.one = one;
        rush.other = other;
        if (i % 4 == 1) wh__shard(other);
        meet(&rush.gate, 2);
        meet(&rush.gate, 2);
        dawdle(&seed);
        if (i % 4 != 1) wh__shard(i % 4 ? other : one);
        wh_end(i % 4 == 3 ? one : other);
        wh_end(i % 4 == 3 ? other : one);
    }
    join(thread);
    assert_false(rush.failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(T014_the_news_comes_through_shards_by_every_source),
        cmocka_unit_test(T023_merged_ones_with_shards_end_in_any_order),
        cmocka_unit_test(who_is_alone_with_shards_ends_at_once),
        cmocka_unit_test(deadlines_below_go_by_the_clock_above),
        cmocka_unit_test(the_list_knows_parents_and_no_shards),
        cmocka_unit_test(who_is_listed_is_not_fought_for),
        cmocka_unit_test(T019_a_source_gets_shards_and_ends_meanwhile),
    };
    return cmocka_run_group_tests_name("shards' kin", tests, NULL, NULL);
}
