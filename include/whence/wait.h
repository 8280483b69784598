/* whence/wait.h: waits that obey a context: sleeping, descriptors, condition variables.
 *
 * What is true of every function here:
 *   - It asks ctx before it starts: if ctx is done, it waits for nothing and moves no byte.
 *   - It returns 0; wh_err(ctx), once ctx is done; or an errno value. The deadline of ctx counts even where the library
 *     could have no thread for its timers. Out-parameters are untouched on failure, where nothing else is said.
 *   - What it has produced it hands over: once bytes are read or a connection is accepted it returns 0, whatever has
 *     become of ctx meanwhile. If it finds ctx done and a result ready, ctx wins, and the result is left where it is;
 *     wh_poll_prefer_result() is the one exception.
 *   - Signals neither end nor lengthen it. pthread_cancel() may end the thread where it waits, and nowhere else.
 *   - NULL and wh_background() are never done: then it waits as the plain call does.
 *   - A descriptor may be blocking or O_NONBLOCK, and is left as it was.
 *
 * Descriptors are waited for together with wh_done_fd(ctx). If that cannot be had (EMFILE), ctx is asked every five
 * milliseconds in its place.
 */
#ifndef WHENCE_WAIT_H
#define WHENCE_WAIT_H

#include <whence/base.h>
#include <whence/context.h>

#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>

WH_BEGIN_DECLS

/* ---- Time ------------------------------------------------------------------------------------------------------*/

/* 0 when `duration` nanoseconds have passed; wh_err(ctx) if ctx is done by then, so never later than its deadline. A
 * duration of 0 or less only asks. */
WH_API int wh_sleep(const wh_ctx *ctx, int64_t duration);

/* The same until an instant of wh_now(). */
WH_API int wh_sleep_until(const wh_ctx *ctx, int64_t instant);

/* Something to do at every multiple of a period, counted from the first wh_tick(), which returns a period later. Nothing
 * adds up: however late a tick is, the next is due where it always was. Of one thread at a time; holds nothing.
 *
 *   struct wh_ticker ticker = wh_ticker_begin(WH_SEC(1));
 *   while (wh_tick(ctx, &ticker, NULL) == 0) poll_the_sensor();
 */
struct wh_ticker {
    int64_t period;
    int64_t next WH_ZERO_;    /* the instant that the next wh_tick() waits for, once it has begun */
    uint64_t ticks WH_ZERO_;  /* returned so far */
    uint64_t missed WH_ZERO_; /* so far */
    bool begun WH_ZERO_;
};
static inline struct wh_ticker wh_ticker_begin(int64_t period);

/* Waits for the next: 0, and in *missed (may be NULL) how many instants had passed since the one before without anybody
 * waiting for them. These are not made up for. wh_err(ctx) if ctx was done first, and the ticker is as it was. EINVAL:
 * the period is not positive. */
WH_API int wh_tick(const wh_ctx *ctx, struct wh_ticker *ticker, uint64_t *missed);

/* ---- Descriptors -----------------------------------------------------------------------------------------------*/

/* poll(2) that also waits for ctx. 0: *ready descriptors have something in revents; *ready = 0: `limit` nanoseconds have
 * passed (WH_NEVER: no limit; 0 or less: only looks). If both are there, ctx wins: wh_err(ctx). Errors of poll(2). Unless
 * it returns 0, revents mean nothing. More than 127 descriptors take memory for the time of the call; if there is none,
 * ctx is asked every five milliseconds. */
WH_API int wh_poll(const wh_ctx *ctx, struct pollfd *fds, size_t count, int64_t limit, size_t *ready);

/* The same, but the descriptors win: wh_err(ctx) means that none was ready. */
WH_API int wh_poll_prefer_result(const wh_ctx *ctx, struct pollfd *fds, size_t count, int64_t limit, size_t *ready);

/* read(2): 0, and the bytes in *got; *got = 0, where size is not 0: the end. Bytes that are there are read from a socket
 * with one system call. wh_err(ctx): no byte was taken, also if some were there.
 * A blocking descriptor that is neither socket nor pipe must have no other reader: between poll(2) and read(2) he could
 * take what there was, and the read would wait without obeying. So it is with pipes before Linux 6.4. Regular files are
 * read as fast as the disk is. */
WH_API int wh_read(const wh_ctx *ctx, int fd, void *buf, size_t size, size_t *got);

/* write(2) of all `size` bytes, asking ctx between any two pieces. *put (may be NULL) is always set: how many went, all of
 * them with 0. Raises no SIGPIPE on a socket, where the result is EPIPE; on anything else it does as write(2). What
 * wh_read() says of other readers holds of other writers. */
WH_API int wh_write(const wh_ctx *ctx, int fd, const void *buf, size_t size, size_t *put);

/* accept(2): 0, and in *accepted a connection, blocking and close-on-exec, which the caller closes; addr and addrlen as
 * there, or both NULL. One whose peer is gone already is accepted like any other, or passed over. wh_err(ctx): nobody was
 * taken from the queue. EMFILE and the like come back at once: wait a little before the next call.
 * A listening socket that several threads or processes accept from must be O_NONBLOCK: between poll(2) and accept(2)
 * another could take the only connection, and on a socket that is blocking no accept(2) of Linux returns for want of
 * one. */
WH_API int wh_accept(const wh_ctx *ctx, int fd, struct sockaddr *addr, socklen_t *addrlen, int *accepted);

/* connect(2): 0 when the connection stands; its error, of which ETIMEDOUT may be one: ask wh_err(ctx); or wh_err(ctx), also
 * if it came to stand at that very moment. Unless it is 0 the socket is of no more use: close it. It is O_NONBLOCK for
 * the duration of the call, and nobody else should use it then. On one that was already connecting, it waits for that. */
WH_API int wh_connect(const wh_ctx *ctx, int fd, const struct sockaddr *addr, socklen_t addrlen);

/* ---- Condition variables ---------------------------------------------------------------------------------------*/

/* pthread_cond_wait() that also waits for ctx. The caller holds the mutex, which is released while it waits and held again
 * in any case. 0: woken, perhaps for nothing, so look at the condition in a loop; wh_err(ctx), also if it was signalled at
 * that moment: then the signal is passed on to the next who waits; or an error of pthread_cond_wait().
 *
 *   while (!queue_has_items(q) && (err = wh_cond_wait(ctx, &q->filled, &q->mutex)) == 0) continue;
 *
 * When ctx is done a thread of the library's takes the mutex for an instant and wakes everybody who waits on `cond`.
 * Whoever cancels does not wait for that, so he may hold the mutex. Once this returns the library touches neither of the
 * two. Without memory or a thread for that, it returns 0 for nothing every five milliseconds. The mutex must not be
 * robust, nor held more than once. */
WH_API int wh_cond_wait(const wh_ctx *ctx, pthread_cond_t *cond, pthread_mutex_t *mutex);

/* ---- What the inline functions need ----------------------------------------------------------------------------*/

static inline struct wh_ticker wh_ticker_begin(int64_t period)
{
    struct wh_ticker ticker = {period, 0, 0, 0, false};
    return ticker;
}

WH_END_DECLS
#endif
