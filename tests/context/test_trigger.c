/* Cancelling from signal handlers. */
#include <sys/syscall.h>

#include "gate.h"
#include "wait_tools.h"

WH_REASON(reason_y, "y", .err = ETIMEDOUT);

static wh_trigger *armed;     /* what the handler fires; atomic */
static int firsts;            /* atomic; fires that were the first */

static void fire(int number)
{
    if (wh_trigger_fire(__atomic_load_n(&armed, __ATOMIC_ACQUIRE), reason_x, number)) __atomic_fetch_add(&firsts, 1, __ATOMIC_ACQ_REL);
}

static void arm(wh_trigger *trigger)
{
    __atomic_store_n(&armed, trigger, __ATOMIC_RELEASE);
}

static wh_trigger *trigger_of(wh_ctx *ctx)
{
    wh_trigger *trigger = NULL;
    assert_int_equal(wh_trigger_new(ctx, &trigger), 0);
    assert_non_null(trigger);
    return trigger;
}

static int handle_signals(void **state)
{
    (void)state;
    const struct sigaction action = {.sa_handler = fire};
    arm(NULL);
    firsts = 0;
    return sigaction(SIGUSR1, &action, NULL);
}

/* ---- one ---- */

static void T033_a_handler_cancels(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *root = wh_with_cancel(NULL);
    WH_AUTO wh_ctx *ctx = wh_with_cancel(root);
    WH_AUTO wh_ctx *below = wh_with_timeout(ctx, WH_SEC(1000));
    wh_trigger *trigger = trigger_of(ctx);
    arm(trigger);
    assert_int_equal(wh_err(ctx), 0);
    errno = 77;
    raise(SIGUSR1);
    assert_int_equal(errno, 77);
    assert_int_equal(wh_wait(below, WH_SEC(20)), ECANCELED);
    const struct wh_cause cause = cause_of(below);
    char text[40];
    snprintf(text, sizeof text, "signal %d", SIGUSR1);
    assert_ptr_equal(cause.reason, reason_x);
    assert_string_equal(cause.text, text);
    assert_string_equal(cause.site->func, "fire");
    assert_int_equal(cause.depth, 1);
    assert_int_equal(wh_err(root), 0);
    raise(SIGUSR1);
    assert_int_equal(firsts, 1);
    wh_trigger_free(trigger);
    assert_int_equal(cause_of(ctx).losers, 0);
}

static void T033_with_any_reason_and_none(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *a = wh_with_cancel(NULL);
    WH_AUTO wh_ctx *b = wh_with_cancel(NULL);
    wh_trigger *of_a = trigger_of(a), *of_b = trigger_of(b);
    assert_true(wh_trigger_fire(of_a, reason_y, 0));
    assert_true(wh_trigger_fire(of_b, NULL, SIGTERM));
    assert_false(wh_trigger_fire(of_a, reason_x, 0));
    assert_false(wh_trigger_fire(NULL, reason_x, 0));
    assert_int_equal(wh_wait(a, WH_SEC(20)), ETIMEDOUT);
    assert_int_equal(wh_wait(b, WH_SEC(20)), ECANCELED);
    assert_ptr_equal(wh_cause(a), reason_y);
    assert_null(cause_of(a).text);
    assert_ptr_equal(wh_cause(b), WH_CANCELED);
    wh_trigger_free(of_a);
    wh_trigger_free(of_b);
    wh_trigger_free(NULL);
}

static void T033_not_of_everything(void **state)
{
    (void)state;
    wh_trigger *trigger = (wh_trigger *)(void *)&firsts;
    assert_int_equal(wh_trigger_new(NULL, &trigger), EINVAL);
    assert_int_equal(wh_trigger_new((wh_ctx *)wh_background(), &trigger), EINVAL);
    assert_int_equal(wh_trigger_new(wh__no_memory(), &trigger), ENOMEM);
    assert_ptr_equal(trigger, &firsts);
}

static void T033_made_and_never_fired(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
    for (int i = 0; i < 1000; i++) {
        wh_trigger *a = trigger_of(ctx), *b = trigger_of(ctx);
        assert_ptr_not_equal(a, b);
        wh_trigger_free(i % 2 ? a : b);
        assert_false(wh_trigger_fire(i % 2 ? a : b, reason_x, 0)); /* it is no more */
        wh_trigger_free(i % 2 ? b : a);
    }
    wh_wait(ctx, WH_MS(1));
    assert_int_equal(wh_err(ctx), 0);
    assert_int_equal(ctx->refs, 1);
}

/* It holds the context, and lets go of it. */
static void T033_the_context_may_end_before(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *root = wh_with_cancel(NULL);
    for (int i = 0; i < 4; i++) {
        wh_ctx *ctx = wh_with_cancel(root);
        const wh_ctx *volatile still = ctx; /* by way of the trigger */
        wh_trigger *trigger = trigger_of(ctx);
        if (i & 1) assert_true(wh_trigger_fire(trigger, reason_x, 0));
        wh_end(ctx);
        if (!(i & 1)) assert_true(wh_trigger_fire(trigger, reason_x, 0));
        if (i & 2) EVENTUALLY(wh_err(still) && wh_cause(still));
        wh_trigger_free(trigger);
    }
    EVENTUALLY(__atomic_load_n(&root->refs, __ATOMIC_ACQUIRE) == 1);
}

static void T033_what_has_fired_cancels_though_it_is_freed(void **state)
{
    (void)state;
    for (int i = 0; i < chances(300); i++) {
        WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
        wh_trigger *trigger = trigger_of(ctx);
        arm(trigger);
        raise(SIGUSR1);
        wh_trigger_free(trigger);
        assert_int_equal(wh_wait(ctx, WH_SEC(20)), ECANCELED);
        assert_ptr_equal(wh_cause(ctx), reason_x);
    }
}

struct freed {
    wh_trigger *trigger;
    int ran;
};

static void free_it(void *arg)
{
    struct freed *freed = arg;
    wh_trigger_free(freed->trigger);
    __atomic_store_n(&freed->ran, 1, __ATOMIC_RELEASE);
}

/* On the thread that is just cancelling because of it. */
static void T033_freed_by_a_callback(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *root = wh_with_cancel(NULL);
    WH_AUTO wh_ctx *ctx = wh_with_cancel(root);
    struct freed freed = {.trigger = trigger_of(ctx)};
    assert_int_equal(wh_after_inline(ctx, free_it, &freed, NULL), 0);
    assert_true(wh_trigger_fire(freed.trigger, reason_x, 0));
    EVENTUALLY(__atomic_load_n(&freed.ran, __ATOMIC_ACQUIRE));
    EVENTUALLY(__atomic_load_n(&ctx->refs, __ATOMIC_ACQUIRE) == 1);
}

/* ---- many ---- */

static void T033_the_order_of_firing_is_the_order_of_cancelling(void **state)
{
    (void)state;
    enum { MANY = 500 };
    wh_trigger *triggers[MANY];
    WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
    for (int i = 0; i < MANY; i++) triggers[i] = trigger_of(ctx);
    for (int i = MANY - 1; i >= 0; i--) assert_true(wh_trigger_fire(triggers[i], i == MANY - 1 ? reason_y : reason_x, i));
    assert_int_equal(wh_wait(ctx, WH_SEC(20)), ETIMEDOUT);
    EVENTUALLY(cause_of(ctx).losers == MANY - 1);
    for (int i = 0; i < MANY; i++) wh_trigger_free(triggers[i]);
}

/* Each has its own text, also where all come at once. */
static void T033_every_text_arrives(void **state)
{
    (void)state;
    enum { MANY = 700 };
    static wh_ctx *contexts[MANY];
    static wh_trigger *triggers[MANY];
    for (int i = 0; i < MANY; i++) triggers[i] = trigger_of(contexts[i] = wh_with_cancel(NULL));
    for (int i = 0; i < MANY; i++) assert_true(wh_trigger_fire(triggers[i], reason_x, i + 1));
    for (int i = 0; i < MANY; i++) {
        char text[40];
        snprintf(text, sizeof text, "signal %d", i + 1);
        assert_int_equal(wh_wait(contexts[i], WH_SEC(20)), ECANCELED);
        assert_string_equal(cause_of(contexts[i]).text, text);
        wh_trigger_free(triggers[i]);
        wh_end(contexts[i]);
    }
}

/* ---- storm: handlers on every thread, while triggers come and go ---- */

enum { THREADS = 4 };
struct storm {
    pthread_t threads[THREADS];
    bool over;
};

static void *be_hit(void *arg)
{
    const struct storm *storm = arg;
    WH_AUTO wh_ctx *root = wh_with_cancel(NULL);
    while (!__atomic_load_n(&storm->over, __ATOMIC_ACQUIRE)) {
        WH_AUTO wh_ctx *ctx = wh_with_timeout(root, WH_SEC(100)); /* in the middle of anything */
        wh_end(wh_with_cancel(ctx));
        wh_cancel(ctx, reason_y, "on its own");
    }
    return NULL;
}

static void *send_signals(void *arg)
{
    const struct storm *storm = arg;
    for (uint32_t i = 0; !__atomic_load_n(&storm->over, __ATOMIC_ACQUIRE); i++) {
        pthread_kill(storm->threads[i % THREADS], SIGUSR1);
        if (i % 8 == 0) sched_yield();
    }
    return NULL;
}

/* A trigger that fires must cancel its own context and never the one of the trigger that came after it. */
static void T033_storm_of_signals_and_triggers(void **state)
{
    (void)state;
    struct storm storm = {.over = false};
    uint32_t seed = 11;
    int cancelled = 0;
    for (int i = 0; i < THREADS; i++) storm.threads[i] = start(be_hit, &storm);
    const pthread_t sender = start(send_signals, &storm);
    for (int i = 0; i < chances(300); i++) {
        WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
        wh_trigger *trigger = trigger_of(ctx);
        arm(trigger);
        dawdle(&seed);
        if (i % 4 == 0) assert_int_equal(wh_wait(ctx, WH_SEC(20)), ECANCELED); /* somebody is hit */
        if (i % 2) arm(NULL); /* else handlers still have it when it is freed */
        wh_trigger_free(trigger);
        cancelled += wh_err(ctx) != 0;
    }
    arm(NULL);
    __atomic_store_n(&storm.over, true, __ATOMIC_RELEASE);
    join(sender);
    for (int i = 0; i < THREADS; i++) join(storm.threads[i]);
    assert_true(__atomic_load_n(&firsts, __ATOMIC_ACQUIRE) >= cancelled);
    assert_true(cancelled > 0);
}

/* Fired on one thread and freed on another at the same moment: if the first was told that it fired, it has. */
static void free_and_fire(struct race *race, int round)
{
    (void)round;
    wh_trigger_free(race->more);
}

static void T033_freed_while_it_fires(void **state)
{
    (void)state;
    const int total = rounds(10000);
    wh_ctx *ctx = wh_with_cancel(NULL);
    struct race race = {.fn = free_and_fire, .rounds = total, .more = trigger_of(ctx)};
    race.thread = start(run_race, &race);
    uint32_t seed = 5;
    for (int i = 0; i < total; i++) {
        wh_trigger *trigger = race.more;
        meet(&race.gate, 2);
        dawdle(&seed);
        const bool first = wh_trigger_fire(trigger, reason_x, 1);
        meet(&race.gate, 2);
        if (first) assert_int_equal(wh_wait(ctx, WH_SEC(20)), ECANCELED);
        assert_false(wh_trigger_fire(trigger, reason_x, 1));
        if (!first) assert_int_equal(wh_err(ctx), 0);
        wh_end(ctx);
        ctx = wh_with_cancel(NULL);
        if (i + 1 < total) race.more = trigger_of(ctx);
    }
    join(race.thread);
    wh_end(ctx);
}

/* ---- fork, and what is missing ---- */

struct inherited {
    wh_ctx *ctx;
    wh_trigger *armed, *fired;
};

static bool fire_in_the_child(void *arg)
{
    const struct inherited *inherited = arg;
    CHECK(!wh_trigger_fire(inherited->armed, reason_x, 0));
    CHECK(!wh_trigger_fire(inherited->fired, reason_x, 0));
    CHECK(wh_wait(inherited->ctx, WH_MS(2)) == 0);
    wh_trigger_free(inherited->armed);
    wh_trigger_free(inherited->fired);
    wh_trigger *mine;
    CHECK(wh_trigger_new(inherited->ctx, &mine) == 0);
    CHECK(wh_trigger_fire(mine, reason_y, 0));
    CHECK(wh_wait(inherited->ctx, WH_SEC(10)) == ETIMEDOUT);
    wh_trigger_free(mine);
    return true;
}

static void T033_T156_the_child_of_a_fork_makes_its_own(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
    WH_AUTO wh_ctx *other = wh_with_cancel(NULL);
    struct inherited inherited = {ctx, trigger_of(ctx), trigger_of(other)};
    assert_true(wh_trigger_fire(inherited.fired, reason_x, 0)); /* whether it has cancelled by then or not */
    assert_int_equal(in_child(fire_in_the_child, &inherited), 0);
    assert_int_equal(wh_err(ctx), 0);
    assert_true(wh_trigger_fire(inherited.armed, reason_x, 0));
    assert_int_equal(wh_wait(ctx, WH_SEC(20)), ECANCELED);
    wh_trigger_free(inherited.armed);
    wh_trigger_free(inherited.fired);
}

static bool go_on_in_the_child(void *arg)
{
    const struct inherited *inherited = arg;
    arm(NULL);
    CHECK(!wh_trigger_fire(inherited->armed, reason_x, 0));
    wh_trigger_free(inherited->armed);
    wh_ctx *ctx = wh_with_cancel(NULL);
    wh_trigger *mine;
    CHECK(wh_trigger_new(ctx, &mine) == 0 && wh_trigger_fire(mine, reason_y, 0));
    CHECK(wh_wait(ctx, WH_SEC(10)) == ETIMEDOUT);
    wh_trigger_free(mine);
    wh_end(ctx);
    return true;
}

/* Forks while triggers fire: neither side hangs, none of the parent's is lost. */
static void T033_T157_fork_in_a_storm(void **state)
{
    (void)state;
    struct storm storm = {.over = false};
    for (int i = 0; i < THREADS; i++) storm.threads[i] = start(be_hit, &storm);
    const pthread_t sender = start(send_signals, &storm);
    for (int i = 0; i < chances(10); i++) {
        WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
        wh_trigger *trigger = trigger_of(ctx);
        arm(trigger);
        assert_int_equal(in_child(go_on_in_the_child, &(struct inherited){.armed = trigger}), 0);
        assert_int_equal(wh_wait(ctx, WH_SEC(20)), ECANCELED);
        arm(NULL);
        wh_trigger_free(trigger);
    }
    __atomic_store_n(&storm.over, true, __ATOMIC_RELEASE);
    join(sender);
    for (int i = 0; i < THREADS; i++) join(storm.threads[i]);
}

static bool without_a_thread(void *unused)
{
    (void)unused;
    wh_trigger *trigger = NULL;
    CHECK(use_up_descriptors());
    wh_ctx *ctx = wh_with_cancel(NULL);
    CHECK(wh_trigger_new(ctx, &trigger) == EAGAIN && !trigger);
    CHECK(ctx->refs == 1);
    wh_end(ctx);
    return true;
}

static void without_memory_or_descriptors(void **state)
{
    (void)state;
    static wh_trigger *triggers[10000];
    int count = 0, err = 0;
    WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
    memory_ends_after(1);
    while (count < 10000 && (err = wh_trigger_new(ctx, &triggers[count])) == 0) count++;
    assert_true(memory_is_back());
    assert_int_equal(err, ENOMEM);
    while (count) wh_trigger_free(triggers[--count]);
    assert_int_equal(ctx->refs, 1);
    assert_int_equal(in_child(without_a_thread, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(T033_a_handler_cancels, handle_signals),
        cmocka_unit_test(T033_with_any_reason_and_none),
        cmocka_unit_test(T033_not_of_everything),
        cmocka_unit_test(T033_made_and_never_fired),
        cmocka_unit_test(T033_the_context_may_end_before),
        cmocka_unit_test_setup(T033_what_has_fired_cancels_though_it_is_freed, handle_signals),
        cmocka_unit_test(T033_freed_by_a_callback),
        cmocka_unit_test(T033_the_order_of_firing_is_the_order_of_cancelling),
        cmocka_unit_test(T033_every_text_arrives),
        cmocka_unit_test_setup(T033_storm_of_signals_and_triggers, handle_signals),
        cmocka_unit_test(T033_freed_while_it_fires),
        cmocka_unit_test(T033_T156_the_child_of_a_fork_makes_its_own),
        cmocka_unit_test_setup(T033_T157_fork_in_a_storm, handle_signals),
        cmocka_unit_test(without_memory_or_descriptors),
    };
    return cmocka_run_group_tests_name("trigger", tests, NULL, NULL);
}
