/* Who runs where: the thread that measures has a CPU for itself, as far as the others of this process are concerned. */
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <sys/resource.h>

#include "bench.h"

static struct {
    cpu_set_t all, own, others;
    bool known, two;
} cpus;

static void find_cpus(void)
{
    if (cpus.known) return;
    cpus.known = true;
    if (sched_getaffinity(0, sizeof cpus.all, &cpus.all)) return;
    size_t last = 0;
    for (size_t i = 0; i < CPU_SETSIZE; i++)
        if (CPU_ISSET(i, &cpus.all)) last = i;
    cpus.two = CPU_COUNT(&cpus.all) > 1;
    cpus.others = cpus.all;
    CPU_CLR(last, &cpus.others);
    CPU_SET(last, &cpus.own);
}

static void run_on(const cpu_set_t *set)
{
    find_cpus();
    if (cpus.two) sched_setaffinity(0, sizeof *set, set);
}

bool two_cpus(void)
{
    find_cpus();
    return cpus.two;
}

void leave_cpu_free(void) { run_on(&cpus.others); }
void take_cpu(void) { run_on(&cpus.own); }
void take_any_cpu(void) { run_on(&cpus.all); }

/* ---- the helper ---- */

static struct {
    sem_t work;
    void (*fn)(void *arg);
    void *arg;
    uint32_t busy;   /* atomic */
    uint64_t preempted;
    bool exists;
} helper;

static uint64_t own_preemptions(void)
{
    struct rusage usage;
    getrusage(RUSAGE_THREAD, &usage);
    return (uint64_t)usage.ru_nivcsw;
}

uint64_t preemptions(void)
{
    return own_preemptions() + helper.preempted;
}

static void *help(void *unused)
{
    for (;;) {
        while (sem_wait(&helper.work)) continue;
        const uint64_t before = own_preemptions();
        helper.fn(helper.arg);
        helper.preempted += own_preemptions() - before;
        __atomic_store_n(&helper.busy, 0, __ATOMIC_RELEASE);
    }
    return unused;
}

static void hire(void)
{
    pthread_t thread;
    if (helper.exists) return;
    leave_cpu_free();
    if (sem_init(&helper.work, 0, 0) || pthread_create(&thread, NULL, help, NULL)) bench_die("no thread can be had");
    pthread_detach(thread);
    take_cpu();
    helper.exists = true;
}

void helper_start(void (*fn)(void *arg), void *arg)
{
    hire();
    helper.fn = fn;
    helper.arg = arg;
    __atomic_store_n(&helper.busy, 1, __ATOMIC_RELEASE);
    sem_post(&helper.work);
}

void helper_wait(void)
{
    while (__atomic_load_n(&helper.busy, __ATOMIC_ACQUIRE)) sched_yield();
}

/* ---- two at once ---- */

struct pair {
    void (*op)(size_t n, int who);
    size_t n;
    uint32_t ready, go; /* atomic */
};

static void other_half(void *arg)
{
    struct pair *pair = arg;
    __atomic_store_n(&pair->ready, 1, __ATOMIC_RELEASE);
    while (!__atomic_load_n(&pair->go, __ATOMIC_ACQUIRE)) continue;
    pair->op(pair->n, 1);
}

struct lap both(void (*op)(size_t n, int who), size_t n)
{
    struct pair pair = {.op = op, .n = n};
    helper_start(other_half, &pair);
    while (!__atomic_load_n(&pair.ready, __ATOMIC_ACQUIRE)) sched_yield();
    struct lap lap = {0};
    const struct lap begin = lap_begin();
    __atomic_store_n(&pair.go, 1, __ATOMIC_RELEASE);
    op(n, 0);
    helper_wait();
    lap_add(&lap, begin);
    return lap;
}
