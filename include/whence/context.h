/* whence/context.h: who is asking, until when, and why it stopped.
 *
 * A context is handed down a call chain as the first argument. It carries a deadline, values, a span (trace.h), and the
 * news that the work is no longer wanted. The rules are those of Go's package context; where C allows more, the
 * comments say so.
 *
 *   wh_ctx *        an owner: may derive, cancel, and must wh_end() it, once. WH_AUTO does that at scope exit.
 *   const wh_ctx *  an observer: may ask, wait, derive and annotate. It cannot cancel, and it owns nothing.
 *
 * Promises that hold for every function here:
 *   - NULL is a context: it means wh_background(), which is never done.
 *   - A constructor never returns NULL and never fails. Out of memory gives one shared context that is already done
 *     and whose cause is WH_NO_MEMORY; ending it is a no-op.
 *   - Every function may be called from any thread at any time, on one context from many at once. None is
 *     async-signal-safe except wh_now(), wh_err() and wh_trigger_fire().
 *   - No callback, destructor or other code of yours ever runs while the library holds a lock.
 *   - A parent may be ended before its children, and in any order: a context lives until nobody can reach it.
 */
#ifndef WHENCE_CONTEXT_H
#define WHENCE_CONTEXT_H

#include <whence/base.h>

WH_BEGIN_DECLS

typedef struct wh_ctx wh_ctx;

/* Marks what returns an owner, never NULL: gcc's -fanalyzer reports one that is never ended, or twice (docs/analyzer.md). */
#if defined(__GNUC__) && __GNUC__ >= 11 && !defined(__clang__)
struct wh_reason;
WH_API void wh_end(wh_ctx *ctx);
WH_API void wh_end_because(wh_ctx *ctx, const struct wh_reason *reason);
#define WH_OWNER_ WH_MUST_USE_ __attribute__((returns_nonnull, malloc(wh_end, 1), malloc(wh_end_because, 1)))
#else
#define WH_OWNER_ WH_MUST_USE_
#endif

/* ---- Roots -----------------------------------------------------------------------------------------------------*/

/* The root of roots: never done, no deadline, no values. For main, for tests, and for the top of a server that does
 * not use wh_main(). Static: need not be ended. */
WH_API const wh_ctx *wh_background(void);

/* The same, for code that does not yet know which context it should take: easy to search for later. Its calls are counted
 * by the place where they stand, and wh_dump() (live.h) lists these. Static: need not be ended. */
#define wh_todo() wh_todo_at(WH_HERE)
WH_API const wh_ctx *wh_todo_at(const struct wh_site *site);

/* ---- Asking ----------------------------------------------------------------------------------------------------*/

/* 0 while the work is wanted; afterwards ECANCELED or ETIMEDOUT, the same for ever. For every loop: while it is 0 this
 * is one load and one branch, inline. When it is not 0, wh_done_fd() is readable and wh_wait() returns, and the other
 * way round; what the canceller wrote before it cancelled is visible. */
static inline int wh_err(const wh_ctx *ctx);

/* When it will be done by the clock: an instant, the same for the whole life of ctx, or WH_NEVER. */
WH_API int64_t wh_deadline(const wh_ctx *ctx);

/* How long until then: never negative, WH_NEVER if there is no deadline. */
WH_API int64_t wh_remaining(const wh_ctx *ctx);

/* Whether ctx can ever be done. */
WH_API bool wh_cancellable(const wh_ctx *ctx);

/* Waits until ctx is done, at most `limit` nanoseconds (WH_NEVER: no limit). Returns wh_err(ctx): so 0 says that the
 * limit passed first. Asks ctx and the clock before it waits: a limit of 0 asks whether ctx is done by now, even if the timer
 * is late. Signals do not shorten it. This is also how to sleep. Whoever it wakes may be ahead of the news: what is derived
 * from ctx is done for certain only when wh_cancel() has returned. */
WH_API int wh_wait(const wh_ctx *ctx, int64_t limit);

/* A descriptor that is readable for ever once ctx is done, for poll, select and epoll (level or edge). Made at the
 * first call, the same at every later one, closed with the context. Never read, write or close it. Returns -1, with
 * errno 0, if ctx can never be done (poll ignores -1), and -1 with EMFILE, ENFILE or ENOMEM if none could be had: then
 * wh_err() and wh_wait() still work. */
WH_API int wh_done_fd(const wh_ctx *ctx);

/* ---- Deriving --------------------------------------------------------------------------------------------------
 *
 * Each returns an owner that holds its parent: end it with wh_end(), or declare it WH_AUTO. A child of a context that
 * is done is born done, with the parent's error and cause. wh_start() in trace.h derives a context with a span. */

/* A child that can be cancelled on its own. */
#define wh_with_cancel(parent) wh_with_cancel_at((parent), WH_HERE)

/* A child that is done (ETIMEDOUT, WH_DEADLINE_EXCEEDED) `timeout` nanoseconds from now; at once if that is 0 or less.
 * If the parent's deadline is no later than that, the parent's holds and this one is only remembered as asked for.
 * Never early; late by about a millisecond at most where somebody waits. */
#define wh_with_timeout(parent, timeout) wh_with_timeout_at((parent), (timeout), WH_HERE)

/* The same with an instant of wh_now(). WH_NEVER asks for nothing of its own. */
#define wh_with_deadline(parent, instant) wh_with_deadline_at((parent), (instant), WH_HERE)

/* A child that keeps the values and the span and drops deadline, cancellation and cause: for work that must outlive
 * its request. Give it a timeout of its own, or an owner that ends it. */
#define wh_detach(parent) wh_detach_at((parent), WH_HERE)

/* A child of several: wh_merge(request, shutdown). It is done as soon as one of them is, with that one's error and cause,
 * before the cancel of that one returns; born done if one is, the first of them in order. Its deadline is the earliest of
 * theirs. A value is looked for in the first and all above it, then in the next; the span is the first one's. NULL says
 * nothing, and of no source at all it is a child of wh_background(). It holds them all and can be cancelled by itself,
 * so that wh_cancellable() is true of it whatever they are. Sources under other clocks than the first (test.h) cancel it
 * when they expire, without having a part in its deadline. wh_merge_at() takes any number; each further one costs 64 bytes. */
#define wh_merge(a, b) wh_merge_two_((a), (b), WH_HERE)

WH_API WH_OWNER_ wh_ctx *wh_merge_at(const wh_ctx *const *sources, size_t count, const struct wh_site *site);
WH_API WH_OWNER_ wh_ctx *wh_with_cancel_at(const wh_ctx *parent, const struct wh_site *site);
WH_API WH_OWNER_ wh_ctx *wh_with_timeout_at(const wh_ctx *parent, int64_t timeout, const struct wh_site *site);
WH_API WH_OWNER_ wh_ctx *wh_with_deadline_at(const wh_ctx *parent, int64_t instant, const struct wh_site *site);
WH_API WH_OWNER_ wh_ctx *wh_detach_at(const wh_ctx *parent, const struct wh_site *site);

/* ---- Ending and holding ----------------------------------------------------------------------------------------*/

/* Ends the owner handle: exactly once for every owner. Ends its span, if it has one, and gives the context back.
 * Whoever still uses it, by wh_hold() or by a child, finds it cancelled with WH_ENDED. Never waits for them. If nobody
 * does, there is nothing to cancel: it goes, and the callbacks that it has go with it, without being run.
 * NULL and wh_background() are ignored. */
WH_API void wh_end(wh_ctx *ctx);

/* Ends the variable it marks when its scope is left: WH_AUTO wh_ctx *op = wh_start(...); */
#define WH_AUTO __attribute__((unused, cleanup(wh_auto_end_)))

/* Makes ctx the owner of the context that it was derived from, `parent`, in place of the caller: ending ctx ends both. For
 * a function that derives in several steps and returns the last. To be called before anyone else has ctx. Returns ctx. */
WH_API wh_ctx *wh_take_over(wh_ctx *ctx, wh_ctx *parent);

/* To keep a context past the life of its owner, as when it is handed to another thread: hold it there first, release it
 * there last. A hold is no ownership: when the owner ends, the holder finds it done. Returns ctx. */
WH_API const wh_ctx *wh_hold(const wh_ctx *ctx);
WH_API void wh_release(const wh_ctx *ctx);

/* ---- Cancelling, and the cause ---------------------------------------------------------------------------------*/

/* Why: a static object, compared by its address. `name` is low-cardinality, for machines. */
struct wh_reason {
    size_t size;
    const char *name;
    int err WH_ZERO_;         /* ECANCELED or ETIMEDOUT; 0 means ECANCELED */
    int http_status WH_ZERO_; /* what wh_http_status() answers; 0 means 500 */
    void *reserved_[4] WH_EMPTY_;
};

/* A reason of your own, at file scope: WH_REASON(over_quota, "over_quota", .http_status = 429); then pass over_quota. */
#define WH_REASON(ident, ...) \
    __extension__ static const struct wh_reason ident[1] = {{.size = sizeof(struct wh_reason), .name = __VA_ARGS__}}

extern WH_API const struct wh_reason wh_reason_canceled, wh_reason_deadline_exceeded, wh_reason_client_gone,
    wh_reason_sibling_failed, wh_reason_race_lost, wh_reason_group_done, wh_reason_shutdown, wh_reason_ended,
    wh_reason_handler_returned, wh_reason_no_memory;

#define WH_CANCELED (&wh_reason_canceled)                   /* "canceled": no better reason was given */
#define WH_DEADLINE_EXCEEDED (&wh_reason_deadline_exceeded) /* "deadline_exceeded", 504 */
#define WH_CLIENT_GONE (&wh_reason_client_gone)             /* "client_gone", 499 */
#define WH_SIBLING_FAILED (&wh_reason_sibling_failed)       /* "sibling_failed": another member of the group failed */
#define WH_RACE_LOST (&wh_reason_race_lost)                 /* "race_lost": another member of the group was first */
#define WH_GROUP_DONE (&wh_reason_group_done)               /* "group_done": wh_group_wait() has returned */
#define WH_SHUTDOWN (&wh_reason_shutdown)                   /* "shutdown", 503 */
#define WH_ENDED (&wh_reason_ended)                         /* "ended": its owner ended it while others held it */
#define WH_HANDLER_RETURNED (&wh_reason_handler_returned)   /* "handler_returned": the request is over */
#define WH_NO_MEMORY (&wh_reason_no_memory)                 /* "no_memory", 503 */

/* Cancels ctx and everything derived from it; when this returns, all of them are done. The first cancel wins and fixes
 * error and cause for ever; returns whether this call was it. `text` says more to people: it may be NULL, is copied
 * unless it is a literal, and cut after WH_TEXT_MAX bytes. Allocates nothing and does not wait for the work to stop. */
#define wh_cancel(ctx, reason, text) wh_cancel_at((ctx), (reason), (text), WH_LITERAL_(text), WH_HERE)
#define wh_cancelf(ctx, reason, ...) wh_cancelf_at((ctx), (reason), WH_HERE, __VA_ARGS__)
#define WH_TEXT_MAX 119
#define WH_LITERAL_(text) __builtin_constant_p(text)

WH_API bool wh_cancel_at(wh_ctx *ctx, const struct wh_reason *reason, const char *text, bool text_is_static,
                         const struct wh_site *site);
WH_API bool wh_cancelf_at(wh_ctx *ctx, const struct wh_reason *reason, const struct wh_site *site, const char *format, ...)
    WH_PRINTF_(4, 5);

/* wh_end(), and whoever still uses ctx finds it cancelled with `reason` in place of WH_ENDED (which a NULL means): what a
 * server says, by WH_HANDLER_RETURNED, to work in the background that has kept a request's context. */
WH_API void wh_end_because(wh_ctx *ctx, const struct wh_reason *reason);

/* The reason: NULL exactly while wh_err(ctx) is 0. */
WH_API const struct wh_reason *wh_cause(const wh_ctx *ctx);

/* Everything that is known of it. The pointers are valid while the context is. */
struct wh_cause {
    size_t size; /* sizeof(struct wh_cause): set it before the call */
    const struct wh_reason *reason;
    const char *text;               /* NULL if none */
    const struct wh_site *site;     /* where cancel was called; for a deadline, where it was set */
    const struct wh_site *origin;   /* where the context was made on which cancel was called */
    int64_t at;                     /* when */
    int64_t at_wall;                /* the same, nanoseconds since 1970 */
    int64_t deadline;               /* that ctx had: the instant that held, WH_NEVER if none */
    int64_t deadline_asked;         /* the duration that was asked for when ctx was made, WH_NEVER if none */
    uint32_t thread;                /* the canceller's thread id */
    uint32_t losers;                /* later cancels that came to nothing */
    uint32_t depth;                 /* levels from the origin down to ctx; 0: ctx itself */
    const struct wh_reason *loser_reason; /* of the first loser, NULL if there was none or it was not kept */
    const struct wh_site *loser_site;
    int64_t loser_at;
    bool has_span;                  /* whether the origin belongs to a span; then: */
    bool span_is_remote;            /* it is the caller's, in another process */
    uint8_t trace_id[16];
    uint8_t span_id[8];
    const char *span_name;          /* NULL if not known here */
};

/* Fills *cause and returns true, or returns false and leaves it alone if ctx is not done. */
WH_API bool wh_cause_info(const wh_ctx *ctx, struct wh_cause *cause);

/* ---- What it was because of ------------------------------------------------------------------------------------
 *
 * A cause may have a cause: the sibling failed because its callee's deadline had passed, because a connection was refused. Such
 * a chain ends with the first cause. It is put together by wh_fail() (trace.h), by groups (work.h), by wh_cancel_because(), by
 * a context whose own deadline passed and that is ended, and by what a callee in another process says of itself. */

/* One link. The pointers are valid while the context is that was asked. */
struct wh_because {
    size_t size;                /* of what is filled in */
    const char *reason;         /* never NULL: a reason's name, or what failed ("ECONNREFUSED") */
    const char *text, *site;    /* NULL if none; a site as "file.c:12 function" */
    const char *span_name, *service; /* NULL if not known */
    uint8_t trace_id[16], span_id[8]; /* all zero: not known */
    bool remote;                /* another process has said so: data of a stranger */
};
#define WH_CAUSES_MAX 8

/* Why ctx is done; or, if it is not, the latest failure noted on it or below it in this process. Then what that was because of,
 * the nearest first and the first cause last. Returns how many were filled in: 0 if ctx is neither done nor failed, at most
 * WH_CAUSES_MAX. What does not fit is left out of the middle. Without memory the chain is shorter. Of a context that is not done
 * the first 15 different failures that are asked for are kept for the pointers' sake; later ones are not shown. */
#define wh_causes(ctx, list, max) wh_causes_at((ctx), (list), (max), sizeof(struct wh_because))
WH_API size_t wh_causes_at(const wh_ctx *ctx, struct wh_because *list, size_t max, size_t size);

/* wh_cancel() because of what has become of `culprit`, which is done or has failed: its chain goes on from this cancel. If it is
 * neither, this is wh_cancel(). Unlike that one it may allocate; without memory the cancel is the same and the chain shorter. */
#define wh_cancel_because(ctx, reason, text, culprit) \
    wh_cancel_because_at((ctx), (reason), (text), WH_LITERAL_(text), (culprit), WH_HERE)
WH_API bool wh_cancel_because_at(wh_ctx *ctx, const struct wh_reason *reason, const char *text, bool text_is_static,
                                 const wh_ctx *culprit, const struct wh_site *site);

/* Writes it in words, one to four lines and one for each further link of its chain, without a last newline, into buf, always
 * terminated if size > 0. Returns the length it has or would have, as snprintf() does. Says "not done", the deadline, and the
 * latest failure of a context that is not. */
WH_API size_t wh_explain(const wh_ctx *ctx, char *buf, size_t size);

/* What to answer to an HTTP client whose request this was: 499, 503, 504 or what the reason says; 500 if not done. */
WH_API int wh_http_status(const wh_ctx *ctx);

/* How loud a log should be about it. What is in the course of things (WH_ENDED, WH_GROUP_DONE, WH_RACE_LOST,
 * WH_HANDLER_RETURNED) is for debugging; a client that has gone, a cancel without a better reason, and a shutdown are
 * information, and so is a context that is not done, unless wh_fail() was called for it, which is an error; a deadline is a
 * warning; a sibling's failure and no memory are errors.
 * A reason of your own: a warning if its err is ETIMEDOUT, an error if its status is 5xx, as it is if it has none, else
 * information. */
enum wh_log_level { WH_LOG_DEBUG, WH_LOG_INFO, WH_LOG_WARN, WH_LOG_ERROR };
WH_API enum wh_log_level wh_log_level(const wh_ctx *ctx);

/* The same as wh_explain(), but in one line for a log, without a newline in it: error, cause, text, origin; how long after
 * the beginning of the nearest span or timeout it came, if there is one, or how long before it a deadline had passed that came with a
 * message; what was left of the deadline; and the first cause, if it is another. Of a context that is not done, how long it has
 * run, what is left, and the latest failure. Text of strangers is made harmless. Returns as wh_explain() does. */
WH_API size_t wh_log_line(const wh_ctx *ctx, char *buf, size_t size);

/* ---- Values ----------------------------------------------------------------------------------------------------
 *
 * For what belongs to the request and crosses every layer: its tenant, its user, its id. Not for connections, loggers
 * or configuration. A key is an object; two keys of the same name are two keys.
 *
 *   WH_KEY(tenant, const char *)      defines, at file scope, for this file:
 *       wh_ctx *wh_with_tenant(const wh_ctx *parent, const char *value);   an owner, like every derived context
 *       const char *wh_tenant(const wh_ctx *ctx);                          the nearest value, or all zero bytes
 *       bool wh_find_tenant(const wh_ctx *ctx, const char **value);        the same, and whether there was one
 *
 * WH_KEY_OWNED(name, type, destroy) also calls destroy(type *value) when the last context that can see the value is
 * gone. To share a key between files, write WH_KEY_DECLARE(name, type) in a header and WH_KEY_DEFINE(name, type) in one
 * source file. The value is copied in. Lookups take no lock. */
struct wh_key {
    size_t size;       /* sizeof(struct wh_key) */
    const char *name;  /* printed; never the value */
    size_t value_size;
    void (*destroy)(void *value);
    void *reserved_[2];
};

/* value: key->value_size bytes, aligned for any type up to 16. NULL key: the shared done context, as out of memory. */
WH_API WH_OWNER_ wh_ctx *wh_with_value(const wh_ctx *parent, const struct wh_key *key, const void *value);

/* The nearest value of that key, valid while ctx is; NULL if there is none. */
WH_API const void *wh_value(const wh_ctx *ctx, const struct wh_key *key);

#define WH_KEY(name, type) WH_KEY_(static, name, type, NULL) WH_KEY_ACCESS_(name, type)
#define WH_KEY_OWNED(name, type, destroyer) \
    static inline void wh_destroy_##name##_(void *value) { destroyer((type *)value); } \
    WH_KEY_(static, name, type, wh_destroy_##name##_) WH_KEY_ACCESS_(name, type)
#define WH_KEY_DECLARE(name, type) extern const struct wh_key wh_key_##name; WH_KEY_ACCESS_(name, type)
#define WH_KEY_DEFINE(name, type) WH_KEY_(, name, type, NULL)

#define WH_KEY_(storage, name, type, destroyer) \
    storage const struct wh_key wh_key_##name = {sizeof(struct wh_key), #name, sizeof(type), destroyer, {NULL, NULL}};
#define WH_KEY_ACCESS_(name, type) \
    WH_MUST_USE_ WH_UNUSED_ static inline wh_ctx *wh_with_##name(const wh_ctx *parent, type value) \
    { return wh_with_value(parent, &wh_key_##name, (const void *)&value); } \
    WH_UNUSED_ static inline bool wh_find_##name(const wh_ctx *ctx, type *value) \
    { const void *found = wh_value(ctx, &wh_key_##name); if (found) __builtin_memcpy((void *)value, found, sizeof *value); return found != NULL; } \
    WH_UNUSED_ static inline type wh_##name(const wh_ctx *ctx) \
    { type value; __builtin_memset((void *)&value, 0, sizeof value); wh_find_##name(ctx, &value); return value; }

/* ---- Callbacks -------------------------------------------------------------------------------------------------
 *
 * fn(arg) runs once, after ctx is done; at once if it is already; never if ctx never is, and never if ctx goes away
 * undone: its owner ended it while nobody else had it. wh_after() runs it on a thread of the library's, one callback at
 * a time, so that cancelling never waits for it. wh_after_inline() runs it on the canceller's thread (for a deadline,
 * the timer thread's), newest first: it must not block. A callback may do anything, cancel its own parent included.
 * In the child of a fork() only those still run that the forking thread had registered, and of these none that was
 * already waiting for the library's thread.
 *
 * 0, or ENOMEM and nothing registered. *callback, if asked for, must be given to exactly one stop function later. */
typedef struct wh_callback wh_callback;
WH_API int wh_after(const wh_ctx *ctx, void (*fn)(void *arg), void *arg, wh_callback **callback);
WH_API int wh_after_inline(const wh_ctx *ctx, void (*fn)(void *arg), void *arg, wh_callback **callback);

/* Returns true if this call prevented fn from running, and it never will; false if it has run, runs, or is about to.
 * Does not wait for it. NULL is ignored. */
WH_API bool wh_stop(wh_callback *callback);

/* The same, and when it returns fn is not running and never will: what a driver needs before it reuses a connection.
 * From inside fn itself it returns at once. */
WH_API bool wh_stop_wait(wh_callback *callback);

/* ---- Peers and signals -----------------------------------------------------------------------------------------
 *
 * Both are of the process that asked for them: after a fork() the child watches nobody's peer, and no signal cancels its
 * contexts, until it asks itself: a worker process calls wh_with_signals() after the fork. */

/* Cancels ctx with WH_CLIENT_GONE when the peer of the connected socket `fd` has closed, shut down its sending side, or
 * reset the connection, also while bytes wait unread. Watches until ctx is ended or done: end ctx before you close fd.
 * One descriptor a context; a second call replaces the first. 0, EBADF, EPERM (not a socket), ENOMEM, ENOSPC, EAGAIN (no
 * thread to watch with), EINVAL (a context that is nobody's, such as wh_background()).
 * With WH_HALF_CLOSE the peer may shut down its sending side and still be waiting for the answer. */
#define wh_watch_peer(ctx, fd, flags) wh_watch_peer_at((ctx), (fd), (flags), WH_HERE)
#define WH_HALF_CLOSE 1u
WH_API int wh_watch_peer_at(wh_ctx *ctx, int fd, unsigned flags, const struct wh_site *site);

/* A child that the first of these signals cancels (WH_SHUTDOWN, the text names the signal and its sender). From then on,
 * and once the context is ended, each signal does again what it did before: a second SIGTERM ends the process. Blocking
 * calls are restarted (SA_RESTART): poll wh_done_fd() beside your sockets. One such
 * context at a time for each signal: a later one takes it over. */
#define wh_with_signals(parent, signals, count) wh_with_signals_at((parent), (signals), (count), WH_HERE)
WH_API WH_OWNER_ wh_ctx *wh_with_signals_at(const wh_ctx *parent, const int *signals, size_t count,
                                               const struct wh_site *site);

/* ---- Cancelling from a signal handler --------------------------------------------------------------------------
 *
 * wh_cancel() takes locks, so it is not for a handler. A trigger, made beforehand, is: it only stores, and a thread of
 * the library's cancels. For signals that mean something of your own (SIGUSR1: stop the reload; SIGXCPU: give up); to stop the
 * program at SIGTERM, wh_with_signals() does it all.
 *
 *   static wh_trigger *stop;
 *   static void on_usr1(int signo) { wh_trigger_fire(stop, WH_CANCELED, signo); } */
typedef struct wh_trigger wh_trigger;

/* A trigger of ctx, which it holds. 0; EAGAIN (no thread to cancel on), ENOMEM, EINVAL (a context that is nobody's, such as
 * wh_background()). */
WH_API int wh_trigger_new(wh_ctx *ctx, wh_trigger **trigger);

/* Cancels the trigger's context, soon: as wh_cancel(ctx, reason, "signal <signo>"), without the text if signo is 0.
 * Returns whether this call was the first for this trigger: the others do nothing. Async-signal-safe; errno stays. NULL is
 * ignored. In the child of a fork() the triggers of the parent cancel nothing: make them anew. */
#define wh_trigger_fire(trigger, reason, signo) wh_trigger_fire_at((trigger), (reason), (signo), WH_HERE)
WH_API bool wh_trigger_fire_at(wh_trigger *trigger, const struct wh_reason *reason, int signo, const struct wh_site *site);

/* Lets go of it and of its context, and never waits: also from a callback of that context. If it has fired, ctx is still
 * cancelled. A handler that fires it later, or on another thread at this very moment, does no harm and gets false. NULL is
 * ignored. */
WH_API void wh_trigger_free(wh_trigger *trigger);

/* ---- What the inline functions need ----------------------------------------------------------------------------*/

/* The first words of every context. Read them through the functions above. */
struct wh_ctx_head_ {
    uint32_t state;
    uint32_t flags;
};
#define WH_NOT_OPEN_ 256u  /* state: from here on it is done, or asks another context */
#define WH_RECORDS_ 1u     /* flags: some span at or above this context may be recording */
WH_API int wh_err_(const wh_ctx *ctx);

static inline int wh_err(const wh_ctx *ctx)
{
    if (!ctx) return 0;
    const uint32_t state = __atomic_load_n(&((const struct wh_ctx_head_ *)(const void *)ctx)->state, __ATOMIC_ACQUIRE);
    return __builtin_expect(state < WH_NOT_OPEN_, 1) ? 0 : wh_err_(ctx);
}

WH_MUST_USE_ static inline wh_ctx *wh_merge_two_(const wh_ctx *a, const wh_ctx *b, const struct wh_site *site)
{
    const wh_ctx *const both[] = {a, b};
    return wh_merge_at(both, 2, site);
}

static inline void wh_auto_end_(wh_ctx **ctx) { wh_end(*ctx); }

WH_END_DECLS
#endif
