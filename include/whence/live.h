/* whence/live.h: who is alive, since when, and why it does not stop.
 *
 * Nothing here costs anything until it is asked for. wh_track(WH_TRACK_LIVE) lists every context that is made from then
 * on: wh_dump() draws them as a tree, wh_report_leaks() counts them by the place where they were made. WH_TRACK_LATENCY
 * measures how long work takes to stop once it is cancelled. docs/live.md shows what comes out, and what it costs.
 *
 * Any thread may call these at any time, while others make, cancel and end contexts; none is for signal handlers. What
 * is printed takes memory in proportion to the contexts that are listed. Of values the key's name and the size are
 * printed, never the value. Places and reasons are kept by their address: do not dlclose() a library while its contexts
 * are listed, or once it has called wh_todo() or its contexts were measured. */
#ifndef WHENCE_LIVE_H
#define WHENCE_LIVE_H

#include <whence/context.h>

WH_BEGIN_DECLS

/* ---- Tracking --------------------------------------------------------------------------------------------------*/

#define WH_TRACK_LIVE 1u    /* list the contexts that are made from now on */
#define WH_TRACK_LATENCY 2u /* measure how long stopping takes, of contexts that are made from now on */
#define WH_TRACK_LEAKS 4u   /* WH_TRACK_LIVE; and when the process exits, wh_report_leaks() to standard error */

/* Tracks that, and nothing else; 0: nothing. May be changed at any time. A context that is listed stays so until it is
 * gone; one that was made while nothing was tracked is not, and appears only as the parent of one that is. The child of
 * a fork() lists what it inherited, as its own copies; at exit it reports only what it has made itself. Exit statuses
 * stay as they are. */
WH_API void wh_track(unsigned what);

/* How many contexts are listed now. */
WH_API size_t wh_live_count(void);

/* ---- The dump --------------------------------------------------------------------------------------------------
 *
 * Writes all that are listed to a descriptor, each below its parent: number, kind, name, where and how long ago it was
 * made, the deadline that was asked for and what is left of the one that holds, whether it is done and why, references,
 * children, waiters, callbacks, its span, what it was detached from; and the places that call wh_todo().
 *
 * Every context in it was alive at some instant of the call. The lists are read in slices of at most WH_DUMP_SLICE contexts
 * under a lock that keeps others from making and ending contexts; nothing is locked while it draws and writes.
 *
 * 0; ENOMEM, and nothing was written; EINVAL; or what write() has said, EPIPE included, without a SIGPIPE. To a descriptor
 * that takes no more it waits, whether it is O_NONBLOCK or not. */
enum wh_dump_format {
    WH_DUMP_TEXT, /* for people: a tree by indentation */
    WH_DUMP_JSON, /* one object, one context a line */
    WH_DUMP_DOT   /* for Graphviz: dot -Tsvg */
};
#define WH_DUMP_SLICE 128
WH_API int wh_dump(int fd, enum wh_dump_format format);

/* From now on each such signal prints the text to standard error, on a thread of the library's; 0: no more, and the
 * signal does again what it did before, unless the program has set another handler since. One signal at a time: a second
 * call replaces the first. 0; EINVAL (no signal that can be handled), or why there is no descriptor or thread. Of this
 * process: in the child of a fork() the signal does what it did before. */
WH_API int wh_dump_on(int signo);

/* ---- Leaks -----------------------------------------------------------------------------------------------------
 *
 * Writes how many contexts are listed, by the place where they were made, the oldest first: how old that is, how many are
 * open, done, or ended and still held by others, and how many children they have. Returns as wh_dump(). */
WH_API int wh_report_leaks(int fd);

/* ---- Stop latency ----------------------------------------------------------------------------------------------
 *
 * From the instant of a cancel, or of a deadline, to the end of what it was to stop, by the place where the context was
 * made that was cancelled. */
enum wh_stop {
    WH_STOP_WAITER, /* somebody who slept in wh_wait() is awake again; the last of them is the longest */
    WH_STOP_GROUP,  /* the last member of a cancelled group has returned */
    WH_STOP_OWNER   /* the owner has ended a context that was done */
};

#define WH_STOP_BUCKETS 28
struct wh_latency {
    const struct wh_site *site;
    enum wh_stop what;
    uint64_t count;
    int64_t total, longest;            /* nanoseconds */
    uint64_t buckets[WH_STOP_BUCKETS]; /* [i]: at most 2^i us, and more than half of that; the last: all that is longer */
    void *reserved_[4];
};

/* Fills at most `max` rows, in no order, and returns how many there are: one for each place and kind, at most 256. What
 * finds no room is counted in *lost, if asked for. Counts go on growing while it reads. */
WH_API size_t wh_latency(struct wh_latency *rows, size_t max, uint64_t *lost);

/* Writes them in words, the longest first. Returns as wh_dump(). */
WH_API int wh_report_latency(int fd);

WH_END_DECLS
#endif
