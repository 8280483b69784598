#include "loop.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/lock.h"
#include "base/slab.h"
#include "base/spawn.h"

/* Tags of the loop's own descriptors; those of watches are never so small. */
enum { TIMER_TAG = 0, SIGNAL_TAG = 1 };

static struct {
    uint32_t lock;        /* of starting, and of setting the alarm */
    bool has_fds, forks_seen_to;
    int epoll, alarm, signals;
} loop;

bool wh__loop_has_thread;
int64_t wh__loop_wakes_by = WH_NEVER;

static void set_alarm(int64_t instant)
{
    const struct itimerspec at = {.it_value = wh__timespec(instant > 0 ? instant : 1)}; /* all zero would disarm it */
    timerfd_settime(loop.alarm, TFD_TIMER_ABSTIME, &at, NULL);
}

/* The thread says WH_NEVER before it looks at the timers; so a timer that it does not see, sees that. */
void wh__loop_wake_earlier(int64_t instant)
{
    wh__lock(&loop.lock);
    if (instant < __atomic_load_n(&wh__loop_wakes_by, __ATOMIC_RELAXED)) {
        __atomic_store_n(&wh__loop_wakes_by, instant, __ATOMIC_SEQ_CST);
        set_alarm(instant);
    }
    wh__unlock(&loop.lock);
}

static void fire_timers(void)
{
    __atomic_store_n(&wh__loop_wakes_by, WH_NEVER, __ATOMIC_SEQ_CST);
    wh__loop_wake_by(wh__timers_fire());
}

static void drain(int fd)
{
    uint64_t count;
    while (read(fd, &count, sizeof count) > 0) continue;
}

static void *run(void *unused)
{
    struct epoll_event events[32];
    fire_timers();
    for (;;) {
        wh__slab_stock(WH__128); /* for the causes that it will write */
        const int count = epoll_wait(loop.epoll, events, sizeof events / sizeof *events, -1);
        for (int i = 0; i < count; i++) {
            const uint64_t tag = events[i].data.u64;
            if (tag == TIMER_TAG) {
                drain(loop.alarm);
                fire_timers();
            } else if (tag == SIGNAL_TAG) {
                drain(loop.signals);
                wh__signal_ready();
                wh__triggers_ready();
            } else {
                wh__watch_ready(tag, events[i].events);
            }
        }
    }
    return unused;
}

static int add(int fd, uint32_t events, uint64_t tag)
{
    struct epoll_event event = {.events = events, .data.u64 = tag};
    return epoll_ctl(loop.epoll, EPOLL_CTL_ADD, fd, &event) ? errno : 0;
}

static bool open_fds(void)
{
    loop.epoll = epoll_create1(EPOLL_CLOEXEC);
    loop.alarm = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    loop.signals = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (loop.epoll >= 0 && loop.alarm >= 0 && loop.signals >= 0 && add(loop.alarm, EPOLLIN, TIMER_TAG) == 0 &&
        add(loop.signals, EPOLLIN, SIGNAL_TAG) == 0)
        return true;
    const int saved = errno;
    if (loop.epoll >= 0) close(loop.epoll);
    if (loop.alarm >= 0) close(loop.alarm);
    if (loop.signals >= 0) close(loop.signals);
    errno = saved;
    return false;
}

/* The descriptors are shared with the parent: what the child did to them would happen to it. */
static void forget_parents_loop(void)
{
    if (loop.has_fds) {
        close(loop.epoll);
        close(loop.alarm);
        close(loop.signals);
    }
    loop.has_fds = wh__loop_has_thread = false;
    loop.epoll = loop.alarm = loop.signals = -1;
    wh__loop_wakes_by = WH_NEVER;
    wh__watches_forget();
    wh__signals_forget();
    wh__triggers_forget();
    wh__timers_take_back();
}
static struct wh__fork_handler in_child = {.fn = forget_parents_loop};

static bool start(int *error)
{
    wh__lock(&loop.lock);
    if (!loop.has_fds) loop.has_fds = open_fds();
    *error = loop.has_fds ? 0 : errno;
    const bool first = !loop.forks_seen_to;
    loop.forks_seen_to = true;
    wh__unlock(&loop.lock);
    if (first) wh__at_fork(&in_child);
    return *error == 0 && wh__spawn(&wh__loop_has_thread, "whence-loop", run, NULL);
}

bool wh__loop_start_thread(void)
{
    static bool reported;
    int error = 0;
    if (start(&error)) return true;
    if (error && !__atomic_exchange_n(&reported, true, __ATOMIC_RELAXED))
        wh_report(WH_ERROR, "deadlines fire only where somebody waits for them: no descriptor for the timers (%s)", strerror(error));
    return false;
}

int wh__loop_add(int fd, uint32_t events, uint64_t tag)
{
    return wh__loop_start() ? add(fd, events, tag) : EAGAIN;
}

void wh__loop_remove(int fd)
{
    epoll_ctl(loop.epoll, EPOLL_CTL_DEL, fd, NULL);
}

void wh__loop_signal(void)
{
    const uint64_t one = 1;
    if (wh__write(loop.signals, &one, sizeof one) < 0) return; /* full: it will wake */
}
