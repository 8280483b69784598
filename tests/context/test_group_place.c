/* Groups: who waits for a place to start a member, and members that start members. */
#include "group_tools.h"

WH_REASON(reason_x, "x");

/* ---- waiting for a place ---- */

static int note_turn(const wh_ctx *ctx, void *arg)
{
    static int turns;
    (void)ctx;
    __atomic_store_n((int *)arg, __atomic_fetch_add(&turns, 1, __ATOMIC_ACQ_REL), __ATOMIC_RELEASE);
    return 0;
}

static void T132_places_go_to_those_who_wait_in_their_order(void **state)
{
    (void)state;
    enum { MANY = 8 };
    sem_t may_go;
    struct asker askers[MANY];
    int turns[MANY];
    sem_init(&may_go, 0, 0);
    WH_AUTO_GROUP wh_group *group = wh_group_new(NULL);
    assert_int_equal(wh_group_limit(group, 1), 0);
    assert_int_equal(wh_go(group, hold, &may_go), 0);
    for (int i = 0; i < MANY; i++) line_up(&askers[i], group, note_turn, &turns[i]);
    sem_post(&may_go);
    for (int i = 0; i < MANY; i++) assert_int_equal(answer_to(&askers[i]), 0);
    assert_int_equal(wh_group_wait(group), 0);
    for (int i = 1; i < MANY; i++) assert_int_equal(turns[i], turns[i - 1] + 1);
}

static void T133_who_waits_for_a_place_leaves_with_the_cancel(void **state)
{
    (void)state;
    int ran = 0;
    sem_t may_go;
    struct asker askers[3];
    struct wh_member_failure failure = {0};
    sem_init(&may_go, 0, 0);
    WH_AUTO wh_ctx *parent = wh_with_cancel(NULL);
    WH_AUTO_GROUP wh_group *group = wh_group_new(parent);
    assert_int_equal(wh_group_limit(group, 1), 0);
    assert_int_equal(wh_go(group, hold, &may_go), 0);
    for (int i = 0; i < 3; i++) line_up(&askers[i], group, succeed, &ran);
    wh_cancel(parent, reason_x, NULL);
    for (int i = 0; i < 3; i++) assert_int_equal(answer_to(&askers[i]), ECANCELED);
    sem_post(&may_go);
    assert_int_equal(wh_group_wait(group), ECANCELED);
    assert_int_equal(wh_group_failures(group, &failure, 1), 3);
    assert_int_equal(failure.rc, ECANCELED);
    assert_int_equal(ran, 0);
    assert_int_equal(group->running, 0);
}

static void T133_who_waits_for_a_place_leaves_with_the_deadline(void **state)
{
    (void)state;
    int ran = 0;
    sem_t may_go;
    sem_init(&may_go, 0, 0);
    WH_AUTO wh_ctx *parent = wh_with_timeout(NULL, WH_MS(50));
    WH_AUTO_GROUP wh_group *group = wh_group_new(parent);
    assert_int_equal(wh_group_limit(group, 1), 0);
    const int first = wh_go(group, hold, &may_go); /* unless the time was up even before */
    for (int i = 0; i < 3; i++) assert_int_equal(wh_go(group, succeed, &ran), ETIMEDOUT);
    assert_true(wh_now() >= wh_deadline(parent));
    sem_post(&may_go);
    assert_int_equal(wh_group_wait(group), ETIMEDOUT);
    assert_int_equal(wh_group_failures(group, NULL, 0), first ? 4 : 3);
    assert_int_equal(ran, 0);
}

/* A place that comes at the moment of the cancel is not lost, and neither is who has got it. */
static void *cancel_it(void *arg)
{
    void **pair = arg;
    meet(pair[1], 2);
    wh_cancel(pair[0], reason_x, NULL);
    return NULL;
}

static void T133_a_place_and_a_cancel_at_once(void **state)
{
    (void)state;
    for (int i = 0; i < rounds(300); i++) {
        int ran = 0;
        sem_t may_go;
        struct gate gate = {0};
        struct asker asker;
        sem_init(&may_go, 0, 0);
        wh_ctx *parent = wh_with_cancel(NULL);
        void *pair[] = {parent, &gate};
        wh_group *group = wh_group_new(parent);
        assert_int_equal(wh_group_limit(group, 1), 0);
        assert_int_equal(wh_go(group, hold, &may_go), 0);
        line_up(&asker, group, succeed, &ran);
        const pthread_t canceller = start(cancel_it, pair);
        meet(&gate, 2);
        sem_post(&may_go);
        const int rc = answer_to(&asker);
        join(canceller);
        assert_true(rc == 0 || rc == ECANCELED);
        assert_int_equal(wh_group_wait(group), rc);
        assert_int_equal(ran, rc == 0);
        assert_int_equal(group->running, 0);
        assert_int_equal(group->kin, 0);
        assert_null(group->line.first);
        wh_group_free(group);
        wh_end(parent);
        sem_destroy(&may_go);
    }
}

/* ---- members that start members ---- */

static int have_a_child(const wh_ctx *ctx, void *arg)
{
    struct asker *asker = arg;
    (void)ctx;
    asker->rc = wh_go(asker->group, succeed, asker->arg);
    return 0;
}

static void T132_a_member_that_would_wait_for_itself_is_told(void **state)
{
    (void)state;
    int ran = 0;
    WH_AUTO_GROUP wh_group *group = wh_group_new(NULL);
    struct asker member = {.group = group, .arg = &ran};
    assert_int_equal(wh_group_limit(group, 1), 0);
    assert_int_equal(wh_go(group, have_a_child, &member), 0);
    assert_int_equal(wh_group_wait(group), EDEADLK);
    assert_int_equal(member.rc, EDEADLK);
    assert_int_equal(ran, 0);
    assert_string_equal(cause_of(wh_group_ctx(group)).text, "succeed could not be started: EDEADLK");
}

/* As long as one of them does not wait, he may return and make room: the last one does not wait. */
static int have_a_child_after_the_other(const wh_ctx *ctx, void *arg)
{
    struct asker *asker = arg;
    EVENTUALLY(in_line(asker->group) == 1);
    return have_a_child(ctx, arg);
}

static void T132_the_last_member_at_the_limit_does_not_wait(void **state)
{
    (void)state;
    int ran = 0;
    WH_AUTO_GROUP wh_group *group = wh_group_new(NULL, .policy = WH_COLLECT);
    struct asker first = {.group = group, .arg = &ran}, last = first;
    assert_int_equal(wh_group_limit(group, 2), 0);
    assert_int_equal(wh_go(group, have_a_child_after_the_other, &last), 0);
    assert_int_equal(wh_go(group, have_a_child, &first), 0);
    assert_int_equal(wh_group_wait(group), EDEADLK);
    assert_int_equal(last.rc, EDEADLK);
    assert_int_equal(first.rc, 0);
    assert_int_equal(ran, 1);
}

static int be_fruitful(const wh_ctx *ctx, void *arg)
{
    struct asker *family = arg;
    (void)ctx;
    const int number = __atomic_add_fetch(&family->rc, 1, __ATOMIC_ACQ_REL);
    for (int i = 0; i < 2 && number <= 63; i++) {
        const int rc = wh_go(family->group, be_fruitful, family);
        if (rc && rc != EDEADLK) return rc;
    }
    return 0;
}

/* Whatever becomes of them, nobody hangs. */
static void T132_members_that_start_members_come_to_an_end(void **state)
{
    (void)state;
    for (int i = 0; i < rounds(40); i++) {
        WH_AUTO_GROUP wh_group *group = wh_group_new(NULL, .policy = WH_COLLECT);
        struct asker family = {.group = group, .rc = 0};
        assert_int_equal(wh_group_limit(group, 1 + i % 5), 0);
        assert_int_equal(wh_go(group, be_fruitful, &family), 0);
        const int rc = wh_group_wait(group);
        assert_true(rc == 0 || rc == EDEADLK);
        assert_int_equal(group->running, 0);
        assert_int_equal(group->kin, 0);
        const size_t refused = wh_group_failures(group, NULL, 0);
        assert_int_equal(rc == EDEADLK, refused > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(T132_places_go_to_those_who_wait_in_their_order),
        cmocka_unit_test(T133_who_waits_for_a_place_leaves_with_the_cancel),
        cmocka_unit_test(T133_who_waits_for_a_place_leaves_with_the_deadline),
        cmocka_unit_test(T133_a_place_and_a_cancel_at_once),
        cmocka_unit_test(T132_a_member_that_would_wait_for_itself_is_told),
        cmocka_unit_test(T132_the_last_member_at_the_limit_does_not_wait),
        cmocka_unit_test(T132_members_that_start_members_come_to_an_end),
    };
    return cmocka_run_group_tests_name("group place", tests, NULL, NULL);
}
