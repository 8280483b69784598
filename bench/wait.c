/* How long it takes from a cancel on one thread until another, asleep in wh_wait(), is awake; beside a bare futex. */
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <whence/whence.h>

#include "bench.h"

enum { LONG_ENOUGH = 50000 }; /* nanoseconds: by then who said that it will sleep does */

static struct {
    wh_ctx *ctx;
    uint32_t word;      /* atomic; what the bare one sleeps on */
    uint32_t sleeps;    /* atomic; the waiter is about to sleep */
    int64_t called_at;
} scene;

static void let_it_sleep(void)
{
    while (!__atomic_load_n(&scene.sleeps, __ATOMIC_ACQUIRE)) continue;
    for (const int64_t until = clock_ns(CLOCK_MONOTONIC) + LONG_ENOUGH; clock_ns(CLOCK_MONOTONIC) < until;) continue;
    scene.called_at = clock_ns(CLOCK_MONOTONIC);
}

static void cancel_it(void *unused)
{
    (void)unused;
    let_it_sleep();
    wh_cancel(scene.ctx, WH_CANCELED, NULL);
}

static void wake_it(void *unused)
{
    (void)unused;
    let_it_sleep();
    __atomic_store_n(&scene.word, 1, __ATOMIC_RELEASE);
    syscall(SYS_futex, &scene.word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL, NULL, 0);
}

static void wait_in_whence(void)
{
    wh_wait(scene.ctx, WH_NEVER);
}

static void wait_in_futex(void)
{
    while (!__atomic_load_n(&scene.word, __ATOMIC_ACQUIRE))
        syscall(SYS_futex, &scene.word, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 0, NULL, NULL, 0);
}

static void one_wake_up(void (*call)(void *), void (*wait)(void), struct lap *lap)
{
    scene.ctx = wh_with_cancel(NULL);
    scene.word = scene.sleeps = 0;
    helper_start(call, NULL);
    const struct lap begin = lap_begin();
    __atomic_store_n(&scene.sleeps, 1, __ATOMIC_RELEASE);
    wait();
    struct lap all = {0};
    lap_add(&all, begin);
    const int64_t awake_at = begin.ns + all.ns;
    helper_wait();
    lap->ns += awake_at - scene.called_at;
    lap->mallocs += all.mallocs;
    wh_end(scene.ctx);
}

static void wake_ups(size_t n, struct lap *laps)
{
    if (!two_cpus()) {
        bench_invalid("wants two CPUs");
        return;
    }
    for (size_t i = 0; i < n; i++) {
        one_wake_up(wake_it, wait_in_futex, &laps[0]);
        one_wake_up(cancel_it, wait_in_whence, &laps[1]);
    }
}

static const struct subject subjects[] = {
    {.rows = {{.name = "wake-up by a bare futex", .note = "from the call until the other thread is awake"},
              {.name = "wake-up by wh_cancel in wh_wait", .floor = "wake-up by a bare futex"}},
     .sample = wake_ups, .fixed = 20},
    {.op = NULL},
};

const struct room wait_room = {.name = "waiting", .subjects = subjects};
