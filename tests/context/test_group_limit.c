/* Groups: how many members run at a time. */
#include "gate.h"
#include "group_tools.h"

WH_REASON(reason_x, "x");

/* ---- the limit ---- */

struct crowd {
    int active, most, ran;
};

static int be_one_of(const wh_ctx *ctx, void *arg)
{
    struct crowd *crowd = arg;
    (void)ctx;
    const int active = __atomic_add_fetch(&crowd->active, 1, __ATOMIC_ACQ_REL);
    int most = __atomic_load_n(&crowd->most, __ATOMIC_ACQUIRE);
    while (active > most && !__atomic_compare_exchange_n(&crowd->most, &most, active, false, __ATOMIC_ACQ_REL,
                                __ATOMIC_ACQUIRE))
        continue;
    uint32_t seed = (uint32_t)(uintptr_t)&seed | 1;
    dawdle(&seed);
    __atomic_fetch_add(&crowd->ran, 1, __ATOMIC_ACQ_REL);
    __atomic_fetch_sub(&crowd->active, 1, __ATOMIC_ACQ_REL);
    return 0;
}

static void T132_a_limit_is_kept(void **state)
{
    (void)state;
    for (int limit = 1; limit <= 4; limit++) {
        struct crowd crowd = {0};
        WH_AUTO_GROUP wh_group *group = wh_group_new(NULL);
        assert_int_equal(wh_group_limit(group, limit), 0);
        for (int i = 0; i < rounds(400); i++) assert_int_equal(wh_go(group, be_one_of, &crowd), 0);
        assert_int_equal(wh_group_wait(group), 0);
        assert_int_equal(crowd.ran, rounds(400));
        assert_in_range(crowd.most, 1, limit);
    }
}

struct starter {
    wh_group *group;
    struct crowd *crowd;
    pthread_t thread;
};

static void *start_many(void *arg)
{
    struct starter *starter = arg;
    int refused = 0;
    for (int i = 0; i < rounds(200); i++) refused += wh_go(starter->group, be_one_of, starter->crowd) != 0;
    return (void *)(intptr_t)refused;
}

/* No wake-up is lost: everybody gets his place. */
static void T132_many_threads_wait_for_places(void **state)
{
    (void)state;
    struct crowd crowd = {0};
    struct starter starters[4];
    WH_AUTO_GROUP wh_group *group = wh_group_new(NULL);
    assert_int_equal(wh_group_limit(group, 2), 0);
    for (int i = 0; i < 4; i++) {
        starters[i] = (struct starter){.group = group, .crowd = &crowd};
        starters[i].thread = start(start_many, &starters[i]);
    }
    for (int i = 0; i < 4; i++) {
        void *refused;
        assert_int_equal(pthread_join(starters[i].thread, &refused), 0);
        assert_null(refused);
    }
    assert_int_equal(wh_group_wait(group), 0);
    assert_int_equal(crowd.ran, 4 * rounds(200));
    assert_in_range(crowd.most, 1, 2);
    assert_int_equal(group->running, 0);
}

static void T132_trying_says_no_at_the_limit_and_nothing_has_happened(void **state)
{
    (void)state;
    int ran = 0;
    sem_t may_go;
    sem_init(&may_go, 0, 0);
    WH_AUTO_GROUP wh_group *group = wh_group_new(NULL);
    assert_int_equal(wh_group_limit(group, 2), 0);
    assert_int_equal(wh_try_go(group, hold, &may_go), 0);
    assert_int_equal(wh_try_go(group, hold, &may_go), 0);
    for (int i = 0; i < 3; i++) assert_int_equal(wh_try_go(group, succeed, &ran), EAGAIN);
    assert_int_equal(wh_err(wh_group_ctx(group)), 0);
    sem_post(&may_go);
    EVENTUALLY(wh_try_go(group, succeed, &ran) == 0);
    sem_post(&may_go);
    assert_int_equal(wh_group_wait(group), 0);
    assert_int_equal(ran, 1);
    assert_int_equal(wh_group_failures(group, NULL, 0), 0);
}

static void T132_trying_does_not_pass_those_who_wait(void **state)
{
    (void)state;
    int ran = 0;
    struct asker asker;
    WH_AUTO_GROUP wh_group *group = wh_group_new(NULL);
    assert_int_equal(wh_group_limit(group, 0), 0);
    line_up(&asker, group, succeed, &ran);
    assert_int_equal(wh_try_go(group, succeed, &ran), EAGAIN);
    assert_int_equal(wh_group_wait(group), 0); /* nobody runs, and nobody will */
    assert_int_equal(answer_to(&asker), ECANCELED);
    assert_int_equal(wh_group_wait(group), 0);
    assert_int_equal(ran, 0);
}

static void T132_the_limit_does_not_change_while_it_matters(void **state)
{
    (void)state;
    int ran = 0;
    sem_t may_go;
    struct asker asker;
    sem_init(&may_go, 0, 0);
    WH_AUTO wh_ctx *parent = wh_with_cancel(NULL);
    WH_AUTO_GROUP wh_group *group = wh_group_new(parent, .policy = WH_COLLECT);
    assert_int_equal(wh_group_limit(group, 1), 0);
    assert_int_equal(wh_go(group, hold, &may_go), 0);
    assert_int_equal(wh_group_limit(group, 5), EBUSY);
    assert_int_equal(wh_group_limit(group, -1), EBUSY);
    assert_int_equal(wh_try_go(group, succeed, &ran), EAGAIN);
    sem_post(&may_go);
    EVENTUALLY(wh_group_limit(group, 0) == 0);
    assert_int_equal(wh_try_go(group, succeed, &ran), EAGAIN);
    line_up(&asker, group, succeed, &ran);
    assert_int_equal(wh_group_limit(group, 1), EBUSY); /* somebody waits */
    wh_cancel(parent, reason_x, NULL);
    assert_int_equal(answer_to(&asker), ECANCELED);
    assert_int_equal(wh_group_limit(group, -1), 0);
    assert_int_equal(wh_group_wait(group), ECANCELED);
    assert_int_equal(ran, 0);
}

/* ---- without memory, without threads ---- */

static void T132_a_member_without_memory_gives_its_place_back(void **state)
{
    (void)state;
    int ran = 0;
    WH_AUTO_GROUP wh_group *group = wh_group_new(NULL, .policy = WH_COLLECT);
    assert_int_equal(wh_group_limit(group, 1), 0);
    for (int i = 0; i < 3; i++) {
        memory_ends_after(0);
        const int rc = wh_go(group, succeed, &ran);
        memory_is_back();
        assert_int_equal(rc, ENOMEM);
        assert_int_equal(group->running, 0);
    }
    assert_int_equal(wh_go(group, succeed, &ran), 0);
    assert_int_equal(wh_group_wait(group), ENOMEM);
    assert_int_equal(wh_group_failures(group, NULL, 0), 3);
    assert_int_equal(ran, 1);
}

static void T132_a_group_without_memory_has_no_limit_to_set(void **state)
{
    (void)state;
    memory_ends_after(0);
    wh_group *group = wh_group_new(NULL, .policy = WH_FIRST_SUCCESS);
    memory_is_back();
    assert_int_equal(wh_group_limit(group, 1), ENOMEM);
    assert_int_equal(wh_go_optional(group, succeed, NULL), ENOMEM);
    assert_int_equal(wh_try_go(group, succeed, NULL), ENOMEM);
    assert_int_equal(wh_group_wait_until(group, 0), ENOMEM);
    assert_int_equal(wh_group_stragglers(group, NULL, 0), 0);
    assert_int_equal(wh_group_failures(group, NULL, 0), 0);
    wh_group_free(group);
}

/* A stack of 128 TiB cannot be had by anyone. */
static void T132_trying_without_a_thread_to_spare(void **state)
{
    (void)state;
    int ran = 0;
    pthread_attr_t before, huge;
    WH_AUTO_GROUP wh_group *group = wh_group_new(NULL);
    assert_int_equal(wh_group_limit(group, 1), 0);
    assert_int_equal(pthread_getattr_default_np(&before), 0);
    assert_int_equal(pthread_attr_init(&huge), 0);
    assert_int_equal(pthread_attr_setstacksize(&huge, (size_t)1 << 47), 0);
    assert_int_equal(pthread_setattr_default_np(&huge), 0);
    const int rc = wh_try_go(group, succeed, &ran);
    assert_int_equal(pthread_setattr_default_np(&before), 0);
    pthread_attr_destroy(&huge);
    pthread_attr_destroy(&before);
    assert_int_not_equal(rc, 0); /* EAGAIN, unless something stands between us and the kernel */
    assert_int_equal(wh_group_failures(group, NULL, 0), rc != EAGAIN);
    assert_int_equal(wh_try_go(group, succeed, &ran), rc == EAGAIN ? 0 : ECANCELED);
    assert_int_equal(wh_group_wait(group), rc == EAGAIN ? 0 : rc);
    assert_int_equal(ran, rc == EAGAIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(T132_a_limit_is_kept),
        cmocka_unit_test(T132_many_threads_wait_for_places),
        cmocka_unit_test(T132_trying_says_no_at_the_limit_and_nothing_has_happened),
        cmocka_unit_test(T132_trying_does_not_pass_those_who_wait),
        cmocka_unit_test(T132_the_limit_does_not_change_while_it_matters),
        cmocka_unit_test(T132_a_member_without_memory_gives_its_place_back),
        cmocka_unit_test(T132_a_group_without_memory_has_no_limit_to_set),
        cmocka_unit_test(T132_trying_without_a_thread_to_spare),
    };
    return cmocka_run_group_tests_name("group limit", tests, NULL, NULL);
}
