/* Programs under a context. */
#include <whence/child.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <whence/names.h>
#include <whence/propagate.h>
#include <whence/wait.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/signame.h"
#include "base/thread.h"

#define GRACE WH_SEC(1)

/* Nanoseconds between two looks, where nothing wakes us: at first, and at last. */
enum { FIRST_LOOK = 1000000, LAST_LOOK = 10000000 };

struct wh_child {
    wh_ctx *ctx;        /* ours, with the span; NULL: it has been waited for */
    const struct wh_site *site;
    pid_t pid;
    int pidfd;          /* -1: there is none */
    uint32_t forks;     /* in which process it is a child of ours */
    int signal;
    int64_t grace;
    bool group;
    bool told;          /* to stop */
    int result, status; /* once it has been waited for */
};

/* ---- starting ---- */

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

static void describe(const wh_ctx *span, const struct wh_child_opts *opts, const char *path)
{
    if (!wh_recording(span)) return;
    wh_set(span, "process.executable.name", base_name(path));
    if (strchr(path, '/')) wh_set(span, "process.executable.path", path);
    if (!opts->record_args) return;
    size_t count = 0;
    while (opts->argv[count]) count++;
    wh_set(span, "process.command_args", ((struct wh_strings){(const char *const *)opts->argv, count}));
}

/* So that it hears the signal from its first moment on, whatever this thread has blocked or the process ignores. */
static int set_signals(posix_spawnattr_t *attributes, const wh_child *child)
{
    sigset_t mask, one;
    const short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | (child->group ? POSIX_SPAWN_SETPGROUP : 0);
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    sigdelset(&mask, child->signal);
    sigemptyset(&one);
    sigaddset(&one, child->signal);
    posix_spawnattr_setsigmask(attributes, &mask);
    posix_spawnattr_setsigdefault(attributes, &one);
    return posix_spawnattr_setflags(attributes, flags);
}

static int spawn(wh_child *child, const struct wh_child_opts *opts, const char *path)
{
    posix_spawnattr_t attributes;
    char **envp = wh_inject_env(child->ctx, opts->envp);
    int rc = envp ? posix_spawnattr_init(&attributes) : ENOMEM;
    if (!rc) {
        rc = set_signals(&attributes, child);
        if (!rc) rc = posix_spawnp(&child->pid, path, opts->actions, &attributes, opts->argv, envp);
        posix_spawnattr_destroy(&attributes);
    }
    wh__mem_free(envp);
    return rc;
}

/* Close-on-exec by itself. The process cannot have given its id to another: it was not waited for yet. */
static int open_pidfd(pid_t pid)
{
#ifdef SYS_pidfd_open
    return (int)syscall(SYS_pidfd_open, pid, 0);
#else
    (void)pid;
    return -1;
#endif
}

static int start(wh_child *child, const struct wh_child_opts *opts, const char *path)
{
    describe(child->ctx, opts, path);
    int rc = wh_err(child->ctx);
    if (rc) return rc;
    rc = spawn(child, opts, path);
    if (rc) return wh_fail_at(child->ctx, rc, NULL, "the program could not be started", opts->site);
    child->pidfd = open_pidfd(child->pid);
    wh_set(child->ctx, WH_ATTR_PROCESS_PID, child->pid);
    return 0;
}

int wh_child_start_at(const wh_ctx *ctx, wh_child **out, const struct wh_child_opts *given)
{
    struct wh_child_opts opts = {0};
    memcpy(&opts, given, given->size < sizeof opts ? given->size : sizeof opts);
    const char *path = opts.path ? opts.path : opts.argv[0];
    const struct wh_start_opts span = {.size = sizeof span, .site = opts.site, .name = opts.name ? opts.name : base_name(path),
        .kind = WH_CLIENT, .timeout = opts.timeout};
    wh_ctx *own = wh_start_at(ctx, &span);
    wh_child *child = wh__mem_get(sizeof *child);
    if (child)
        *child = (wh_child){.ctx = own, .site = opts.site, .pidfd = -1, .forks = wh__forks,
            .signal = opts.signal ? opts.signal : SIGTERM, .grace = opts.grace ? opts.grace : GRACE, .group = opts.group};
    const int rc = child ? start(child, &opts, path) : wh_fail_at(own, ENOMEM, NULL, "no memory", opts.site);
    if (rc) {
        wh__mem_free(child);
        wh_end(own);
    } else {
        *out = child;
    }
    return rc;
}

/* ---- waiting ---- */

/* waitid(2) of this child alone; without a pidfd it goes by the id, which is safe as long as nobody else waits for it. */
static int ask(wh_child *child, siginfo_t *info, int options)
{
    for (;;) {
        const bool by_fd = child->pidfd >= 0;
        info->si_pid = 0;
        if (waitid(by_fd ? P_PIDFD : P_PID, (id_t)(by_fd ? child->pidfd : child->pid), info, WEXITED | options) == 0) return 0;
        if (errno == EINVAL && by_fd) { /* Linux 5.3 has pidfds, and cannot wait for one */
            close(child->pidfd);
            child->pidfd = -1;
        } else if (errno != EINTR) {
            return errno;
        }
    }
}

enum state { RUNS, ZOMBIE, GONE };

/* A zombie keeps its id until it is waited for; of one that is gone somebody else knows how it ended. */
static enum state look(wh_child *child)
{
    siginfo_t info;
    return ask(child, &info, WNOHANG | WNOWAIT) ? GONE : info.si_pid ? ZOMBIE : RUNS;
}

/* Until it has ended, ctx is done, or the limit has passed. */
static void wait_blindly(wh_child *child, const wh_ctx *ctx, int64_t limit)
{
    const int64_t until = wh__add(wh_now(), limit);
    int64_t pause = FIRST_LOOK;
    while (look(child) == RUNS && !wh_err(ctx)) {
        const int64_t left = wh__until(until, wh_now());
        if (!left) return;
        wh_wait(ctx, left < pause ? left : pause);
        if (pause < LAST_LOOK) pause *= 2;
    }
}

static void wait_for_end(wh_child *child, const wh_ctx *ctx, int64_t limit)
{
    struct pollfd fd = {.fd = child->pidfd, .events = POLLIN};
    size_t ready;
    if (fd.fd < 0 || (wh_poll_prefer_result(ctx, &fd, 1, limit, &ready) && !wh_err(ctx))) wait_blindly(child, ctx, limit);
}

/* ---- stopping ---- */

static void send_signal(const wh_child *child, int number)
{
#ifdef SYS_pidfd_send_signal
    if (child->pidfd >= 0 && !child->group) {
        syscall(SYS_pidfd_send_signal, child->pidfd, number, NULL, 0);
        return;
    }
#endif
    kill(child->group ? -child->pid : child->pid, number);
}

static void tell(wh_child *child, int number)
{
    char name[WH__SIGNAL_SIZE];
    send_signal(child, number);
    child->told = true;
    wh_event(child->ctx, WH_EVENT_CHILD_SIGNALLED, .attrs = WH_ATTRS(wh_attr(WH_ATTR_CHILD_SIGNAL, wh__signal_name(number, name))));
}

static void stop(wh_child *child)
{
    if (child->grace >= 0 && child->signal != SIGKILL) {
        tell(child, child->signal);
        send_signal(child, SIGCONT);
        wait_for_end(child, NULL, child->grace);
    }
    if (look(child) == RUNS) tell(child, SIGKILL);
    while (look(child) == RUNS) wait_for_end(child, NULL, WH_NEVER);
    if (child->group && look(child) == ZOMBIE) kill(-child->pid, SIGKILL); /* whom it has left behind */
}

/* ---- its end ---- */

static void note_exit(const wh_child *child, int code)
{
    wh_set(child->ctx, WH_ATTR_CHILD_ENDED_BY, "exit");
    wh_set(child->ctx, WH_ATTR_PROCESS_EXIT_CODE, code);
    if (!code || wh_err(child->ctx)) return;
    char type[16], text[32];
    snprintf(type, sizeof type, "%d", code);
    snprintf(text, sizeof text, "exit code %d", code);
    wh_fail_at(child->ctx, 0, type, text, child->site);
}

static void note_signal(const wh_child *child, int number)
{
    char room[WH__SIGNAL_SIZE], text[WH__SIGNAL_SIZE + 16];
    const char *name = wh__signal_name(number, room);
    wh_set(child->ctx, WH_ATTR_CHILD_ENDED_BY, "signal");
    wh_set(child->ctx, WH_ATTR_CHILD_SIGNAL, name);
    if (wh_err(child->ctx)) return;
    snprintf(text, sizeof text, "ended by %s", name);
    wh_fail_at(child->ctx, 0, name, text, child->site);
}

static void note(wh_child *child)
{
    const struct wh_reason *reason = wh_cause(child->ctx);
    if (child->told && reason) wh_set(child->ctx, WH_ATTR_CHILD_STOPPED_FOR, reason->name);
    if (child->result == ECHILD)
        wh_set(child->ctx, WH_ATTR_CHILD_ENDED_BY, "unknown");
    else if (WIFEXITED(child->status))
        note_exit(child, WEXITSTATUS(child->status));
    else
        note_signal(child, WTERMSIG(child->status));
}

static int status_of(const siginfo_t *info)
{
    return info->si_code == CLD_EXITED ? (info->si_status & 0xff) << 8 : info->si_status | (info->si_code == CLD_DUMPED ? 0x80 : 0);
}

static void collect(wh_child *child)
{
    siginfo_t info;
    const int err = ask(child, &info, 0);
    child->status = err ? 0 : status_of(&info);
    child->result = err ? ECHILD : child->told ? wh_err(child->ctx) : 0;
    note(child);
}

static void let_go(wh_child *child)
{
    if (child->pidfd >= 0) close(child->pidfd);
    child->pidfd = -1;
    wh_end(child->ctx);
    child->ctx = NULL;
}

int wh_child_wait(wh_child *child, int *status)
{
    if (child->forks != wh__forks) return ECHILD;
    if (child->ctx) {
        while (look(child) == RUNS && !wh_err(child->ctx)) wait_for_end(child, child->ctx, WH_NEVER);
        if (look(child) == RUNS) stop(child);
        collect(child);
        let_go(child);
    }
    if (status && child->result != ECHILD) *status = child->status;
    return child->result;
}

void wh_child_free(wh_child *child)
{
    if (!child) return;
    if (child->ctx && child->forks == wh__forks) {
        wh_cancel(child->ctx, WH_ENDED, "nobody waits for it");
        wh_child_wait(child, NULL);
    } else if (child->pidfd >= 0)
        close(child->pidfd); /* in a fork(): the span is the parent's to end */
    wh__mem_free(child);
}

pid_t wh_child_pid(const wh_child *child)
{
    return child->pid;
}

const wh_ctx *wh_child_ctx(const wh_child *child)
{
    return child->ctx;
}
