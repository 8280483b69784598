/* What the tests of the waits share. */
#ifndef WAIT_TOOLS_H
#define WAIT_TOOLS_H

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "base/park.h"
#include "context/tree.h"
#include "tools.h"

WH_REASON(reason_x, "x");

static void nothing(int number)
{
    (void)number;
}

/* ---- a thread that interrupts another by signals, again and again ---- */

struct pest {
    pthread_t victim, thread;
    bool over;
};

static inline void *sting(void *arg)
{
    struct pest *pest = arg;
    while (!__atomic_load_n(&pest->over, __ATOMIC_ACQUIRE)) {
        pthread_kill(pest->victim, SIGUSR1);
        wh_wait(NULL, WH_US(200));
    }
    return NULL;
}

static inline void pest_begin(struct pest *pest)
{
    const struct sigaction action = {.sa_handler = nothing};
    sigaction(SIGUSR1, &action, NULL);
    *pest = (struct pest){.victim = pthread_self()};
    pest->thread = start(sting, pest);
}

static inline void pest_end(struct pest *pest)
{
    __atomic_store_n(&pest->over, true, __ATOMIC_RELEASE);
    join(pest->thread);
    signal(SIGUSR1, SIG_DFL);
}

/* ---- a wait on a thread of its own: `fn` is WH__MAY_VANISH, if wait_vanishes() is to end it ---- */

struct wait {
    int (*fn)(struct wait *wait);
    const wh_ctx *ctx;
    int fd;
    void *more;
    int err;           /* what it returned */
    int thread_id;     /* atomic; 0 until it runs */
    pthread_t thread;
};

WH__MAY_VANISH static inline void *run_wait(void *arg)
{
    struct wait *wait = arg;
    __atomic_store_n(&wait->thread_id, gettid(), __ATOMIC_RELEASE);
    wait->err = wait->fn(wait);
    return NULL;
}

static inline void wait_begin(struct wait *wait)
{
    wait->thread_id = 0;
    wait->thread = start(run_wait, wait);
}

/* Whether the kernel says that the thread sleeps. */
static inline bool is_asleep(const struct wait *wait)
{
    const int id = __atomic_load_n(&wait->thread_id, __ATOMIC_ACQUIRE);
    char path[64], line[300] = "";
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", id);
    FILE *file = id ? fopen(path, "r") : NULL;
    if (!file) return false;
    const bool got = fgets(line, sizeof line, file) != NULL;
    fclose(file);
    const char *end = strrchr(line, ')');
    return got && end && end[1] == ' ' && end[2] == 'S';
}

/* It may sleep for a lock at first: three times in a row, and it is probably where we want it. The tests hold wherever it is. */
static inline void wait_until_asleep(const struct wait *wait)
{
    for (int times = 0; times < 3; times++) {
        EVENTUALLY(is_asleep(wait));
        wh_wait(NULL, WH_US(100));
    }
}

static inline int wait_end(struct wait *wait)
{
    join(wait->thread);
    return wait->err;
}

/* Ends the thread where it waits. */
static inline void wait_vanishes(struct wait *wait)
{
    void *result;
    wait_begin(wait);
    wait_until_asleep(wait);
    assert_int_equal(pthread_cancel(wait->thread), 0);
    assert_int_equal(pthread_join(wait->thread, &result), 0);
    assert_ptr_equal(result, PTHREAD_CANCELED);
}

/* ---- races: the other side of a round, on a thread of its own ---- */

struct race {
    struct gate gate;
    pthread_t thread;
    void (*fn)(struct race *race, int round);
    int rounds;
    wh_ctx *ctx;
    int fd;
    void *more;
};

static inline void *run_race(void *arg)
{
    struct race *race = arg;
    uint32_t seed = 7;
    for (int i = 0; i < race->rounds; i++) {
        meet(&race->gate, 2);
        dawdle(&seed);
        race->fn(race, i);
        meet(&race->gate, 2);
    }
    return NULL;
}

/* ---- descriptors ---- */

/* The lowest number that is free: the same before and after, and none was left open. */
static inline int next_fd(void)
{
    const int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    close(fd);
    return fd;
}

/* In a child. The hard limit stays, since valgrind would not have it otherwise. */
static inline bool allow_descriptors(rlim_t count)
{
    struct rlimit limit;
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit.rlim_cur = count;
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    return true;
}

/* In a child: no more descriptors can be had than there are. */
static inline bool use_up_descriptors(void)
{
    CHECK(allow_descriptors(64));
    while (open("/dev/null", O_RDONLY | O_CLOEXEC) >= 0) continue;
    CHECK(errno == EMFILE);
    return true;
}

struct pair {
    int ours, theirs;
};

static inline struct pair unix_pair(void)
{
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    return (struct pair){fds[0], fds[1]};
}

static inline struct pair pipe_pair(void)
{
    int fds[2];
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    return (struct pair){fds[0], fds[1]};
}

static inline void close_pair(struct pair *pair)
{
    close(pair->ours);
    close(pair->theirs);
}

static inline void make_patient(int fd)
{
    assert_int_equal(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK), 0);
}

#endif
