/* What the tests of the context share: rounds that fit the build, descriptors, threads, and children of a fork. */
#ifndef TOOLS_H
#define TOOLS_H

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

/* gcc defines a macro for each, clang has a feature for each. */
#ifndef __has_feature
#define __has_feature(feature) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#define UNDER_ASAN 1
#else
#define UNDER_ASAN 0
#endif
#if defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)
#define UNDER_TSAN 1
#else
#define UNDER_TSAN 0
#endif

/* ThreadSanitizer takes a thread that the child of a fork starts for the one of the parent whose stack it got, and ends. */
#define MAY_JOIN_IN_CHILD (!UNDER_TSAN)

/* Sanitizers slow everything down by about ten; WHENCE_TEST_ROUNDS divides further, for valgrind. */
static inline int rounds(int full)
{
    const char *divisor = getenv("WHENCE_TEST_ROUNDS");
    const int by = divisor && atoi(divisor) > 0 ? atoi(divisor) : 1;
    if (UNDER_ASAN || UNDER_TSAN) full /= 10;
    return full / by > 1 ? full / by : 1;
}

/* For what is a matter of chance: WHENCE_LONG=1 takes twenty times as many chances. */
static inline int chances(int full)
{
    return rounds(full) * (getenv("WHENCE_LONG") ? 20 : 1);
}

/* Of so many rounds that a behaviour names, the quick suite takes the first number, WHENCE_LONG=1 takes all. */
static inline int quick_or_all(int quick, int all)
{
    return rounds(getenv("WHENCE_LONG") ? all : quick);
}

static inline bool readable(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, 0) == 1 && p.revents & POLLIN;
}

/* Waits for what another thread is about to do. */
#define EVENTUALLY(condition) \
    do { \
        const int64_t patience_ = wh_now() + WH_SEC(30); \
        while (!(condition)) { \
            if (wh_now() > patience_) fail_msg("this never came true: %s", #condition); \
            wh_wait(NULL, WH_US(100)); \
        } \
    } while (0)

static inline struct wh_cause cause_of(const wh_ctx *ctx)
{
    struct wh_cause cause = {.size = sizeof cause};
    assert_true(wh_cause_info(ctx, &cause));
    return cause;
}

static inline pthread_t start(void *(*fn)(void *), void *arg)
{
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, fn, arg), 0);
    return thread;
}

static inline void join(pthread_t thread)
{
    assert_int_equal(pthread_join(thread, NULL), 0);
}

/* So that threads begin a race at the same time: each gives the number of those that take part. Spins, since a race is
 * measured in nanoseconds. */
struct gate {
    unsigned arrived;
};
static inline void meet(struct gate *gate, unsigned parties)
{
    const unsigned mine = __atomic_fetch_add(&gate->arrived, 1, __ATOMIC_ACQ_REL);
    const unsigned full = (mine / parties + 1) * parties;
    for (unsigned spins = 0; __atomic_load_n(&gate->arrived, __ATOMIC_ACQUIRE) < full; spins++)
        if (spins > 2000) sched_yield();
}

/* xorshift: the same numbers in every run. */
static inline uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    return *state ^= *state << 5;
}

/* Some hundred nanoseconds, more or less: so that not the same thread is first in every round of a race. */
static inline void dawdle(uint32_t *seed)
{
    const uint32_t random = next_random(seed);
    for (volatile uint32_t spins = random % 512; spins; spins--) continue;
    if (random >> 30 == 0) sched_yield();
}

/* The pid of a child that runs fn(arg) and exits with 0 if that is true; dies after a while if it hangs. */
static inline pid_t fork_to(bool (*fn)(void *arg), void *arg)
{
    fflush(NULL);
    const pid_t pid = fork();
    if (pid == 0) {
        alarm(20);
        _exit(fn(arg) ? 0 : 1);
    }
    assert_true(pid > 0);
    return pid;
}

/* What became of it: 0, its exit status, or minus the signal that ended it. */
static inline int fate_of(pid_t pid)
{
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static inline int in_child(bool (*fn)(void *arg), void *arg)
{
    return fate_of(fork_to(fn, arg));
}

/* For conditions on any thread, where cmocka must not jump: is_broken is to be looked at in the end. */
static bool is_broken __attribute__((unused)); /* atomic */
#define HOLDS(condition) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition); \
            __atomic_store_n(&is_broken, true, __ATOMIC_RELAXED); \
        } \
    } while (0)

/* For conditions in a child, where cmocka must not jump. */
#define CHECK(condition) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
            return false; \
        } \
    } while (0)

#endif
