/* Waiting for a condition variable and for a context at once. */
#include "gate.h"
#include "wait_tools.h"

/* A box that holds a number of things, as anybody would write it. */
struct box {
    pthread_mutex_t mutex;
    pthread_cond_t filled;
    int things;
    int waiting;
};

static void box_make(struct box *box)
{
    *box = (struct box){.things = 0};
    assert_int_equal(pthread_mutex_init(&box->mutex, NULL), 0);
    assert_int_equal(pthread_cond_init(&box->filled, NULL), 0);
}

static void box_break(struct box *box)
{
    assert_int_equal(pthread_mutex_destroy(&box->mutex), 0);
    assert_int_equal(pthread_cond_destroy(&box->filled), 0);
}

static void box_put(struct box *box, int things)
{
    pthread_mutex_lock(&box->mutex);
    box->things += things;
    pthread_mutex_unlock(&box->mutex);
    for (; things; things--) pthread_cond_signal(&box->filled);
}

static void leave_box(void *arg)
{
    struct box *box = arg;
    box->waiting--; /* with the mutex held, or this is a race */
    pthread_mutex_unlock(&box->mutex);
}

WH__MAY_VANISH static int take_one(struct wait *wait)
{
    struct box *box = wait->more;
    wait->err = 0;
    pthread_mutex_lock(&box->mutex);
    box->waiting++;
    pthread_cleanup_push(leave_box, box);
    while (!box->things && wait->err == 0) wait->err = wh_cond_wait(wait->ctx, &box->filled, &box->mutex);
    if (wait->err == 0) box->things--;
    pthread_cleanup_pop(1);
    return wait->err;
}

static bool has_waiters(struct box *box, int count)
{
    pthread_mutex_lock(&box->mutex);
    const bool has = box->waiting == count;
    pthread_mutex_unlock(&box->mutex);
    return has;
}

/* ---- what wakes it ---- */

static void a_signal_wakes_it(void **state)
{
    (void)state;
    struct box box;
    box_make(&box);
    WH_AUTO wh_ctx *ctx = wh_with_timeout(NULL, WH_SEC(1000));
    const wh_ctx *contexts[] = {ctx, NULL, wh_background()};
    for (int i = 0; i < 9; i++) {
        struct wait wait = {.fn = take_one, .ctx = contexts[i % 3], .more = &box};
        wait_begin(&wait);
        if (i >= 3) wait_until_asleep(&wait);
        box_put(&box, 1);
        assert_int_equal(wait_end(&wait), 0);
        assert_int_equal(box.things, 0);
    }
    assert_null(ctx->extra->callbacks);
    box_break(&box);
}

static void T128_a_cancel_wakes_it(void **state)
{
    (void)state;
    struct box box;
    box_make(&box);
    for (int i = 0; i < 30; i++) {
        WH_AUTO wh_ctx *root = wh_with_cancel(NULL);
        WH_AUTO wh_ctx *ctx = wh_with_cancel(root);
        struct wait wait = {.fn = take_one, .ctx = ctx, .more = &box};
        wait_begin(&wait);
        if (i % 3) wait_until_asleep(&wait);
        wh_cancel(root, reason_x, NULL);
        assert_int_equal(wait_end(&wait), ECANCELED);
    }
    box_break(&box);
}

static void T128_so_does_a_deadline(void **state)
{
    (void)state;
    struct box box;
    box_make(&box);
    for (int i = 0; i < 10; i++) {
        WH_AUTO wh_ctx *ctx = wh_with_timeout(NULL, WH_US(100) * i);
        WH_AUTO wh_ctx *below = wh_with_cancel(ctx);
        struct wait wait = {.fn = take_one, .ctx = below, .more = &box};
        assert_int_equal(take_one(&wait), ETIMEDOUT);
        assert_true(wh_now() >= wh_deadline(ctx));
    }
    box_break(&box);
}

static void T128_it_asks_before_it_waits(void **state)
{
    (void)state;
    struct box box;
    box_make(&box);
    WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
    WH_AUTO wh_ctx *late = wh_with_timeout(NULL, WH_US(50));
    while (wh_now() <= wh_deadline(late)) continue;
    wh_cancel(ctx, reason_x, NULL);
    pthread_mutex_lock(&box.mutex);
    assert_int_equal(wh_cond_wait(ctx, &box.filled, &box.mutex), ECANCELED);
    assert_int_equal(wh_cond_wait(late, &box.filled, &box.mutex), ETIMEDOUT);
    assert_int_equal(pthread_mutex_trylock(&box.mutex), EBUSY); /* it is held */
    pthread_mutex_unlock(&box.mutex);
    box_break(&box);
}

/* Between the waiter's look at the context and his sleep, at every place. */
static void cancel_it(struct race *race, int round)
{
    (void)round;
    wh_cancel(race->ctx, reason_x, NULL);
}

static void T124_no_wake_up_is_lost(void **state)
{
    (void)state;
    const int total = chances(1000);
    struct box box;
    box_make(&box);
    wh_ctx *ctx = wh_with_cancel(NULL);
    struct race race = {.fn = cancel_it, .rounds = total, .ctx = ctx};
    race.thread = start(run_race, &race);
    for (int i = 0; i < total; i++) {
        struct wait wait = {.ctx = ctx, .more = &box};
        meet(&race.gate, 2);
        assert_int_equal(take_one(&wait), ECANCELED);
        meet(&race.gate, 2);
        wh_end(ctx);
        if (i + 1 < total) race.ctx = ctx = wh_with_cancel(NULL);
    }
    join(race.thread);
    box_break(&box);
}

/* Mutex and condition variable are gone at once when it has returned; a late broadcast would reach into what came after. */
static void wake_it_by_both(struct race *race, int round)
{
    struct box *box = *(struct box **)race->more;
    if (round % 2) wh_cancel(race->ctx, reason_x, NULL);
    pthread_mutex_lock(&box->mutex);
    box->things = 1;
    pthread_cond_signal(&box->filled);
    pthread_mutex_unlock(&box->mutex);
    if (round % 2 == 0) wh_cancel(race->ctx, reason_x, NULL);
}

static void T115_nothing_is_touched_once_it_has_returned(void **state)
{
    (void)state;
    const int total = chances(500);
    struct box *box = calloc(1, sizeof *box);
    box_make(box);
    wh_ctx *ctx = wh_with_cancel(NULL);
    struct race race = {.fn = wake_it_by_both, .rounds = total, .ctx = ctx, .more = &box};
    race.thread = start(run_race, &race);
    for (int i = 0; i < total; i++) {
        struct wait wait = {.ctx = ctx, .more = box};
        meet(&race.gate, 2);
        const int err = take_one(&wait);
        assert_true(err == 0 || err == ECANCELED);
        if (err == 0) assert_int_equal(box->things, 0);
        meet(&race.gate, 2);
        wh_end(ctx); /* the callback may run only now, if it was not prevented */
        box_break(box);
        free(box);
        if (i + 1 == total) break;
        box = calloc(1, sizeof *box);
        box_make(box);
        race.ctx = ctx = wh_with_cancel(NULL);
    }
    join(race.thread);
}

/* ---- who holds the mutex ---- */

/* The canceller holds it and goes on holding it. */
static void T106_whoever_cancels_may_hold_the_mutex(void **state)
{
    (void)state;
    struct box box;
    box_make(&box);
    WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
    struct wait wait = {.fn = take_one, .ctx = ctx, .more = &box};
    wait_begin(&wait);
    wait_until_asleep(&wait);
    pthread_mutex_lock(&box.mutex);
    wh_cancel(ctx, reason_x, NULL);
    wh_wait(NULL, WH_MS(5));
    pthread_mutex_unlock(&box.mutex);
    assert_int_equal(wait_end(&wait), ECANCELED);
    box_break(&box);
}

static void count(void *arg)
{
    __atomic_fetch_add((int *)arg, 1, __ATOMIC_ACQ_REL);
}

/* He who holds it waits for another callback, which comes after the one that wants the mutex. */
static void T106_other_callbacks_do_not_wait_for_the_mutex(void **state)
{
    (void)state;
    struct box box;
    int ran = 0;
    wh_callback *callback;
    box_make(&box);
    WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
    struct wait wait = {.fn = take_one, .ctx = ctx, .more = &box};
    wait_begin(&wait);
    wait_until_asleep(&wait);
    pthread_mutex_lock(&box.mutex);
    wh_cancel(ctx, reason_x, NULL);
    assert_int_equal(wh_after(ctx, count, &ran, &callback), 0);
    EVENTUALLY(__atomic_load_n(&ran, __ATOMIC_ACQUIRE)); /* with the mutex held */
    assert_false(wh_stop_wait(callback));
    pthread_mutex_unlock(&box.mutex);
    assert_int_equal(wait_end(&wait), ECANCELED);
    box_break(&box);
}

/* ---- many ---- */

/* A signal that wakes one who goes because of his context wakes another: with as many things as there are patient takers,
 * each of them gets one. */
static void T124_a_signal_is_passed_on(void **state)
{
    (void)state;
    enum { EACH = 4 };
    struct box box;
    box_make(&box);
    for (int i = 0; i < chances(100); i++) {
        WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
        WH_AUTO wh_ctx *open = wh_with_cancel(NULL);
        struct wait leaving[EACH], patient[EACH];
        for (int k = 0; k < EACH; k++) {
            leaving[k] = (struct wait){.fn = take_one, .ctx = ctx, .more = &box};
            patient[k] = (struct wait){.fn = take_one, .ctx = k % 2 ? open : NULL, .more = &box};
            wait_begin(&leaving[k]);
            wait_begin(&patient[k]);
        }
        EVENTUALLY(has_waiters(&box, 2 * EACH));
        if (i % 2) wh_cancel(ctx, reason_x, NULL);
        box_put(&box, EACH);
        wh_cancel(ctx, reason_x, NULL);
        int taken = 0;
        for (int k = 0; k < EACH; k++) taken += wait_end(&leaving[k]) == 0;
        box_put(&box, taken);
        for (int k = 0; k < EACH; k++) assert_int_equal(wait_end(&patient[k]), 0);
        assert_int_equal(box.things, 0);
    }
    box_break(&box);
}

/* ---- pthread_cancel, signals, and what is missing ---- */

static void T127_a_waiting_thread_can_be_cancelled(void **state)
{
    (void)state;
    struct box box;
    box_make(&box);
    WH_AUTO wh_ctx *ctx = wh_with_timeout(NULL, WH_SEC(1000));
    struct wait waits = {.fn = take_one, .ctx = ctx, .more = &box}, never = {.fn = take_one, .more = &box};
    wait_vanishes(&waits);
    assert_int_equal(box.waiting, 0);
    assert_null(ctx->extra->callbacks);
    wait_vanishes(&never);
    assert_int_equal(pthread_mutex_trylock(&box.mutex), 0);
    pthread_mutex_unlock(&box.mutex);
    assert_int_equal(ctx->refs, 1);
    box_break(&box);
}

static void T126_signals_do_not_end_it(void **state)
{
    (void)state;
    struct pest pest;
    struct box box;
    box_make(&box);
    WH_AUTO wh_ctx *ctx = wh_with_timeout(NULL, WH_MS(12));
    struct wait wait = {.ctx = ctx, .more = &box};
    pest_begin(&pest);
    assert_int_equal(take_one(&wait), ETIMEDOUT);
    pest_end(&pest);
    box_break(&box);
}

static int take_one_without_memory(struct wait *wait)
{
    void *blocks[600];
    int count_of = 0;
    memory_ends_after(0);
    while (count_of < 600 && (blocks[count_of] = wh__slab_take(WH__128))) count_of++;
    const int err = take_one(wait);
    memory_is_back();
    while (count_of) wh__slab_put(blocks[--count_of]);
    return err;
}

static void T124_without_memory_no_wake_up_is_lost(void **state)
{
    (void)state;
    struct box box;
    box_make(&box);
    for (int i = 0; i < 10; i++) {
        WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
        struct wait wait = {.fn = take_one_without_memory, .ctx = ctx, .more = &box};
        wait_begin(&wait);
        if (i % 3) wait_until_asleep(&wait);
        if (i % 2)
            wh_cancel(ctx, reason_x, NULL);
        else
            box_put(&box, 1);
        assert_int_equal(wait_end(&wait), i % 2 ? ECANCELED : 0);
        assert_true(!ctx->extra || !ctx->extra->callbacks);
    }
    struct wait vanishes = {.fn = take_one, .more = &box};
    wait_vanishes(&vanishes);
    box_break(&box);
}

/* The timers have no thread; one for callbacks there is. */
static bool wait_without_timers(void *unused)
{
    (void)unused;
    static struct box box = {.mutex = PTHREAD_MUTEX_INITIALIZER, .filled = PTHREAD_COND_INITIALIZER};
    CHECK(use_up_descriptors());
    wh_ctx *ctx = wh_with_timeout(NULL, WH_MS(3));
    struct wait wait = {.ctx = ctx, .more = &box};
    CHECK(take_one(&wait) == ETIMEDOUT);
    wh_end(ctx);
    return true;
}

/* No thread at all can be had, and then they can. */
static bool wait_without_threads(void *unused)
{
    static struct box box = {.mutex = PTHREAD_MUTEX_INITIALIZER, .filled = PTHREAD_COND_INITIALIZER};
    const struct rlimit none = {0, 0};
    (void)unused;
    CHECK(setrlimit(RLIMIT_NPROC, &none) == 0 && (geteuid() != 0 || setresuid(65534, 65534, 65534) == 0));
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, run_wait, NULL) == EAGAIN);
    wh_ctx *ctx = wh_with_timeout(NULL, WH_MS(3));
    struct wait wait = {.ctx = ctx, .more = &box};
    CHECK(take_one(&wait) == ETIMEDOUT);
    wh_end(ctx);
    return true;
}

static void silence(enum wh_severity severity, const char *line, void *arg)
{
    (void)severity, (void)line, (void)arg;
}

static void T121_the_deadline_counts_without_threads(void **state)
{
    (void)state;
    wh_report_to(silence, NULL);
    assert_int_equal(in_child(wait_without_timers, NULL), 0);
    assert_int_equal(in_child(wait_without_threads, NULL), 0);
    wh_report_to(NULL, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(T121_the_deadline_counts_without_threads),
        cmocka_unit_test(a_signal_wakes_it),
        cmocka_unit_test(T128_a_cancel_wakes_it),
        cmocka_unit_test(T128_so_does_a_deadline),
        cmocka_unit_test(T128_it_asks_before_it_waits),
        cmocka_unit_test(T124_no_wake_up_is_lost),
        cmocka_unit_test(T115_nothing_is_touched_once_it_has_returned),
        cmocka_unit_test(T106_whoever_cancels_may_hold_the_mutex),
        cmocka_unit_test(T106_other_callbacks_do_not_wait_for_the_mutex),
        cmocka_unit_test(T124_a_signal_is_passed_on),
        cmocka_unit_test(T127_a_waiting_thread_can_be_cancelled),
        cmocka_unit_test(T126_signals_do_not_end_it),
        cmocka_unit_test(T124_without_memory_no_wake_up_is_lost),
    };
    return cmocka_run_group_tests_name("cond", tests, NULL, NULL);
}
