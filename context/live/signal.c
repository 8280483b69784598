/* The dump at a signal. The handler wakes a thread of its own, so that no deadline waits for a slow terminal. */
#include <errno.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/spawn.h"
#include "context/live.h"

static uint32_t lock; /* of all that follows */
static int signal_number; /* 0: none */
static struct sigaction before;
static int fd = -1; /* atomic; there before the thread and the handler are */
static bool has_thread, fork_seen_to;

/* Async-signal-safe. */
static void on_signal(int number)
{
    const uint64_t one = 1;
    const int saved = errno;
    (void)number;
    if (wh__write(__atomic_load_n(&fd, __ATOMIC_RELAXED), &one, sizeof one) < 0) errno = saved; /* full: it will wake */
}

static void *run(void *unused)
{
    uint64_t count;
    const int wakes = __atomic_load_n(&fd, __ATOMIC_RELAXED);
    for (ssize_t n; (n = read(wakes, &count, sizeof count)) > 0 || errno == EINTR;)
        if (n > 0) wh_dump(STDERR_FILENO, WH_DUMP_TEXT);
    return unused; /* somebody has closed it */
}

/* Under the lock. A handler that the program has set since stays. */
static void put_back(void)
{
    struct sigaction now;
    const int number = signal_number;
    signal_number = 0;
    if (number && sigaction(number, NULL, &now) == 0 && !(now.sa_flags & SA_SIGINFO) && now.sa_handler == on_signal)
        sigaction(number, &before, NULL);
}

/* The descriptor is shared with the parent, whose thread would wake. */
static void forget_parents(void)
{
    put_back();
    if (fd >= 0) wh__close(fd);
    fd = -1;
    has_thread = false;
}
static struct wh__fork_handler in_child = {.fn = forget_parents};

static int open_fd(void)
{
    if (fd < 0) __atomic_store_n(&fd, eventfd(0, EFD_CLOEXEC), __ATOMIC_RELAXED);
    return fd < 0 ? errno : 0;
}

static int install(int number)
{
    struct sigaction ours = {.sa_handler = on_signal, .sa_flags = SA_RESTART}, was;
    sigemptyset(&ours.sa_mask);
    if (number == signal_number) put_back();
    if (sigaction(number, &ours, &was)) return errno;
    put_back();
    before = was;
    signal_number = number;
    return 0;
}

int wh_dump_on(int signo)
{
    if (signo < 0) return EINVAL;
    wh__lock(&lock);
    const bool first = !fork_seen_to;
    fork_seen_to = true;
    int rc = 0;
    if (signo)
        rc = open_fd();
    else
        put_back();
    wh__unlock(&lock);
    if (first) wh__at_fork(&in_child);
    if (!signo || rc) return rc;
    if (!wh__spawn(&has_thread, "whence-dump", run, NULL)) return EAGAIN;
    wh__lock(&lock);
    rc = install(signo);
    wh__unlock(&lock);
    return rc;
}
