#include "base/thread.h"

#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/lock.h"
#include "base/mem.h"
#include "base/random.h"

_Thread_local struct wh__thread *wh__current;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t exit_key;
static bool exit_key_made;
static uint32_t registry; /* lock: `taken` of every record, and adding to `all` */
static struct wh__thread *all;
static struct wh__fork_handler *fork_handlers; /* under the registry's lock */
uint32_t wh__forks;

static uint32_t kernel_id(void)
{
    return (uint32_t)syscall(SYS_gettid);
}

/* The registry's lock is taken by threads that have no record yet, so it cannot be gated by `critical`: fork() takes it. */
static void lock_registry(void)
{
    while (__atomic_fetch_or(&registry, WH__LOCK_BIT, __ATOMIC_ACQUIRE) & WH__LOCK_BIT) wh__lock_wait(&registry);
}

static void unlock_registry(void)
{
    __atomic_store_n(&registry, 0, __ATOMIC_RELEASE);
}

static void leave_record(void *record)
{
    struct wh__thread *self = record;
    wh__current = NULL;
    lock_registry();
    self->taken = false;
    unlock_registry();
}

/* Lets no thread in, and waits until those inside have left. */
static void before_fork(void)
{
    lock_registry();
    __atomic_fetch_or(&wh__gate, WH__FORKING, __ATOMIC_SEQ_CST);
#ifndef __SANITIZE_THREAD__ /* gcc's does not know fences */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
#endif
    for (struct wh__thread *t = all; t; t = t->next)
        while (t != wh__current && __atomic_load_n(&t->critical, __ATOMIC_ACQUIRE)) sched_yield();
}

static void after_fork_in_parent(void)
{
    __atomic_fetch_and(&wh__gate, ~WH__FORKING, __ATOMIC_RELEASE);
    unlock_registry();
}

static void after_fork_in_child(void)
{
    wh__forks++;
    for (struct wh__thread *t = all; t; t = t->next) {
        if (t == wh__current) continue;
        t->taken = t->lost = true; /* by nobody, for ever */
        if (t->critical) *t->wants &= ~WH__LOCK_BIT; /* it was at the gate: waiting, or in for an instant */
        t->critical = 0;
    }
    if (wh__current) {
        wh__current->id = kernel_id();
        wh__random_seed(wh__current->random);
    }
    after_fork_in_parent();
    for (const struct wh__fork_handler *handler = fork_handlers; handler; handler = handler->next) handler->fn();
}

static void begin_process(void)
{
    exit_key_made = pthread_key_create(&exit_key, leave_record) == 0;
    pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}

/* When the library is loaded, so that the handlers that a program registers itself run while nothing is locked: those before
 * a fork in the reverse order, those after it in this one (pthread_atfork(3)). */
__attribute__((constructor)) static void at_load(void)
{
    pthread_once(&once, begin_process);
}

static struct wh__thread *take_record(void)
{
    struct wh__thread *record = NULL;
    lock_registry();
    for (record = all; record && record->taken;) record = record->next;
    if (record) record->taken = true;
    unlock_registry();
    return record;
}

static struct wh__thread *new_record(void)
{
    struct wh__thread *record = wh__mem_zero(sizeof *record);
    if (!record) return NULL;
    record->taken = true;
    wh__random_seed(record->random);
    lock_registry();
    record->next = all;
    record->number = all ? all->number + 1 : 0;
    __atomic_store_n(&all, record, __ATOMIC_RELEASE);
    unlock_registry();
    return record;
}

struct wh__thread *wh__thread_begin(void)
{
    pthread_once(&once, begin_process);
    struct wh__thread *self = take_record();
    if (!self) self = new_record();
    if (!self) return NULL;
    self->id = kernel_id();
    if (exit_key_made) pthread_setspecific(exit_key, self);
    wh__current = self;
    return self;
}

struct wh__thread *wh__threads(void)
{
    return __atomic_load_n(&all, __ATOMIC_ACQUIRE);
}

void wh__at_fork(struct wh__fork_handler *handler)
{
    lock_registry();
    struct wh__fork_handler **link = &fork_handlers;
    while (*link && *link != handler) link = &(*link)->next;
    *link = handler;
    unlock_registry();
}
