/* Waiting for descriptors and for a context at once: poll() with one descriptor more, the context's. */
#include <errno.h>
#include <poll.h>

#include "base/mem.h"
#include "base/park.h"
#include "wait.h"

enum { AT_HAND = 128 }; /* descriptors on the stack, with the context's: a kilobyte */

struct waiting {
    const wh_ctx *ctx;
    struct pollfd *fds;
    size_t count;      /* of the caller's; where there is room, the context's stands behind them */
    bool has_room;
    bool is_blind;     /* nothing wakes it when ctx is done: it asks now and then */
    bool result_wins;
    int64_t until;     /* of the system's clock; INT64_MIN: only looks */
};

/* Until the instant at most; *ready: how many of all. An interruption is nothing. */
WH__MAY_VANISH static int look(struct pollfd *fds, size_t count, int64_t until, int *ready)
{
    const struct timespec left = wh__timespec(until == WH_NEVER ? 0 : wh__until(until, wh__now()));
    *ready = ppoll(fds, count, until == WH_NEVER ? NULL : &left, NULL);
    if (*ready >= 0) return 0;
    *ready = 0;
    return errno == EINTR ? 0 : errno;
}

WH__MAY_VANISH static int glance(const struct waiting *waiting, int *ready)
{
    return look(waiting->fds, waiting->count, INT64_MIN, ready);
}

static void add_context(struct waiting *waiting)
{
    const int fd = waiting->has_room ? wh_done_fd(waiting->ctx) : -1;
    if (waiting->has_room) waiting->fds[waiting->count] = (struct pollfd){.fd = fd, .events = POLLIN};
    waiting->is_blind = fd < 0 && wh_cancellable(waiting->ctx);
}

/* The context's descriptor is one too many for the limits of the process, or was closed by somebody. */
static void do_without(struct waiting *waiting)
{
    waiting->has_room = false;
    waiting->is_blind = wh_cancellable(waiting->ctx);
}

/* For as long as it may without asking. */
WH__MAY_VANISH static int sleep_once(struct waiting *waiting, int *ready)
{
    int64_t until = wh__asks_by(waiting->ctx, waiting->until);
    const int64_t soon = waiting->is_blind ? wh__add(wh__now(), WH__SLICE) : WH_NEVER;
    if (soon < until) until = soon;
    if (!waiting->has_room) return look(waiting->fds, waiting->count, until, ready);
    const int err = look(waiting->fds, waiting->count + 1, until, ready);
    const short seen = err ? 0 : waiting->fds[waiting->count].revents;
    if (seen) --*ready;
    if (err != EINVAL && !(seen & ~POLLIN)) return err;
    do_without(waiting);
    return 0;
}

static bool is_over(const struct waiting *waiting)
{
    return waiting->until != WH_NEVER && wh__now() >= waiting->until;
}

/* A context that has no descriptor yet is not given one for what is there already. */
WH__MAY_VANISH static int wait_while_open(struct waiting *waiting, int *found)
{
    const wh_ctx *node = wh__live(waiting->ctx);
    int err = 0;
    const bool only_looks = waiting->until == INT64_MIN, has_none = node && !(wh__state(node) & WH__HAS_FD);
    if (only_looks || (has_none && waiting->count)) err = glance(waiting, found);
    if (err || *found || only_looks) return err;
    for (add_context(waiting); !err && !*found;) {
        err = sleep_once(waiting, found);
        if (wh__ask(waiting->ctx) || is_over(waiting)) break;
    }
    return err;
}

/* Who sees that ctx is done sees, at a second look, all that was there before it was. */
WH__MAY_VANISH static int wait_for(struct waiting *waiting, size_t *ready)
{
    int found = 0, err = 0, done = wh__ask(waiting->ctx);
    if (!done) {
        err = wait_while_open(waiting, &found);
        done = wh__ask(waiting->ctx);
    }
    if (!err && done && !found && waiting->result_wins) err = glance(waiting, &found);
    if (done && !(found && waiting->result_wins)) return done;
    if (!err) *ready = (size_t)found;
    return err;
}

/* ---- of one descriptor, of none ---- */

WH__MAY_VANISH int wh__await(const wh_ctx *ctx, int fd, short events)
{
    struct pollfd fds[2] = {{.fd = fd, .events = events}};
    struct waiting waiting = {.ctx = ctx, .fds = fds, .count = 1, .has_room = true, .until = WH_NEVER};
    size_t ready;
    return wait_for(&waiting, &ready);
}

WH__MAY_VANISH int wh__nap_until(const wh_ctx *ctx, int64_t until)
{
    struct pollfd fds[1];
    struct waiting waiting = {.ctx = ctx, .fds = fds, .has_room = true, .until = until};
    size_t ready;
    return wait_for(&waiting, &ready);
}

/* ---- of the caller's ---- */

/* In a copy with room for one more. */
WH__MAY_VANISH static int wait_in(struct waiting *waiting, struct pollfd *room, size_t *ready)
{
    struct pollfd *fds = waiting->fds;
    const size_t count = waiting->count;
    for (size_t i = 0; i < count; i++) room[i] = fds[i];
    waiting->fds = room;
    waiting->has_room = true;
    const int err = wait_for(waiting, ready);
    if (!err)
        for (size_t i = 0; i < count; i++) fds[i].revents = room[i].revents;
    return err;
}

WH__MAY_VANISH static int wait_on_the_stack(struct waiting *waiting, size_t *ready)
{
    struct pollfd room[AT_HAND];
    return wait_in(waiting, room, ready);
}

WH__MAY_VANISH static int wait_in_memory(struct waiting *waiting, size_t *ready)
{
    struct pollfd *room = NULL;
    if (waiting->count < SIZE_MAX / sizeof *room) room = wh__mem_get((waiting->count + 1) * sizeof *room);
    if (!room) return wait_for(waiting, ready);
    int err;
    pthread_cleanup_push(wh__mem_free, room);
    err = wait_in(waiting, room, ready);
    pthread_cleanup_pop(1);
    return err;
}

WH__MAY_VANISH static int poll_for(struct waiting *waiting, int64_t limit, size_t *ready)
{
    waiting->until = limit == WH_NEVER ? WH_NEVER : limit <= 0 ? INT64_MIN : wh__add(wh__now(), limit);
    return waiting->count < AT_HAND ? wait_on_the_stack(waiting, ready) : wait_in_memory(waiting, ready);
}

WH__MAY_VANISH int wh_poll(const wh_ctx *ctx, struct pollfd *fds, size_t count, int64_t limit, size_t *ready)
{
    struct waiting waiting = {.ctx = ctx, .fds = fds, .count = count};
    return poll_for(&waiting, limit, ready);
}

WH__MAY_VANISH int wh_poll_prefer_result(const wh_ctx *ctx, struct pollfd *fds, size_t count, int64_t limit, size_t *ready)
{
    struct waiting waiting = {.ctx = ctx, .fds = fds, .count = count, .result_wins = true};
    return poll_for(&waiting, limit, ready);
}
