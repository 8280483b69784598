/* The wheels, on a clock of the test's own: years pass in a moment, and the loop's thread is played here.
 *
 * timer.c is compiled into this program with another clock and another loop; all the rest is the library. */
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "context/tree.h"
#include "tools.h"

static int64_t today;
static int64_t wakes_by = WH_NEVER;

static int64_t test_now(void)
{
    return today;
}

static bool test_loop_start(void)
{
    return true;
}

static void test_wake_by(int64_t instant)
{
    if (instant < wakes_by) wakes_by = instant;
}

static int pinned_late;

static void test_count_up(wh_ctx *node)
{
    if (__atomic_load_n(&node->timer, __ATOMIC_RELAXED) == 0) pinned_late++;
    wh__count_up(node);
}

#include "../../context/loop.h"
#define wh__count_up test_count_up
#define wh__now test_now
#define wh__loop_start test_loop_start
#define wh__loop_wake_by test_wake_by
#include "../../context/timer.c"
#undef wh__now

/* Moves the clock on to `until` as the thread would live it: asleep until it is to be woken, then firing. Returns how often
 * it was awake. */
static int live_until(int64_t until)
{
    int woken = 0;
    while (wakes_by <= until) {
        if (wakes_by > today) today = wakes_by;
        wakes_by = WH_NEVER;
        test_wake_by(wh__timers_fire());
        woken++;
        assert_true(woken < 100000000);
    }
    today = until;
    return woken;
}

struct alarm {
    wh_ctx *ctx;
    int64_t deadline, fired;
    void (*then)(void *arg); /* called when it fires, if set */
    void *arg;
};

static void note(void *arg)
{
    struct alarm *alarm = arg;
    alarm->fired = today;
    if (alarm->then) alarm->then(alarm->arg);
}

/* The API counts from the real clock, which matters for nothing here: the deadline is set afterwards. */
static void set(struct alarm *alarm, int64_t deadline)
{
    *alarm = (struct alarm){.ctx = wh__node_new(NULL, WH__128, 0, WH_NEVER, 0, WH_HERE), .deadline = deadline, .fired = -1};
    assert_non_null(alarm->ctx);
    assert_int_equal(wh_after_inline(alarm->ctx, note, alarm, NULL), 0);
    alarm->ctx->deadline = deadline;
    alarm->ctx->flags |= WH__TIMED;
    assert_true(wh__timer_arm(alarm->ctx));
}

static void begin(int64_t at)
{
    today = at;
    live_until(today);
    for (int i = 0; i < WHEELS; i++) wheels[i].tick = today >> TICK_SHIFT; /* a new process; no timer is set */
}

static void assert_empty(void)
{
    for (int i = 0; i < WHEELS; i++)
        for (int level = 0; level < LEVELS; level++) assert_int_equal(wheels[i].used[level], 0);
}

/* ---- one at a time: every border of every level, from places before and after it ---- */

static void T043_to_the_instant_at_every_border(void **state)
{
    (void)state;
    const int64_t tick = INT64_C(1) << TICK_SHIFT;
    for (int level = 0; level <= LEVELS; level++) {
        const int64_t width = tick << (DIGIT * level);
        for (int64_t from = -2; from <= 2; from++)
            for (int64_t to = -2; to <= 2; to++)
                for (int64_t turns = 1; turns <= 130; turns += turns < 3 ? 1 : 61) {
                    if (level == LEVELS && turns > 20) continue; /* beyond the end of time */
                    const int64_t start_at = 100 * width + from * tick + 17;
                    const int64_t deadline = (100 + turns) * width + to * tick + to;
                    if (deadline <= start_at) continue;
                    struct alarm alarm;
                    begin(start_at);
                    set(&alarm, deadline);
                    live_until(deadline - 1);
                    assert_int_equal(alarm.fired, -1);
                    live_until(deadline);
                    assert_int_equal(alarm.fired, deadline);
                    wh_end(alarm.ctx);
                    assert_empty();
                }
    }
}

static void T057_what_is_never_does_not_fire(void **state)
{
    (void)state;
    struct alarm alarms[3];
    begin(WH_SEC(1000));
    set(&alarms[0], INT64_MAX - 1);
    set(&alarms[1], INT64_MAX / 2);
    set(&alarms[2], WH_SEC(3000));
    live_until(WH_SEC(86400) * 365 * 100);
    assert_int_equal(alarms[0].fired, -1);
    assert_int_equal(alarms[1].fired, -1);
    assert_int_equal(alarms[2].fired, WH_SEC(3000));
    live_until(INT64_MAX / 2);
    assert_int_equal(alarms[1].fired, INT64_MAX / 2);
    live_until(INT64_MAX - 1);
    assert_int_equal(alarms[0].fired, INT64_MAX - 1);
    for (int i = 0; i < 3; i++) wh_end(alarms[i].ctx);
    assert_empty();
}

/* ---- many, of all distances, some disarmed, while time goes by in leaps ---- */

static int64_t any_distance(uint32_t *seed)
{
    const unsigned bits = next_random(seed) % 57; /* up to about two years */
    const uint64_t random = (uint64_t)next_random(seed) << 32 | next_random(seed);
    return (int64_t)(random & ((UINT64_C(2) << bits) - 1)) + 1;
}

static void T061_many_at_random_none_early_none_late(void **state)
{
    (void)state;
    const int count = rounds(100000);
    struct alarm *alarms = calloc((size_t)count, sizeof *alarms);
    assert_non_null(alarms);
    uint32_t seed = 20;
    begin(WH_SEC(12345) + 678);
    for (int i = 0; i < count; i++) {
        set(&alarms[i], today + any_distance(&seed));
        if (next_random(&seed) % 16 == 0) live_until(today + any_distance(&seed) / 1000);
        if (next_random(&seed) % 4 == 0) {
            struct alarm *victim = &alarms[next_random(&seed) % (unsigned)(i + 1)];
            if (victim->ctx && victim->fired < 0) {
                wh_end(victim->ctx);
                victim->ctx = NULL;
            }
        }
    }
    live_until(today + (INT64_C(1) << 59));
    for (int i = 0; i < count; i++) {
        if (!alarms[i].ctx) {
            assert_int_equal(alarms[i].fired, -1);
            continue;
        }
        assert_int_equal(alarms[i].fired, alarms[i].deadline);
        wh_end(alarms[i].ctx);
    }
    assert_empty();
    free(alarms);
}

/* ---- many in one slot; and what is done to the wheel while they fire ---- */

static void thousands_in_one_slot_fire_in_one_go(void **state)
{
    (void)state;
    const int count = rounds(200000);
    struct alarm *alarms = calloc((size_t)count, sizeof *alarms);
    assert_non_null(alarms);
    begin(WH_SEC(50));
    const int64_t base = WH_SEC(51) >> TICK_SHIFT << TICK_SHIFT;
    for (int i = 0; i < count; i++) set(&alarms[i], base + i % 1000 * 1000);
    live_until(base + WH_MS(1));
    for (int i = 0; i < count; i++) {
        assert_int_equal(alarms[i].fired, alarms[i].deadline);
        wh_end(alarms[i].ctx);
    }
    assert_empty();
    free(alarms);
}

struct chain {
    struct alarm first, others[BATCH], disarmed, near, same, past;
};

/* From a callback: sets timers that are due at once, in the slot that is just being emptied, and takes one out of it. */
static void meddle(void *arg)
{
    struct chain *chain = arg;
    wh_end(chain->disarmed.ctx);
    chain->disarmed.ctx = NULL;
    set(&chain->past, today - WH_SEC(1));
    set(&chain->same, today);
    set(&chain->near, today + 1);
}

static void timers_come_and_go_while_others_fire(void **state)
{
    (void)state;
    for (int late = 0; late < 2; late++) {
        struct chain chain;
        begin(WH_SEC(70) + 5);
        const int64_t at = WH_SEC(71);
        set(&chain.first, at);
        chain.first.then = meddle;
        chain.first.arg = &chain;
        for (int i = 0; i < BATCH; i++) set(&chain.others[i], at);
        set(&chain.disarmed, at);
        if (late) { /* the thread did not get to run for a while: that slot is in the past */
            today = at + WH_MS(300);
            wakes_by = WH_NEVER;
            test_wake_by(wh__timers_fire());
            live_until(today + 1);
        } else {
            live_until(at + 1);
        }
        assert_int_equal(chain.first.fired, late ? at + WH_MS(300) : at);
        for (int i = 0; i < BATCH; i++) assert_int_equal(chain.others[i].fired, chain.first.fired);
        assert_int_equal(chain.disarmed.fired, -1);
        assert_int_equal(chain.past.fired, chain.first.fired);
        assert_int_equal(chain.same.fired, chain.first.fired);
        assert_int_equal(chain.near.fired, chain.first.fired + 1);
        wh_end(chain.first.ctx);
        for (int i = 0; i < BATCH; i++) wh_end(chain.others[i].ctx);
        wh_end(chain.past.ctx);
        wh_end(chain.same.ctx);
        wh_end(chain.near.ctx);
        assert_empty();
    }
}

/* The thread sleeps: one timer costs it a wake-up for each level that it sinks through, not one for each tick. */
static void a_far_timer_wakes_seldom(void **state)
{
    (void)state;
    struct alarm alarm;
    begin(WH_SEC(3));
    set(&alarm, WH_SEC(3) + WH_SEC(86400));
    assert_true(live_until(WH_SEC(86400) + WH_SEC(3)) <= LEVELS + 1);
    assert_int_equal(alarm.fired, alarm.deadline);
    wh_end(alarm.ctx);
    assert_int_equal(live_until(today + WH_SEC(86400)), 0);
}

/* What was about to fire when the process forked is armed again in the child. */
static void T159_what_was_about_to_fire_is_taken_back(void **state)
{
    (void)state;
    struct alarm alarms[3];
    begin(WH_SEC(90));
    for (int i = 0; i < 3; i++) set(&alarms[i], WH_SEC(91));
    today = WH_SEC(92);
    struct wheel *wheel = &wheels[wh__self()->number % WHEELS];
    collect(wheel, today);
    assert_int_equal(firing.count, 3);
    wh_cancel(alarms[1].ctx, NULL, NULL);
    wh__timers_take_back();
    wakes_by = today;
    live_until(today + 1);
    assert_int_equal(wh_err(alarms[0].ctx), ETIMEDOUT);
    assert_int_equal(wh_err(alarms[1].ctx), ECANCELED);
    assert_int_equal(wh_err(alarms[2].ctx), ETIMEDOUT);
    for (int i = 0; i < 3; i++) assert_int_equal(alarms[i].ctx->refs, 1);
    for (int i = 0; i < 3; i++) wh_end(alarms[i].ctx);
    assert_empty();
}

/* Whoever sees that a node is in no wheel may give it back, without asking for the wheel's lock. */
static void what_fires_is_pinned_before_it_leaves_the_wheel(void **state)
{
    (void)state;
    struct alarm alarm;
    begin(WH_SEC(95));
    set(&alarm, WH_SEC(96));
    pinned_late = 0;
    live_until(WH_SEC(96));
    assert_int_equal(alarm.fired, WH_SEC(96));
    assert_int_equal(pinned_late, 0);
    wh_end(alarm.ctx);
}

/* Without memory a timer that should sink stays where it is and is tried again. */
static bool no_memory(size_t size)
{
    (void)size;
    return false;
}

static void without_memory_timers_sink_later(void **state)
{
    (void)state;
    struct alarm alarm;
    begin(WH_SEC(200));
    for (int i = 0; i < WHEELS; i++)
        for (int slot = 0; slot < SLOTS; slot++) {
            wh__mem_free(wheels[i].slots[slot].entries);
            wheels[i].slots[slot] = (struct slot){0};
        }
    set(&alarm, WH_SEC(201));
    wh__mem_gate = no_memory;
    live_until(WH_SEC(201) - WH_MS(20));
    live_until(WH_SEC(201) + WH_MS(5));
    assert_int_equal(alarm.fired, -1);
    wh__mem_gate = NULL;
    live_until(WH_SEC(201) + WH_MS(10));
    assert_true(alarm.fired > 0 && alarm.fired < WH_SEC(201) + WH_MS(10));
    wh_end(alarm.ctx);
    assert_empty();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(T043_to_the_instant_at_every_border),
        cmocka_unit_test(T057_what_is_never_does_not_fire),
        cmocka_unit_test(T061_many_at_random_none_early_none_late),
        cmocka_unit_test(thousands_in_one_slot_fire_in_one_go),
        cmocka_unit_test(timers_come_and_go_while_others_fire),
        cmocka_unit_test(a_far_timer_wakes_seldom),
        cmocka_unit_test(T159_what_was_about_to_fire_is_taken_back),
        cmocka_unit_test(what_fires_is_pinned_before_it_leaves_the_wheel),
        cmocka_unit_test(without_memory_timers_sink_later),
    };
    return cmocka_run_group_tests_name("wheel", tests, NULL, NULL);
}
