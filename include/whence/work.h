/* whence/work.h: several pieces of work under one context: groups that run them, semaphores that admit them, and trying
 * again. The promises of context.h hold here, too: NULL is a context, any thread may call, no code of yours runs while the
 * library holds a lock. */
#ifndef WHENCE_WORK_H
#define WHENCE_WORK_H

#include <whence/context.h>

WH_BEGIN_DECLS

/* ---- Groups ----------------------------------------------------------------------------------------------------
 *
 * Several pieces of one job, each on its own thread, under one context. Nobody is left running.
 *
 *   WH_ALL            all are needed: the first that fails cancels the others (WH_SIBLING_FAILED) and is what waiting returns
 *   WH_FIRST_SUCCESS  one is enough: the first that returns 0 cancels the others (WH_RACE_LOST), and waiting returns 0
 *                     whatever becomes of them; if all fail, the first failure
 *   WH_COLLECT        whatever there is: nobody cancels anybody; waiting returns the first failure
 */
typedef struct wh_group wh_group;

enum wh_policy { WH_ALL, WH_FIRST_SUCCESS, WH_COLLECT };

struct wh_group_opts {
    size_t size;
    const struct wh_site *site;
    const wh_ctx *parent;
    int policy WH_ZERO_;         /* enum wh_policy */
};

/* wh_group_new(parent), wh_group_new(parent, .policy = WH_COLLECT): never NULL; without memory, a group whose wh_go() and
 * wh_group_wait() return ENOMEM. Of the process that made it: in the child of a fork() the members that ran are not there;
 * they count as having failed with ECANCELED. */
#define wh_group_new(...) wh_group_new_at(WH_OPTS_(struct wh_group_opts, .site = WH_HERE, .parent = __VA_ARGS__))
WH_API WH_MUST_USE_ wh_group *wh_group_new_at(const struct wh_group_opts *opts);

/* At most `limit` members run at a time: 0 is nobody, less than 0 any number, as without this call. Returns 0; EBUSY, and
 * nothing is changed, while members run or somebody waits to start one. */
WH_API int wh_group_limit(wh_group *group, int limit);

/* Runs fn(ctx, arg) on a new thread, ctx being a child of the group's. Its result: 0, or an error, by convention an
 * errno value. At the limit it waits for a place, first come, first served, and no longer than the group's context lasts.
 * Returns 0; EAGAIN or ENOMEM if no thread could be had, ECANCELED or ETIMEDOUT if the group is done, EDEADLK from a
 * member if all the others that run wait for a place, too, so that none would ever come: all these count as a member that
 * failed so, which is why the result need not be looked at. ECANCELED also after wh_group_wait() has returned its result, and
 * then it counts for nothing. */
#define wh_go(group, fn, arg) wh_go_at((group), (fn), (arg), #fn, WH_HERE)
WH_API int wh_go_at(wh_group *group, int (*fn)(const wh_ctx *ctx, void *arg), void *arg, const char *name,
                    const struct wh_site *site);

/* The same for work that is welcome but not needed: its failure is listed (wh_group_failures()) and otherwise nobody's, so
 * that waiting for a race in which only such have failed returns 0. */
#define wh_go_optional(group, fn, arg) wh_go_optional_at((group), (fn), (arg), #fn, WH_HERE)
WH_API int wh_go_optional_at(wh_group *group, int (*fn)(const wh_ctx *ctx, void *arg), void *arg, const char *name,
                             const struct wh_site *site);

/* The same as wh_go() if it can be done at once: EAGAIN, and nothing has happened, at the limit, behind others who wait for a
 * place, or if the system has no thread to spare. */
#define wh_try_go(group, fn, arg) wh_try_go_at((group), (fn), (arg), #fn, WH_HERE)
WH_API int wh_try_go_at(wh_group *group, int (*fn)(const wh_ctx *ctx, void *arg), void *arg, const char *name,
                        const struct wh_site *site);

/* The context of the group, to derive from and to look at; valid until the group is freed. */
WH_API const wh_ctx *wh_group_ctx(const wh_group *group);

/* Waits until every member has returned; then takes no more, and cancels the group's context with WH_GROUP_DONE. Returns 0
 * or the first failure, as the policy has it. From one of its own members: EDEADLK, at once. */
WH_API int wh_group_wait(wh_group *group);

/* The same, no longer than until an instant of wh_now(): then ETIMEDOUT, and the members run on. With the context's deadline,
 * wh_group_wait_until(group, wh_deadline(ctx)), it collects what there is by then. May be called again; an ETIMEDOUT that is a
 * member's failure is what wh_group_wait() returns, too. */
WH_API int wh_group_wait_until(wh_group *group, int64_t instant);

/* A member that has not returned. What it points to is static. */
struct wh_straggler {
    const char *name;            /* of its function */
    const struct wh_site *site;  /* where it was started */
    int64_t since;               /* the instant at which it was */
    int64_t done;                /* the instant since which its context is done and it works for nobody; 0: it is not */
    void *reserved_[2];
};

/* Who has not returned by now, the oldest first: writes at most `max` of them, and returns how many there are. */
WH_API size_t wh_group_stragglers(wh_group *group, struct wh_straggler *list, size_t max);

/* A member that has failed, or could not be started. */
struct wh_member_failure {
    const char *name;
    const struct wh_site *site;
    int rc;
    bool optional;
    int64_t at;                  /* when */
    void *reserved_[2];
};

/* Who has failed, the first first, also those that failed because they were cancelled; not who lost a race that somebody
 * has won. Writes at most `max`, of the first WH_FAILURES_KEPT, and returns how many there are. */
#define WH_FAILURES_KEPT 16
WH_API size_t wh_group_failures(wh_group *group, struct wh_member_failure *list, size_t max);

/* Cancels what still runs (WH_ENDED), waits for it, and frees the group: once. WH_AUTO_GROUP does it at scope exit. */
WH_API void wh_group_free(wh_group *group);
#define WH_AUTO_GROUP __attribute__((unused, cleanup(wh_auto_group_free_)))

/* ---- Semaphores ------------------------------------------------------------------------------------------------
 *
 * `size` permits, of which each takes as many as his work weighs, and waits for them no longer than his context lasts. In
 * the order of asking: a heavy one is not passed by lighter ones behind it. Any thread may give back what another took.
 * Of one process: a child of fork() makes its own. */
typedef struct wh_sem wh_sem;

/* NULL and ENOMEM in errno without memory. Freed when nobody waits or will. NULL is ignored. */
WH_API WH_MUST_USE_ wh_sem *wh_sem_new(uint32_t size);
WH_API void wh_sem_free(wh_sem *sem);

/* Takes `weight` permits: 0, and they are held; or wh_err(ctx), and none is, also if some were free or came at that very
 * moment. More than there are in all never come: that waits for ctx alone. */
WH_API WH_MUST_USE_ int wh_sem_acquire(const wh_ctx *ctx, wh_sem *sem, uint32_t weight);

/* The same, if they are free and nobody waits. */
WH_API WH_MUST_USE_ bool wh_sem_try_acquire(wh_sem *sem, uint32_t weight);

/* Gives permits back. 0; EINVAL, and nothing is changed, if fewer are held. */
WH_API int wh_sem_release(wh_sem *sem, uint32_t weight);

/* ---- Trying again ----------------------------------------------------------------------------------------------
 *
 * wh_retry(ctx, fn, arg, .attempts = 5): calls fn(ctx, arg) on this thread until it returns 0, and sleeps in between: .delay
 * after the first failure, each time .factor times as long, at most .max_delay, and of that a part less, at random, up to
 * .jitter of it, so that those who failed together do not come back together.
 *
 * ctx is asked before every attempt and before and after every sleep, which it cuts short. A sleep that would last to the
 * deadline or beyond is not begun. Returns 0; wh_err(ctx) if the context has ended it; else the error of the last attempt. */
enum wh_retry_end {
    WH_RETRY_SUCCEEDED,
    WH_RETRY_DONE,      /* ctx is done */
    WH_RETRY_NO_TIME,   /* ctx would have been before the next attempt */
    WH_RETRY_ATTEMPTS,  /* that was the last */
    WH_RETRY_REFUSED,   /* may_retry() said no */
};

struct wh_retry_report {
    size_t size;            /* sizeof(struct wh_retry_report): set it before the call */
    enum wh_retry_end why;  /* it ended */
    int attempts;           /* begun */
    int last_error;         /* the last that was not just ctx being done; 0: none */
    int64_t elapsed;        /* from the call to its end, nanoseconds */
    int64_t remaining;      /* of the deadline, at the end; WH_NEVER: there is none */
};

struct wh_retry_opts {
    size_t size;
    const wh_ctx *ctx;
    int (*fn)(const wh_ctx *ctx, void *arg);
    void *arg;
    int attempts WH_ZERO_;      /* at most; 0 or less: as many as ctx lasts */
    int64_t delay WH_ZERO_;     /* 0: 50 ms; less: none */
    int64_t max_delay WH_ZERO_; /* 0 or less: 2 s */
    double factor WH_ZERO_;     /* 0: 2; less than 1: 1 */
    double jitter WH_ZERO_;     /* 0 to 1; 0: a half; less: none */
    bool (*may_retry)(int rc, void *arg) WH_ZERO_; /* whether trying again may help; NULL: always */
    struct wh_retry_report *report WH_ZERO_;       /* to be filled, or NULL */
};
#define wh_retry(context, function, ...) \
    wh_retry_at(WH_OPTS_(struct wh_retry_opts, .ctx = (context), .fn = (function), .arg = __VA_ARGS__))
WH_API int wh_retry_at(const struct wh_retry_opts *opts);

static inline void wh_auto_group_free_(wh_group **group) { wh_group_free(*group); }

WH_END_DECLS
#endif
