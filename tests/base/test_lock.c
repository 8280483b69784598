/* Locks: they exclude, and fork() finds none of them taken. */
#include <semaphore.h>

#include "../context/tools.h"
#include "base/lock.h"

/* ---- excluding ---- */

enum { THREADS = 4 };
static uint32_t word;
static uint64_t plain; /* under `word` */

static void *count_up(void *arg)
{
    const int turns = *(const int *)arg;
    for (int i = 0; i < turns; i++) {
        wh__lock(&word);
        plain++;
        wh__unlock(&word);
    }
    return NULL;
}

static void locks_exclude(void **state)
{
    (void)state;
    int turns = rounds(200000);
    pthread_t threads[THREADS];
    plain = 0;
    for (int i = 0; i < THREADS; i++) threads[i] = start(count_up, &turns);
    for (int i = 0; i < THREADS; i++) join(threads[i]);
    assert_int_equal(plain, (uint64_t)turns * THREADS);
    assert_int_equal(word, 0);
}

static void the_other_bits_are_the_holders(void **state)
{
    (void)state;
    uint32_t own = 6;
    wh__lock(&own);
    assert_int_equal(own, 7);
    wh__unlock(&own);
    assert_int_equal(own, 6);
    wh__lock(&own);
    wh__unlock_to(&own, 10);
    assert_int_equal(own, 10);
}

static void marks_go_up_and_down(void **state)
{
    (void)state;
    uint32_t a = 0, b = 0;
    struct wh__thread *self = wh__self();
    wh__lock(&a);
    wh__lock(&b);
    assert_int_equal(self->critical, 2);
    wh__stay(self);
    wh__unlock(&a);
    wh__unlock(&b);
    assert_int_equal(self->critical, 1);
    wh__stay_over(self);
    assert_int_equal(self->critical, 0);
}

/* ---- the gate ---- */

static bool stop;
static uint32_t outer, inner;
static struct { uint64_t one, two; } both; /* equal whenever `outer` is free */

static void *work_in_both(void *unused)
{
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        wh__lock(&outer);
        both.one++;
        wh__lock(&inner);
        both.two++;
        wh__unlock(&inner);
        wh__unlock(&outer);
    }
    return unused;
}

static bool all_is_free_and_whole(void *unused)
{
    (void)unused;
    CHECK(outer == 0 && inner == 0);
    CHECK(both.one == both.two);
    for (int i = 0; i < 100; i++) {
        wh__lock(&outer);
        wh__lock(&inner);
        wh__unlock(&inner);
        wh__unlock(&outer);
    }
    return true;
}

static void T157_fork_finds_locks_free_and_structures_whole(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    stop = false;
    for (int i = 0; i < THREADS; i++) threads[i] = start(work_in_both, NULL);
    for (int i = 0; i < chances(400); i++) assert_int_equal(in_child(all_is_free_and_whole, NULL), 0);
    __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
    for (int i = 0; i < THREADS; i++) join(threads[i]);
}

/* A thread that comes to the gate just when fork() has looked at all marks has the lock for an instant. Here it stays in
 * that instant until the fork is over: its steps are those of wh__lock_as(), one by one. */
static uint32_t contended;
static sem_t is_there, forking, has_bit, forked;
static bool armed;

static void in_the_middle_of_fork(void)
{
    if (!armed) return;
    sem_post(&forking);
    sem_wait(&has_bit);
}

static void *come_late(void *unused)
{
    struct wh__thread *self = wh__self();
    sem_post(&is_there);
    sem_wait(&forking);
    self->wants = &contended;
    __atomic_store_n(&self->critical, 1, __ATOMIC_RELAXED);
    assert_false(__atomic_fetch_or(&contended, WH__LOCK_BIT, __ATOMIC_SEQ_CST) & WH__LOCK_BIT);
    sem_post(&has_bit);
    sem_wait(&forked);
    wh__unlock(&contended);
    return unused;
}

static bool take_it(void *unused)
{
    (void)unused;
    wh__lock(&contended);
    wh__unlock(&contended);
    return true;
}

static void T157_who_comes_late_locks_nobody_out(void **state)
{
    (void)state;
    sem_init(&is_there, 0, 0);
    sem_init(&forking, 0, 0);
    sem_init(&has_bit, 0, 0);
    sem_init(&forked, 0, 0);
    const pthread_t thread = start(come_late, NULL);
    sem_wait(&is_there);
    armed = true;
    const pid_t pid = fork_to(take_it, NULL);
    armed = false;
    sem_post(&forked);
    join(thread);
    assert_int_equal(fate_of(pid), 0);
    assert_int_equal(contended, 0);
}

/* What a thread does between wh__stay() and wh__stay_over() is whole in the child, although it holds no lock. */
static void *work_in_steps(void *unused)
{
    struct wh__thread *self = wh__self();
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        wh__lock(&outer);
        wh__stay(self);
        both.one++;
        wh__unlock(&outer);
        for (int i = 0; i < 100; i++) wh__pause();
        both.two++;
        wh__stay_over(self);
    }
    return unused;
}

static void T157_fork_waits_for_who_stays(void **state)
{
    (void)state;
    stop = false;
    both.one = both.two = 0;
    const pthread_t thread = start(work_in_steps, NULL);
    for (int i = 0; i < chances(400); i++) assert_int_equal(in_child(all_is_free_and_whole, NULL), 0);
    __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
    join(thread);
}

/* Registered before the library's own: so it runs after that, when the library has shut the gate. */
__attribute__((constructor(101))) static void come_first(void)
{
    pthread_atfork(in_the_middle_of_fork, NULL, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(locks_exclude),
        cmocka_unit_test(the_other_bits_are_the_holders),
        cmocka_unit_test(marks_go_up_and_down),
        cmocka_unit_test(T157_fork_finds_locks_free_and_structures_whole),
        cmocka_unit_test(T157_who_comes_late_locks_nobody_out),
        cmocka_unit_test(T157_fork_waits_for_who_stays),
    };
    return cmocka_run_group_tests_name("lock", tests, NULL, NULL);
}
