/* whence/child.h: programs that are started under a context, and stopped with it.
 *
 *   WH_AUTO_CHILD wh_child *child = NULL;
 *   int status, rc = wh_child_start(ctx, &child, argv, .timeout = WH_SEC(30));
 *   if (!rc) rc = wh_child_wait(child, &status);
 *
 * The program gets the context in its environment (wh_extract_env() in propagate.h): if it uses Whence, its spans are in the
 * trace, below the span that stands for it here, and it has the deadline of its parent. If not, it is stopped all the same.
 *
 * No signal handler is installed and nobody else's child is waited for, so the program's own children, and its own way of
 * dealing with SIGCHLD, stay what they are. Who waits for all children, with wait() or waitpid(-1), or ignores SIGCHLD,
 * takes from this one how it ended, and from nobody else.
 */
#ifndef WHENCE_CHILD_H
#define WHENCE_CHILD_H

#include <spawn.h>
#include <sys/types.h>
#include <whence/trace.h>

WH_BEGIN_DECLS

typedef struct wh_child wh_child;

struct wh_child_opts {
    size_t size;
    const struct wh_site *site;
    char *const *argv;             /* ends with NULL; argv[0] is there */
    const char *path WH_ZERO_;     /* the program, searched for in PATH if there is no slash in it; NULL: argv[0] */
    char *const *envp WH_ZERO_;    /* to which the context is added; NULL: the process's own */
    const posix_spawn_file_actions_t *actions WH_ZERO_; /* what becomes of its descriptors; NULL: what fork() makes of them */
    const char *name WH_ZERO_;     /* of the span; NULL: the program's, without its folders */
    int64_t timeout WH_ZERO_;      /* nanoseconds; 0: the context's deadline is all there is */
    int64_t grace WH_ZERO_;        /* between the first signal and SIGKILL; 0: a second; less: SIGKILL at once */
    int signal WH_ZERO_;           /* the first signal; 0: SIGTERM */
    bool group WH_ZERO_;           /* a process group of its own, all of which is stopped: for a shell and what it starts */
    bool record_args WH_ZERO_;     /* process.command_args on the span: not if a password may be among them */
};

/* Starts a program (posix_spawn(3): there is no moment at which a copy of this process could allocate or wait for a lock), and a
 * span, child of that of ctx, by the conventions for programs that are called: its name, process.executable.name, process.pid.
 * In the new program the first signal is neither blocked nor ignored. Descriptors that are not close-on-exec are inherited.
 * 0, and *child is to be given to wh_child_free(); wh_err(ctx) if ctx is done: nothing is started; or an error of
 * posix_spawn(), ENOENT being a program that is not there, or ENOMEM. Then *child is as it was, and the span says why. */
#define wh_child_start(ctx, child, ...) \
    wh_child_start_at((ctx), (child), WH_OPTS_(struct wh_child_opts, .site = WH_HERE, .argv = __VA_ARGS__))
WH_API WH_MUST_USE_ int wh_child_start_at(const wh_ctx *ctx, wh_child **child, const struct wh_child_opts *opts);

/* Waits until it has ended, and ends the span. When ctx, or the timeout, is done first, the program gets the first signal (and
 * SIGCONT, if it should be stopped), after the grace SIGKILL, and in any case is gone when this returns: as long as the
 * system keeps a process that waits for a disk, so long does this wait.
 *
 * 0: it has ended by itself, whatever it says, also if ctx was done by then. wh_err(): it was told to stop. In both cases
 * *status (may be NULL) is what waitpid(2) gives. ECHILD: it has ended, and somebody else knows how; or this is a
 * fork() of the process whose child it is. May be called again, with the same result. One thread at a time for each child; nobody stops the
 * program while no one waits for it. Where there are no pidfds (before Linux 5.4, or EMFILE) it is asked every few milliseconds
 * whether it has ended.
 *
 * On the span: whence.child.ended_by ("exit", "signal", "unknown"), process.exit.code or whence.child.signal ("SIGKILL"). If
 * it was told to stop, whence.child.stopped_for (the reason), an event whence.child.signalled for each signal, and what every
 * cancelled span has. Otherwise an exit code that is not 0, or a signal, is an error, with that as error.type. */
WH_API int wh_child_wait(wh_child *child, int *status);

/* Its process id, also after its end. Until wh_child_wait() has returned nobody else has it, except as said above. */
WH_API pid_t wh_child_pid(const wh_child *child);

/* The context that it works under, whose span stands for it: to annotate, to look at. NULL once it has been waited for. */
WH_API const wh_ctx *wh_child_ctx(const wh_child *child);

/* Gives the handle back, once. One that nobody has waited for is stopped (WH_ENDED) and waited for: nobody is left running.
 * NULL is ignored. WH_AUTO_CHILD does it at scope exit. */
WH_API void wh_child_free(wh_child *child);
#define WH_AUTO_CHILD __attribute__((unused, cleanup(wh_auto_child_free_)))
static inline void wh_auto_child_free_(wh_child **child) { wh_child_free(*child); }

WH_END_DECLS
#endif
