/* Groups that are not waited for without end: who is late, since when, and for nobody. */
#include <errno.h>
#include <semaphore.h>

#include "tools.h"

WH_REASON(reason_x, "x");
WH_KEY(number, int)

/* Ignores its context, as work does that nobody has taught better. */
struct stubborn {
    int begun;
    sem_t may_go;
    int rc;
};

static int ignore_it(const wh_ctx *ctx, void *arg)
{
    struct stubborn *stubborn = arg;
    (void)ctx;
    __atomic_store_n(&stubborn->begun, 1, __ATOMIC_RELEASE);
    sem_wait(&stubborn->may_go);
    return stubborn->rc;
}

static int obey(const wh_ctx *ctx, void *arg)
{
    (void)arg;
    return wh_wait(ctx, WH_SEC(60)) ? 0 : ETIME;
}

static int add_one(const wh_ctx *ctx, void *arg)
{
    (void)ctx;
    __atomic_fetch_add((int *)arg, 1, __ATOMIC_ACQ_REL);
    return 0;
}

/* ---- waiting until an instant ---- */

static void T136_waiting_ends_at_the_instant_and_the_members_run_on(void **state)
{
    (void)state;
    struct stubborn stubborn = {.rc = EIO};
    sem_init(&stubborn.may_go, 0, 0);
    WH_AUTO_GROUP wh_group *group = wh_group_new(NULL);
    assert_int_equal(wh_go(group, ignore_it, &stubborn), 0);
    const int64_t instant = wh_now() + WH_MS(20);
    assert_int_equal(wh_group_wait_until(group, instant), ETIMEDOUT);
    assert_true(wh_now() >= instant);
    assert_int_equal(wh_err(wh_group_ctx(group)), 0);
    assert_int_equal(wh_group_wait_until(group, 0), ETIMEDOUT);
    assert_int_equal(wh_group_wait_until(group, INT64_MIN), ETIMEDOUT);
    assert_int_equal(wh_group_stragglers(group, NULL, 0), 1);
    int ran = 0;
    assert_int_equal(wh_go(group, add_one, &ran), 0); /* it is still open */
    EVENTUALLY(__atomic_load_n(&ran, __ATOMIC_ACQUIRE) == 1);
    sem_post(&stubborn.may_go);
    assert_int_equal(wh_group_wait_until(group, wh_now() + WH_SEC(100)), EIO);
    assert_int_equal(wh_group_wait_until(group, 0), EIO);
    assert_int_equal(wh_group_wait(group), EIO);
    assert_int_equal(wh_group_stragglers(group, NULL, 0), 0);
}

static int wait_for_own(const wh_ctx *ctx, void *arg)
{
    return wh_group_wait_until(arg, wh_deadline(ctx)) == EDEADLK ? 0 : EIO;
}

static void T137_a_member_does_not_wait_for_itself_until_an_instant_either(void **state)
{
    (void)state;
    WH_AUTO_GROUP wh_group *group = wh_group_new(NULL);
    assert_int_equal(wh_go(group, wait_for_own, group), 0);
    assert_int_equal(wh_group_wait(group), 0);
}

/* Partial results: what there is by the deadline is kept, the rest is stopped and listed. */
static void T136_collect_until_the_deadline(void **state)
{
    (void)state;
    int parts = 0;
    struct stubborn late = {.rc = 0};
    struct wh_straggler straggler = {0};
    sem_init(&late.may_go, 0, 0);
    WH_AUTO wh_ctx *request = wh_with_timeout(NULL, WH_MS(300));
    WH_AUTO_GROUP wh_group *group = wh_group_new(request, .policy = WH_COLLECT);
    const int started = (wh_go(group, add_one, &parts) == 0) + (wh_go(group, add_one, &parts) == 0);
    const bool is_late = wh_go(group, ignore_it, &late) == 0; /* on a slow machine, not even that */
    assert_int_equal(wh_group_wait_until(group, wh_deadline(request)), ETIMEDOUT);
    if (started == 2) EVENTUALLY(__atomic_load_n(&parts, __ATOMIC_ACQUIRE) == 2);
    if (is_late) {
        EVENTUALLY(wh_group_stragglers(group, &straggler, 1) == 1);
        assert_string_equal(straggler.name, "ignore_it");
        assert_true(straggler.done >= wh_deadline(request)); /* it works for nobody */
    }
    sem_post(&late.may_go);
}

/* ---- who is late ---- */

static void T136_stragglers_are_listed_with_their_places_and_times(void **state)
{
    (void)state;
    struct stubborn stubborn[3] = {{.rc = 0}};
    struct wh_straggler list[4] = {{0}};
    int64_t since[4];
    WH_AUTO wh_ctx *parent = wh_with_cancel(NULL);
    WH_AUTO_GROUP wh_group *group = wh_group_new(parent);
    for (int i = 0; i < 3; i++) {
        sem_init(&stubborn[i].may_go, 0, 0);
        since[i] = wh_now();
        assert_int_equal(wh_go(group, ignore_it, &stubborn[i]), 0);
        EVENTUALLY(__atomic_load_n(&stubborn[i].begun, __ATOMIC_ACQUIRE));
    }
    since[3] = wh_now();
    const int line = __LINE__ - 4;
    assert_int_equal(wh_group_stragglers(group, list, 4), 3);
    for (int i = 0; i < 3; i++) {
        assert_string_equal(list[i].name, "ignore_it");
        assert_int_equal(list[i].site->line, line);
        assert_true(since[i] <= list[i].since && list[i].since <= since[i + 1]);
        assert_int_equal(list[i].done, 0);
    }
    assert_null(list[3].name);

    wh_cancel(parent, reason_x, NULL);
    const int64_t cancelled = wh_now();
    assert_int_equal(wh_group_stragglers(group, list, 2), 3);
    assert_true(list[0].done >= since[3] && list[0].done <= cancelled);
    sem_post(&stubborn[1].may_go);
    EVENTUALLY(wh_group_stragglers(group, list, 2) == 2);
    assert_true(list[1].since >= since[2]); /* the third one */
    for (int i = 0; i < 3; i += 2) sem_post(&stubborn[i].may_go);
    assert_int_equal(wh_group_wait(group), 0);
    assert_int_equal(wh_group_stragglers(group, list, 4), 0);
}

static void T136_a_late_timer_does_not_hide_that_the_time_is_up(void **state)
{
    (void)state;
    struct stubborn stubborn = {.rc = 0};
    struct wh_straggler straggler = {0};
    sem_init(&stubborn.may_go, 0, 0);
    for (int i = 0; i < 20; i++) {
        WH_AUTO wh_ctx *parent = wh_with_timeout(NULL, WH_MS(5));
        WH_AUTO_GROUP wh_group *group = wh_group_new(parent);
        const int rc = wh_go(group, ignore_it, &stubborn);
        while (wh_now() <= wh_deadline(parent)) continue;
        assert_int_equal(wh_group_stragglers(group, &straggler, 1), rc == 0);
        if (rc == 0) assert_true(straggler.done >= wh_deadline(parent));
        if (rc == 0) sem_post(&stubborn.may_go);
    }
}

/* Lists are made while members come and go. */
struct listing {
    wh_group *group;
    bool over;
};

static void *list_stragglers(void *arg)
{
    struct listing *listing = arg;
    int wrong = 0;
    while (!__atomic_load_n(&listing->over, __ATOMIC_ACQUIRE)) {
        struct wh_straggler list[8];
        const size_t count = wh_group_stragglers(listing->group, list, 8);
        for (size_t i = 0; i < count && i < 8; i++) wrong += strcmp(list[i].name, "add_one") != 0 || list[i].since > wh_now();
        wrong += wh_group_wait_until(listing->group, wh_now()) != ETIMEDOUT;
        sched_yield(); /* under valgrind nobody else may get a turn while the lock is free */
    }
    return (void *)(intptr_t)wrong;
}

static void T136_listing_and_waiting_while_members_return(void **state)
{
    (void)state;
    int count = 0;
    struct stubborn stubborn = {.rc = 0};
    sem_init(&stubborn.may_go, 0, 0);
    WH_AUTO_GROUP wh_group *group = wh_group_new(NULL, .policy = WH_COLLECT);
    struct listing listing = {.group = group};
    assert_int_equal(wh_go_at(group, ignore_it, &stubborn, "add_one", WH_HERE), 0); /* keeps the group open */
    pthread_t threads[2];
    for (int i = 0; i < 2; i++) threads[i] = start(list_stragglers, &listing);
    for (int i = 0; i < rounds(2000); i++) assert_int_equal(wh_go(group, add_one, &count), 0);
    __atomic_store_n(&listing.over, true, __ATOMIC_RELEASE);
    for (int i = 0; i < 2; i++) {
        void *wrong;
        assert_int_equal(pthread_join(threads[i], &wrong), 0);
        assert_null(wrong);
    }
    sem_post(&stubborn.may_go);
    assert_int_equal(wh_group_wait(group), 0);
    assert_int_equal(count, rounds(2000));
}

/* ---- work that outlives its request ---- */

struct audit {
    const wh_ctx *ctx;
    int err, number;
    sem_t *request_is_over;
};

static int write_audit(const wh_ctx *group_ctx, void *arg)
{
    struct audit *audit = arg;
    WH_AUTO wh_ctx *own = wh_with_timeout(audit->ctx, WH_SEC(100));
    (void)group_ctx;
    sem_wait(audit->request_is_over);
    audit->err = wh_err(own);
    audit->number = wh_number(own);
    return 0;
}

/* A job in the background, on purpose: it keeps the values of its request, not its life; the service waits for it. */
static void T136_a_detached_job_is_drained_by_its_service(void **state)
{
    (void)state;
    sem_t over;
    sem_init(&over, 0, 0);
    WH_AUTO wh_ctx *service = wh_with_cancel(NULL);
    WH_AUTO_GROUP wh_group *background = wh_group_new(service, .policy = WH_COLLECT);
    wh_ctx *live = wh_with_cancel(service);
    wh_ctx *request = wh_take_over(wh_with_number(live, 17), live);
    wh_ctx *job = wh_detach(request);
    struct audit audit = {.ctx = job, .err = -1, .request_is_over = &over};
    assert_int_equal(wh_go(background, write_audit, &audit), 0);
    wh_end(request);
    wh_cancel(service, WH_SHUTDOWN, NULL);
    assert_int_equal(wh_group_wait_until(background, wh_now() + WH_MS(1)), ETIMEDOUT);
    sem_post(&over);
    assert_int_equal(wh_group_wait_until(background, wh_now() + WH_SEC(100)), 0);
    assert_int_equal(audit.err, 0);
    assert_int_equal(audit.number, 17);
    wh_end(job);
}

/* A stage that succeeds says nothing; all of them succeed, and still it ends. One fails: all the others are stopped. */
static void T131_a_pipeline_ends_when_all_its_stages_have(void **state)
{
    (void)state;
    int count = 0;
    wh_group *group = wh_group_new(NULL);
    for (int i = 0; i < 3; i++) wh_go(group, add_one, &count);
    assert_int_equal(wh_group_wait(group), 0);
    assert_int_equal(count, 3);
    wh_group_free(group);
    struct stubborn failing = {.rc = EIO};
    sem_init(&failing.may_go, 0, 1);
    group = wh_group_new(NULL);
    for (int i = 0; i < 2; i++) wh_go(group, obey, NULL);
    wh_go(group, ignore_it, &failing);
    assert_int_equal(wh_group_wait(group), EIO);
    assert_int_equal(wh_group_failures(group, NULL, 0), 1);
    wh_group_free(group);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(T136_waiting_ends_at_the_instant_and_the_members_run_on),
        cmocka_unit_test(T137_a_member_does_not_wait_for_itself_until_an_instant_either),
        cmocka_unit_test(T136_collect_until_the_deadline),
        cmocka_unit_test(T136_stragglers_are_listed_with_their_places_and_times),
        cmocka_unit_test(T136_a_late_timer_does_not_hide_that_the_time_is_up),
        cmocka_unit_test(T136_listing_and_waiting_while_members_return),
        cmocka_unit_test(T136_a_detached_job_is_drained_by_its_service),
        cmocka_unit_test(T131_a_pipeline_ends_when_all_its_stages_have),
    };
    return cmocka_run_group_tests_name("straggler", tests, NULL, NULL);
}
