/* Semaphores among many: crowds, races, and a storm; no permit is lost or made. */
#include "sem_tools.h"

/* ---- many ---- */

enum { CROWD = 2000 };

static void one_release_lets_thousands_in(void **state)
{
    (void)state;
    static struct asker askers[CROWD];
    const unsigned many = (unsigned)rounds(CROWD);
    WH_AUTO wh_ctx *ctx = wh_with_timeout(NULL, WH_SEC(1000));
    wh_sem *sem = sem_with(CROWD, CROWD);
    for (unsigned i = 0; i < many; i++) begin_to_ask(&askers[i], i % 2 ? ctx : NULL, sem, 1);
    EVENTUALLY(waiting(sem) == many);
    assert_int_equal(wh_sem_release(sem, many), 0);
    for (unsigned i = 0; i < many; i++) assert_int_equal(answer_to(&askers[i]), 0);
    assert_int_equal(taken(sem), CROWD);
    assert_int_equal(wh_sem_release(sem, CROWD), 0);
    assert_idle(sem);
    wh_sem_free(sem);
}

/* Every other one goes, and then the one at the head, for whom all the others wait. */
static void one_cancel_sends_thousands_away(void **state)
{
    (void)state;
    static struct asker askers[CROWD];
    const unsigned many = (unsigned)rounds(CROWD);
    WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
    WH_AUTO wh_ctx *first = wh_with_cancel(NULL);
    wh_sem *sem = sem_with(CROWD, 1);
    struct asker head;
    line_up(&head, first, sem, CROWD);
    for (unsigned i = 0; i < many; i++) begin_to_ask(&askers[i], i % 2 ? ctx : NULL, sem, 1);
    EVENTUALLY(waiting(sem) == many + 1);
    wh_cancel(ctx, NULL, NULL);
    for (unsigned i = 1; i < many; i += 2) assert_int_equal(answer_to(&askers[i]), ECANCELED);
    assert_int_equal(waiting(sem), 1 + (many + 1) / 2);
    wh_cancel(first, NULL, NULL);
    assert_int_equal(answer_to(&head), ECANCELED);
    for (unsigned i = 0; i < many; i += 2) assert_int_equal(answer_to(&askers[i]), 0);
    assert_int_equal(wh_sem_release(sem, 1 + (many + 1) / 2), 0);
    assert_idle(sem);
    wh_sem_free(sem);
}

/* ---- races ---- */

/* The first waits with a context that is cancelled while the permit comes; behind it, one who must get it in the end. */
struct duel {
    struct gate gate;
    wh_sem *sem;
    wh_ctx *ctx;
    int count;
    int won, lost, wrong;
};

static void *first_in_line(void *arg)
{
    struct duel *duel = arg;
    for (int i = 0; i < duel->count; i++) {
        meet(&duel->gate, 4);
        const int err = wh_sem_acquire(duel->ctx, duel->sem, 1);
        if (err == 0) duel->wrong += wh_sem_release(duel->sem, 1) != 0;
        duel->wrong += err != 0 && err != ECANCELED;
        *(err ? &duel->lost : &duel->won) += 1;
        meet(&duel->gate, 4);
    }
    return NULL;
}

static void *second_in_line(void *arg)
{
    struct duel *duel = arg;
    intptr_t wrong = 0;
    for (int i = 0; i < duel->count; i++) {
        meet(&duel->gate, 4);
        wrong += wh_sem_acquire(NULL, duel->sem, 2) != 0 || wh_sem_release(duel->sem, 2) != 0;
        meet(&duel->gate, 4);
    }
    return (void *)wrong;
}

static void *canceller(void *arg)
{
    struct duel *duel = arg;
    uint32_t seed = 7;
    for (int i = 0; i < duel->count; i++) {
        meet(&duel->gate, 4);
        if (i % 2) EVENTUALLY(waiting(duel->sem) > 0 || !taken(duel->sem));
        dawdle(&seed);
        wh_cancel(duel->ctx, NULL, NULL);
        meet(&duel->gate, 4);
    }
    return NULL;
}

static void T139_cancel_and_grant_at_once_lose_no_permit(void **state)
{
    (void)state;
    struct duel duel = {.sem = sem_with(2, 2), .ctx = wh_with_cancel(NULL), .count = chances(20000)};
    void *(*const roles[])(void *) = {first_in_line, second_in_line, canceller};
    pthread_t threads[3];
    uint32_t seed = 3;
    for (int i = 0; i < 3; i++) threads[i] = start(roles[i], &duel);
    for (int i = 0; i < duel.count; i++) {
        meet(&duel.gate, 4);
        if (i % 2) EVENTUALLY(waiting(duel.sem) > 0);
        dawdle(&seed);
        assert_int_equal(wh_sem_release(duel.sem, 2), 0);
        meet(&duel.gate, 4); /* everyone is through: all is back */
        assert_idle(duel.sem);
        assert_true(wh_sem_try_acquire(duel.sem, 2));
        wh_end(duel.ctx);
        duel.ctx = wh_with_cancel(NULL);
    }
    void *wrong;
    join(threads[0]);
    assert_int_equal(pthread_join(threads[1], &wrong), 0);
    join(threads[2]);
    assert_null(wrong);
    assert_int_equal(duel.wrong, 0);
    assert_int_equal(duel.won + duel.lost, duel.count);
    wh_end(duel.ctx);
    wh_sem_free(duel.sem);
}

struct givers {
    struct gate gate;
    wh_sem *sem;
    int count, given;
};

static void *give_one_too_many(void *arg)
{
    struct givers *givers = arg;
    for (int i = 0; i < givers->count; i++) {
        meet(&givers->gate, 3);
        if (wh_sem_release(givers->sem, 1) == 0) __atomic_fetch_add(&givers->given, 1, __ATOMIC_RELAXED);
        meet(&givers->gate, 3);
    }
    return NULL;
}

static void T139_two_cannot_give_back_the_same_permit(void **state)
{
    (void)state;
    struct givers givers = {.sem = sem_with(3, 0), .count = chances(20000)};
    const pthread_t threads[] = {start(give_one_too_many, &givers), start(give_one_too_many, &givers)};
    for (int i = 0; i < givers.count; i++) {
        const bool took = wh_sem_try_acquire(givers.sem, 1);
        meet(&givers.gate, 3);
        meet(&givers.gate, 3);
        assert_true(took && taken(givers.sem) == 0);
    }
    join(threads[0]);
    join(threads[1]);
    assert_int_equal(givers.given, givers.count);
    assert_idle(givers.sem);
    wh_sem_free(givers.sem);
}

/* Whoever is let in last frees the semaphore, while who let them in may not have returned yet. */
struct shared {
    wh_sem *sem;
    int users;
};

static void *use_and_drop(void *arg)
{
    struct shared *shared = arg;
    const int err = wh_sem_acquire(NULL, shared->sem, 1);
    if (__atomic_sub_fetch(&shared->users, 1, __ATOMIC_ACQ_REL) == 0) wh_sem_free(shared->sem);
    return (void *)(intptr_t)err;
}

static void whom_it_let_in_may_free_it(void **state)
{
    (void)state;
    enum { USERS = AT_ONCE };
    for (int round = 0; round < rounds(400); round++) {
        struct shared shared = {.sem = sem_with(USERS, USERS), .users = USERS};
        pthread_t threads[USERS];
        for (int i = 0; i < USERS; i++) threads[i] = start(use_and_drop, &shared);
        EVENTUALLY(waiting(shared.sem) == USERS);
        assert_int_equal(wh_sem_release(shared.sem, USERS), 0);
        for (int i = 0; i < USERS; i++) {
            void *err;
            assert_int_equal(pthread_join(threads[i], &err), 0);
            assert_null(err);
        }
    }
}

/* ---- all of it, at random ---- */

enum { SIZE = 7, THREADS = 8 };

static struct storm {
    wh_sem *sem;
    int count;
    uint32_t inside, wrong, ends[3]; /* atomic; of ends: let in, cancelled, too late */
    struct {
        pthread_mutex_t mutex;
        wh_ctx *ctx;
    } slots[THREADS];
} storm;

static wh_ctx *publish(unsigned slot, wh_ctx *ctx)
{
    pthread_mutex_lock(&storm.slots[slot].mutex);
    wh_ctx *before = storm.slots[slot].ctx;
    storm.slots[slot].ctx = ctx;
    pthread_mutex_unlock(&storm.slots[slot].mutex);
    return before;
}

static void cancel_one(unsigned slot)
{
    pthread_mutex_lock(&storm.slots[slot].mutex);
    if (storm.slots[slot].ctx) wh_cancel(storm.slots[slot].ctx, NULL, NULL);
    pthread_mutex_unlock(&storm.slots[slot].mutex);
}

static bool get_in(unsigned slot, uint32_t weight, uint32_t random)
{
    if (random % 4 == 0) return wh_sem_try_acquire(storm.sem, weight);
    publish(slot, wh_with_timeout(NULL, WH_US(1 + random % 500)));
    const int err = wh_sem_acquire(storm.slots[slot].ctx, storm.sem, weight);
    wh_end(publish(slot, NULL));
    __atomic_fetch_add(&storm.ends[err == 0 ? 0 : err == ECANCELED ? 1 : 2], 1, __ATOMIC_RELAXED);
    if (err != 0 && err != ECANCELED && err != ETIMEDOUT) __atomic_fetch_add(&storm.wrong, 1, __ATOMIC_RELAXED);
    return err == 0;
}

static void *weather(void *arg)
{
    const unsigned slot = (unsigned)(uintptr_t)arg;
    uint32_t seed = 99 + slot;
    for (int i = 0; i < storm.count; i++) {
        const uint32_t random = next_random(&seed), weight = random % 61 ? random % 4 : SIZE + random % 2;
        if (random >> 31) cancel_one(random >> 8 & (THREADS - 1));
        if (!get_in(slot, weight, random >> 16)) continue;
        const uint32_t inside = __atomic_add_fetch(&storm.inside, weight, __ATOMIC_ACQ_REL);
        if (inside > SIZE || weight > SIZE) __atomic_fetch_add(&storm.wrong, 1, __ATOMIC_RELAXED);
        if (random >> 28 == 5) sched_yield();
        __atomic_sub_fetch(&storm.inside, weight, __ATOMIC_ACQ_REL);
        if (wh_sem_release(storm.sem, weight)) __atomic_fetch_add(&storm.wrong, 1, __ATOMIC_RELAXED);
    }
    return NULL;
}

static void T140_the_count_is_exact_after_a_storm(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    storm.sem = sem_with(SIZE, 0);
    storm.count = rounds(1000000) / THREADS + 1;
    for (unsigned i = 0; i < THREADS; i++) pthread_mutex_init(&storm.slots[i].mutex, NULL);
    for (uintptr_t i = 0; i < THREADS; i++) threads[i] = start(weather, (void *)i);
    for (unsigned i = 0; i < THREADS; i++) join(threads[i]);
    assert_int_equal(storm.wrong, 0);
    assert_int_equal(storm.inside, 0);
    assert_true(storm.ends[0] > 0);
    print_message("let in %u, cancelled %u, too late %u\n", storm.ends[0], storm.ends[1], storm.ends[2]);
    assert_idle(storm.sem);
    wh_sem_free(storm.sem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_release_lets_thousands_in),
        cmocka_unit_test(one_cancel_sends_thousands_away),
        cmocka_unit_test(T139_cancel_and_grant_at_once_lose_no_permit),
        cmocka_unit_test(T139_two_cannot_give_back_the_same_permit),
        cmocka_unit_test(whom_it_let_in_may_free_it),
        cmocka_unit_test(T140_the_count_is_exact_after_a_storm),
    };
    return cmocka_run_group_tests_name("sem race", tests, NULL, NULL);
}
