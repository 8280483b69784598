/* What the library keeps for each thread: taken over when it goes, and new in the child of a fork. */
#include <sys/syscall.h>

#include "../context/tools.h"
#include "base/park.h"
#include "base/random.h"
#include "base/spawn.h"

/* ---- records ---- */

static void *own_record(void *gate)
{
    struct wh__thread *self = wh__self();
    const bool mine = self == wh__current && self == wh__self() && self->id == (uint32_t)syscall(SYS_gettid) && !self->lost;
    if (gate) meet(gate, 8);
    return mine ? self : NULL;
}

static void each_thread_has_one_of_its_own(void **state)
{
    (void)state;
    struct gate gate = {0};
    pthread_t threads[8];
    void *records[8];
    for (int i = 0; i < 8; i++) threads[i] = start(own_record, &gate);
    for (int i = 0; i < 8; i++) pthread_join(threads[i], &records[i]);
    for (int i = 0; i < 8; i++) {
        assert_non_null(records[i]);
        for (int j = 0; j < i; j++) assert_ptr_not_equal(records[i], records[j]);
    }
}

static int records(void)
{
    int count = 0;
    for (const struct wh__thread *t = wh__threads(); t; t = t->next) count++;
    return count;
}

static void T162_what_a_thread_leaves_is_taken_over(void **state)
{
    (void)state;
    void *record;
    pthread_join(start(own_record, NULL), &record);
    const int before = records();
    for (int i = 0; i < 100; i++) {
        pthread_join(start(own_record, NULL), &record);
        assert_non_null(record);
    }
    assert_int_equal(records(), before);
}

/* A thread's own destructors run in any order with the library's, and may use it. */
static pthread_key_t key;

static void use_it_late(void *ctx)
{
    wh_ctx *below = wh_with_timeout(ctx, WH_SEC(10));
    wh_cancel(below, NULL, "late");
    wh_end(below);
    wh_end(ctx);
}

static void *leave_work_behind(void *unused)
{
    pthread_setspecific(key, wh_with_cancel(NULL));
    return unused;
}

static void T162_destructors_of_a_thread_may_use_contexts(void **state)
{
    (void)state;
    assert_int_equal(pthread_key_create(&key, use_it_late), 0);
    const int before = records();
    for (int i = 0; i < 50; i++) join(start(leave_work_behind, NULL));
    assert_true(records() <= before + 1);
    pthread_key_delete(key);
}

/* ---- fork ---- */

static int forked_in_child;
static void note_fork(void)
{
    forked_in_child++;
}

static bool the_child_knows(void *arg)
{
    const struct wh__thread *self = wh__self();
    CHECK(forked_in_child == 1 && wh__forks == *(const uint32_t *)arg + 1);
    CHECK(self->id == (uint32_t)syscall(SYS_gettid) && !self->lost);
    for (const struct wh__thread *t = wh__threads(); t; t = t->next) CHECK(t == self || (t->lost && t->taken));
    void *record;
    if (MAY_JOIN_IN_CHILD) CHECK(pthread_join(start(own_record, NULL), &record) == 0 && record && record != self);
    return true;
}

static void T156_the_child_begins_anew(void **state)
{
    (void)state;
    join(start(own_record, NULL));
    wh__self();
    uint32_t forks = wh__forks;
    static struct wh__fork_handler noting = {.fn = note_fork};
    wh__at_fork(&noting);
    wh__at_fork(&noting); /* once is enough */
    assert_int_equal(in_child(the_child_knows, &forks), 0);
    assert_int_equal(forked_in_child, 0);
    assert_int_equal(wh__forks, forks);
}

static int handled[40], handlers_run;
static void note_handler(void)
{
    handled[handlers_run++]++;
}

static bool each_handler_ran(void *unused)
{
    (void)unused;
    for (int i = 0; i < 40; i++) CHECK(handled[i] == 1);
    return handlers_run == 40;
}

static void any_number_of_handlers_runs_in_the_child(void **state)
{
    (void)state;
    static struct wh__fork_handler handlers[40];
    for (int i = 0; i < 40; i++) {
        handlers[i].fn = note_handler;
        wh__at_fork(&handlers[i]);
    }
    assert_int_equal(in_child(each_handler_ran, NULL), 0);
    assert_int_equal(handlers_run, 0);
}

/* ---- random numbers ---- */

static void *draw(void *unused)
{
    (void)unused;
    return (void *)(uintptr_t)wh__random();
}

static int by_value(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static void numbers_do_not_repeat(void **state)
{
    (void)state;
    enum { MANY = 20000 };
    static uint64_t drawn[MANY];
    uint64_t ones = 0, zeros = 0;
    for (int i = 0; i < MANY; i++) {
        drawn[i] = i % 100 ? wh__random() : wh__random_without_thread();
        ones |= drawn[i];
        zeros |= ~drawn[i];
    }
    assert_true(ones == UINT64_MAX && zeros == UINT64_MAX); /* every bit is sometimes set, sometimes not */
    qsort(drawn, MANY, sizeof *drawn, by_value);
    for (int i = 1; i < MANY; i++) assert_true(drawn[i] != drawn[i - 1]);
}

static void each_thread_draws_its_own(void **state)
{
    (void)state;
    uint64_t drawn[20];
    for (int i = 0; i < 20; i++) {
        void *number;
        pthread_join(start(draw, NULL), &number);
        drawn[i] = (uintptr_t)number;
        for (int j = 0; j < i; j++) assert_true(drawn[i] != drawn[j]);
    }
}

static bool write_number(void *arg)
{
    const uint64_t number = wh__random();
    return write(*(const int *)arg, &number, sizeof number) == sizeof number;
}

static void T156_the_child_draws_other_numbers(void **state)
{
    (void)state;
    int fds[2];
    uint64_t drawn[9];
    assert_int_equal(pipe(fds), 0);
    wh__random();
    for (int i = 0; i < 8; i++) {
        assert_int_equal(in_child(write_number, &fds[1]), 0);
        assert_int_equal(read(fds[0], &drawn[i], sizeof *drawn), (int)sizeof *drawn);
    }
    drawn[8] = wh__random();
    for (int i = 0; i < 9; i++)
        for (int j = 0; j < i; j++) assert_true(drawn[i] != drawn[j]);
    close(fds[0]);
    close(fds[1]);
}

/* ---- sleeping, and threads of the library's ---- */

static uint32_t word;

static void *wake_it(void *unused)
{
    wh_wait(NULL, WH_MS(2));
    __atomic_store_n(&word, 1, __ATOMIC_RELEASE);
    wh__unpark(&word);
    return unused;
}

static void parked_until_the_word_changes_or_the_instant_comes(void **state)
{
    (void)state;
    word = 0;
    wh__park(&word, 5, WH_NEVER); /* it is another already */
    const int64_t instant = wh_now() + WH_MS(2);
    while (wh_now() < instant) wh__park(&word, 0, instant);
    wh__park(&word, 0, 0);
    wh__park(&word, 0, INT64_MIN);
    const pthread_t thread = start(wake_it, NULL);
    while (!__atomic_load_n(&word, __ATOMIC_ACQUIRE)) wh__park(&word, 0, WH_NEVER);
    join(thread);
}

static int started;
static bool runs, all_blocked;

static void *note_start(void *unused)
{
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    all_blocked = sigismember(&mask, SIGTERM) == 1 && sigismember(&mask, SIGUSR1) == 1 && sigismember(&mask, SIGINT) == 1;
    __atomic_fetch_add(&started, 1, __ATOMIC_RELEASE);
    return unused;
}

static void *spawn_too(void *unused)
{
    return wh__spawn(&runs, "whence-test", note_start, NULL) ? &runs : unused;
}

static void spawned_once_and_deaf_to_signals(void **state)
{
    (void)state;
    pthread_t threads[8];
    for (int i = 0; i < 8; i++) threads[i] = start(spawn_too, NULL);
    for (int i = 0; i < 8; i++) {
        void *result;
        pthread_join(threads[i], &result);
        assert_ptr_equal(result, &runs);
    }
    EVENTUALLY(__atomic_load_n(&started, __ATOMIC_ACQUIRE) == 1);
    assert_true(runs && all_blocked);
}

static int reports;
static void count_reports(enum wh_severity severity, const char *line, void *unused)
{
    (void)unused;
    reports += severity == WH_ERROR && strstr(line, "whence-none") != NULL;
}

/* A stack of 128 TiB cannot be had by anyone. */
static void what_cannot_be_spawned_is_said_once_and_tried_again(void **state)
{
    (void)state;
    pthread_attr_t before, huge;
    bool none = false;
    assert_int_equal(pthread_getattr_default_np(&before), 0);
    pthread_attr_init(&huge);
    pthread_attr_setstacksize(&huge, (size_t)1 << 47);
    assert_int_equal(pthread_setattr_default_np(&huge), 0);
    wh_report_to(count_reports, NULL);
    started = 0;
    for (int i = 0; i < 3; i++) assert_false(wh__spawn(&none, "whence-none", note_start, NULL));
    wh_report_to(NULL, NULL);
    pthread_setattr_default_np(&before);
    pthread_attr_destroy(&huge);
    pthread_attr_destroy(&before);
    assert_int_equal(reports, 1);
    assert_false(none);
    assert_true(wh__spawn(&none, "whence-none", note_start, NULL));
    EVENTUALLY(__atomic_load_n(&started, __ATOMIC_ACQUIRE) == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_thread_has_one_of_its_own),
        cmocka_unit_test(T162_what_a_thread_leaves_is_taken_over),
        cmocka_unit_test(T162_destructors_of_a_thread_may_use_contexts),
        cmocka_unit_test(T156_the_child_begins_anew),
        cmocka_unit_test(any_number_of_handlers_runs_in_the_child),
        cmocka_unit_test(numbers_do_not_repeat),
        cmocka_unit_test(each_thread_draws_its_own),
        cmocka_unit_test(T156_the_child_draws_other_numbers),
        cmocka_unit_test(parked_until_the_word_changes_or_the_instant_comes),
        cmocka_unit_test(spawned_once_and_deaf_to_signals),
        cmocka_unit_test(what_cannot_be_spawned_is_said_once_and_tried_again),
    };
    return cmocka_run_group_tests_name("thread", tests, NULL, NULL);
}
