/* Callbacks: run once after a context is done, unless they are stopped first.
 *
 * An object has two references: the registrant's, which a stop function takes, and the library's, which goes when the
 * callback has run or never will. It waits in the list of its node, then perhaps in the queue of the thread that runs
 * those that are not inline; whoever takes it out of either, under that one's lock, decides whether it runs. Locks go from
 * callback to node to queue.
 */
#include <errno.h>

#include "base/park.h"
#include "base/spawn.h"
#include "context/clock.h"
#include "context/tree.h"
#include "loop.h"

enum {
    WAITING, /* in the list of its node */
    MOVING,  /* for an instant: from there on */
    QUEUED,
    RUNNING,
    OVER,
    NEVER    /* its context can never be done */
};

struct wh_callback {
    uint32_t lock;             /* of node and refs */
    uint32_t refs;
    uint32_t state;            /* changes under the lock of whatever holds it; waited for with wh__park() */
    uint32_t runner;           /* thread id of who runs it, */
    uint32_t forks;            /* atomic: and wh__forks then: another number, and that is a thread of the parent process */
    bool runs_inline;
    const struct wh__thread *registrant; /* NULL if it had no record */
    wh_ctx *node;              /* NULL once it cannot be found there any more */
    wh_callback *next, **link; /* in extra->callbacks of the node, or in the queue */
    void (*fn)(void *arg);
    bool (*attempt)(void *arg); /* in place of fn: false, and it is to be called again, after all others that wait */
    void *arg;
};

static void put_in(wh_callback *callback, wh_callback **slot)
{
    callback->next = *slot;
    callback->link = slot;
    if (callback->next) callback->next->link = &callback->next;
    *slot = callback;
}

static void take_out(wh_callback *callback)
{
    *callback->link = callback->next;
    if (callback->next) callback->next->link = callback->link;
    callback->link = NULL;
}

static void let_go(wh_callback *callback)
{
    wh__lock(&callback->lock);
    const bool last = --callback->refs == 0;
    wh__unlock(&callback->lock);
    if (last) wh__slab_put(callback);
}

static uint32_t state_of(const wh_callback *callback)
{
    return __atomic_load_n(&callback->state, __ATOMIC_ACQUIRE);
}

static void set_state(wh_callback *callback, uint32_t state)
{
    __atomic_store_n(&callback->state, state, __ATOMIC_RELEASE);
}

/* Under the lock of whatever held it. */
static void set_running(wh_callback *callback)
{
    __atomic_store_n(&callback->forks, wh__forks, __ATOMIC_RELAXED); /* again with each attempt, while somebody may look */
    set_state(callback, RUNNING);
}

static void enqueue(wh_callback *callback);

static void run(wh_callback *callback)
{
    struct wh__thread *self = wh__self();
    __atomic_store_n(&callback->runner, self ? self->id : 0, __ATOMIC_RELAXED);
    if (!callback->attempt) {
        callback->fn(callback->arg);
    } else if (!callback->attempt(callback->arg)) {
        enqueue(callback); /* on the thread of the queue: it looks there next */
        wh__unpark(&callback->state);
        return;
    }
    set_state(callback, OVER);
    wh__unpark(&callback->state);
    let_go(callback);
}

/* ---- the queue, and its thread ---- */

static struct {
    uint32_t lock;
    uint32_t arrivals;
    bool has_thread;
    wh_callback *first, *last;
} queue;

static void enqueue(wh_callback *callback)
{
    wh__lock(&queue.lock);
    put_in(callback, queue.last ? &queue.last->next : &queue.first);
    queue.last = callback;
    set_state(callback, QUEUED);
    wh__unlock(&queue.lock);
}

static void leave_queue(wh_callback *callback)
{
    if (queue.last == callback)
        queue.last = callback->link == &queue.first ? NULL : (wh_callback *)((char *)callback->link - offsetof(wh_callback, next));
    take_out(callback);
}

static wh_callback *dequeue(void)
{
    wh__lock(&queue.lock);
    wh_callback *callback = queue.first;
    if (callback) {
        leave_queue(callback);
        set_running(callback);
    }
    wh__unlock(&queue.lock);
    return callback;
}

static void *run_queue(void *unused)
{
    for (;;) {
        const uint32_t arrivals = __atomic_load_n(&queue.arrivals, __ATOMIC_ACQUIRE);
        wh_callback *callback = dequeue();
        if (callback)
            run(callback);
        else
            wh__park(&queue.arrivals, arrivals, WH_NEVER);
    }
    return unused;
}

static void wake_queue(void)
{
    __atomic_fetch_add(&queue.arrivals, 1, __ATOMIC_RELEASE);
    wh__unpark(&queue.arrivals);
    wh__spawn(&queue.has_thread, "whence-after", run_queue, NULL);
}

/* What waits in the queue when a process forks is the parent's to run: done once more in the child, it would reach through
 * the descriptors that both have, and nobody there could stop it. */
static void forget_parents_queue(void)
{
    queue.has_thread = false;
    for (wh_callback *callback; (callback = dequeue());) {
        set_state(callback, OVER);
        let_go(callback);
    }
}
static struct wh__fork_handler in_child = {.fn = forget_parents_queue};

/* ---- registering ---- */

/* In the child of a fork(), what other threads had registered does not run: `arg` may point into their stacks, which are
 * gone, and to descriptors that are the parent's to use. */
static bool is_lost(const wh_callback *callback)
{
    return callback->registrant && callback->registrant->lost;
}

/* It is MOVING and in no list. Whoever is about to look for it in its node has the callback's lock, and the node does not
 * go before that is released. `staying`: who has said wh__stay() since it is MOVING, or NULL. */
static void leave_node(wh_callback *callback, bool to_run, struct wh__thread *staying)
{
    const bool runs_inline = callback->runs_inline;
    if (is_lost(callback)) to_run = false;
    wh__lock(&callback->lock);
    callback->node = NULL;
    if (to_run && !runs_inline)
        enqueue(callback);
    else if (to_run)
        set_running(callback);
    else
        set_state(callback, OVER);
    wh__unlock(&callback->lock);
    wh__stay_over(staying);
    if (!to_run)
        let_go(callback);
    else if (runs_inline)
        run(callback);
    else
        wake_queue();
}

/* Returns false if the node is done already. */
static bool wait_in(wh_callback *callback, wh_ctx *node)
{
    if (node->flags & WH__IMMORTAL) return false;
    wh__lock(&node->state);
    const bool open = wh__state_held(node) < WH_NOT_OPEN_;
    if (open) put_in(callback, &node->extra->callbacks);
    wh__unlock(&node->state);
    return open;
}

static int add(const wh_ctx *ctx, struct wh_callback like, wh_callback **out)
{
    static bool fork_seen_to;
    if (!__atomic_exchange_n(&fork_seen_to, true, __ATOMIC_RELAXED)) wh__at_fork(&in_child);
    wh_ctx *node = wh__live(ctx);
    if (node && !(node->flags & WH__IMMORTAL) && !wh__extra_of(node, true)) return ENOMEM;
    if (node && wh__look_by(node) != WH_NEVER) wh__loop_start(); /* it may be that of the process that forked this one */
    wh_callback *callback = wh__slab_get(WH__128);
    if (!callback) return ENOMEM;
    *callback = like;
    callback->refs = out ? 2 : 1;
    callback->registrant = wh__self();
    callback->node = node;
    if (out) *out = callback;
    if (!node) {
        callback->state = NEVER;
        let_go(callback);
    } else if (!wait_in(callback, node)) {
        callback->state = MOVING;
        leave_node(callback, true, NULL);
    }
    return 0;
}

int wh_after(const wh_ctx *ctx, void (*fn)(void *arg), void *arg, wh_callback **callback)
{
    return add(ctx, (wh_callback){.fn = fn, .arg = arg}, callback);
}

int wh_after_inline(const wh_ctx *ctx, void (*fn)(void *arg), void *arg, wh_callback **callback)
{
    return add(ctx, (wh_callback){.fn = fn, .arg = arg, .runs_inline = true}, callback);
}

int wh__after_attempts(const wh_ctx *ctx, bool (*attempt)(void *arg), void *arg, wh_callback **callback)
{
    if (!wh__spawn(&queue.has_thread, "whence-after", run_queue, NULL)) return EAGAIN;
    return add(ctx, (wh_callback){.attempt = attempt, .arg = arg}, callback);
}

/* ---- running and dropping: the node is done, or goes ---- */

/* Newest first, one at a time, so that each may still stop those that come after it. */
static void empty(wh_ctx *node, bool to_run)
{
    struct wh__extra *extra = __atomic_load_n(&node->extra, __ATOMIC_ACQUIRE);
    if (!extra) return;
    struct wh__thread *self = wh__self();
    for (;;) {
        wh__lock_as(self, &node->state);
        wh_callback *callback = extra->callbacks;
        if (callback) {
            take_out(callback);
            set_state(callback, MOVING);
            wh__stay(self);
        }
        wh__unlock_as(self, &node->state, wh__state_held(node));
        if (!callback) return;
        leave_node(callback, to_run, self);
    }
}

void wh__callbacks_run(wh_ctx *node)
{
    empty(node, true);
}

void wh__callbacks_drop(wh_ctx *node)
{
    empty(node, false);
}

uint32_t wh__callbacks_count(const wh_ctx *node, uint32_t most)
{
    uint32_t count = 0;
    const wh_callback *callback = node->extra ? node->extra->callbacks : NULL;
    for (; callback && count < most; callback = callback->next) count++;
    return count;
}

/* ---- stopping ---- */

static bool taken_from_node(wh_callback *callback)
{
    bool taken = false;
    wh__lock(&callback->lock);
    if (callback->node) {
        wh__lock(&callback->node->state);
        taken = state_of(callback) == WAITING;
        if (taken) {
            take_out(callback);
            set_state(callback, OVER);
        }
        wh__unlock(&callback->node->state);
    }
    wh__unlock(&callback->lock);
    return taken;
}

static bool taken_from_queue(wh_callback *callback)
{
    wh__lock(&queue.lock);
    const bool taken = state_of(callback) == QUEUED;
    if (taken) {
        leave_queue(callback);
        set_state(callback, OVER);
    }
    wh__unlock(&queue.lock);
    return taken;
}

static bool stop(wh_callback *callback, bool wait)
{
    if (!callback) return false;
    struct wh__thread *self = wh__self();
    const bool never = state_of(callback) == NEVER;
    bool taken = false;
    for (unsigned round = 0; !never && !taken; round++) {
        taken = taken_from_node(callback) || taken_from_queue(callback);
        const uint32_t state = state_of(callback);
        if (taken || state == OVER || (state == RUNNING && !wait)) break;
        if (state == RUNNING && self && __atomic_load_n(&callback->runner, __ATOMIC_RELAXED) == self->id) break;
        if (state == RUNNING && __atomic_load_n(&callback->forks, __ATOMIC_RELAXED) != wh__forks) break;
        if (state == RUNNING)
            wh__park(&callback->state, state, WH_NEVER);
        else
            wh__back_off(round);
    }
    if (taken) let_go(callback); /* the library's */
    let_go(callback);            /* the registrant's */
    return taken || never;
}

bool wh__is_still(wh_callback *callback)
{
    const bool taken = taken_from_node(callback) || taken_from_queue(callback);
    if (taken) let_go(callback); /* the library's */
    return state_of(callback) == OVER;
}

bool wh_stop(wh_callback *callback)
{
    return stop(callback, false);
}

bool wh_stop_wait(wh_callback *callback)
{
    return stop(callback, true);
}
