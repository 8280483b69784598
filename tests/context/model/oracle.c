#include "oracle.h"

#include <errno.h>

/* ---- the tree ---- */

/* The nearest context at or above this one that can be done: a value asks it. NONE: there is none (R1, R8). */
static int live(const struct oracle *o, int i)
{
    while (i >= 0 && o->contexts[i].kind == VALUE) i = o->contexts[i].parent;
    return i < 0 ? NONE : i;
}

/* The second source of what is merged. */
static int live_other(const struct oracle *o, int i)
{
    return o->contexts[i].kind == MERGE ? live(o, o->contexts[i].other) : NONE;
}

/* R23: no ancestor reaches what is detached. */
static int live_parent(const struct oracle *o, int i)
{
    if (o->contexts[i].kind == DETACH && o->wrong != R23) return NONE;
    return live(o, o->contexts[i].parent);
}

static int err_of(const struct oracle *o, int i)
{
    return i < 0 ? 0 : o->contexts[i].err;
}

/* Of an owner's handle, what it cancels: a value has nothing, unless it was given what it was derived from. */
static int cancels(const struct oracle *o, int i)
{
    while (i >= 0 && o->contexts[i].kind == VALUE) {
        const int parent = o->contexts[i].parent;
        i = parent >= 0 && o->contexts[parent].owner == i ? parent : NONE;
    }
    return i;
}

bool oracle_reaches(const struct oracle *o, int i)
{
    for (; i >= 0 && o->contexts[i].is_made && !o->contexts[i].is_gone; i = o->contexts[i].owner)
        if (o->contexts[i].is_mine || o->contexts[i].holds) return true;
    return false;
}

/* ---- leaving ---- */

static void drop_callbacks(struct oracle *o, int i)
{
    for (int f = 0; f < CALLBACKS; f++)
        if (o->callbacks[f].state == WAITING && o->callbacks[f].context == i) o->callbacks[f].state = DROPPED;
}

/* One reference less: with the last one it goes, its callbacks with it, and so may what is above. */
static void unref(struct oracle *o, int i)
{
    while (i >= 0 && --o->contexts[i].refs == 0) {
        o->contexts[i].is_gone = true;
        drop_callbacks(o, i);
        if (o->contexts[i].kind == VALUE) o->destroyed[i]++;
        if (o->contexts[i].kind == MERGE) unref(o, o->contexts[i].other);
        i = o->contexts[i].parent;
    }
}

/* ---- being done ---- */

static void run(struct oracle *o, int f);

/* R24: each once. Newest first, one at a time: each may stop those that come after it. */
static void run_callbacks(struct oracle *o, int i)
{
    for (;;) {
        int next = NONE;
        for (int f = 0; f < CALLBACKS; f++)
            if (o->callbacks[f].state == WAITING && o->callbacks[f].context == i && (next == NONE || o->wrong != R24)) next = f;
        if (next == NONE) return;
        run(o, next);
    }
}

/* Whether the news of its parent's end is to change a child. R6: not if it has its own. A merged one has two parents. */
static bool is_reached(const struct oracle *o, int child, int parent)
{
    const struct context *c = &o->contexts[child];
    return c->is_made && !c->is_gone && c->kind != VALUE && (live_parent(o, child) == parent || live_other(o, child) == parent) &&
           (!c->err || o->wrong == R6);
}

struct sweep {
    int origin, err;
    int reached[CONTEXTS], count;       /* in the order in which their callbacks run */
    int merged[CONTEXTS], merged_count; /* what is below these comes after all else */
};

static void close_one(struct oracle *o, struct sweep *sweep, int i)
{
    struct context *c = &o->contexts[i];
    c->err = o->wrong == R5 && i != sweep->origin ? ECANCELED : sweep->err;
    c->origin = sweep->origin;
    c->refs++;
    if (c->kind == MERGE && i != sweep->origin)
        sweep->merged[sweep->merged_count++] = i;
    else
        sweep->reached[sweep->count++] = i;
}

/* From parents to children, the newest first. */
static void sweep_below(struct oracle *o, struct sweep *sweep, int top)
{
    const int first = sweep->count - (top == sweep->origin);
    if (top != sweep->origin) sweep->reached[sweep->count++] = top;
    for (int i = first; i < sweep->count; i++)
        for (int child = CONTEXTS - 1; child >= 0 && !(o->wrong == R13 && i); child--) {
            const int parent = sweep->reached[i];
            if (!is_reached(o, child, parent)) continue;
            o->contexts[child].by_other = live_parent(o, child) != parent;
            close_one(o, sweep, child);
        }
}

/* R3, R5, R13: this one and all below it are done with one pair, before anything else happens; then, parents before children
 * and newer before older ones, callbacks run, what is below a merged one last. While that goes on none of them goes away. */
static void be_done(struct oracle *o, int origin, int err)
{
    struct sweep sweep = {.origin = origin, .err = err};
    close_one(o, &sweep, origin);
    sweep_below(o, &sweep, origin);
    for (int i = 0; i < sweep.merged_count; i++) sweep_below(o, &sweep, sweep.merged[i]);
    run_callbacks(o, origin);
    for (int i = 1; i < sweep.count; i++) {
        run_callbacks(o, sweep.reached[i]);
        unref(o, sweep.reached[i]);
    }
    unref(o, origin);
}

static bool cancel(struct oracle *o, int i, int reason, int site, int text)
{
    if (i == NONE) return false;
    struct context *c = &o->contexts[i];
    const bool wins = !c->err; /* R3 */
    if (!wins) {
        struct context *origin = &o->contexts[c->origin];
        if (origin->losers++ == 0) origin->loser = reason, origin->loser_site = site;
        if (o->wrong == R3) origin->reason = reason;
        return false;
    }
    c->reason = reason;
    c->site = site;
    c->text = text;
    be_done(o, i, reason == REASON_LATE || reason == DEADLINE_EXCEEDED ? ETIMEDOUT : ECANCELED);
    return true;
}

/* Whoever still has it, by a hold or by a child, finds it cancelled. What it was made the owner of is ended after it. */
static void end(struct oracle *o, int i, int reason)
{
    while (i != NONE) {
        struct context *c = &o->contexts[i];
        const int parent = c->parent;
        const bool owns = parent >= 0 && o->contexts[parent].owner == i;
        c->is_mine = false;
        if (owns) o->contexts[parent].owner = NONE;
        if (c->kind != VALUE && !c->err && c->refs > 1) cancel(o, i, reason == CANCELED ? ENDED : reason, SITES_OF_CONTEXTS + i, NONE);
        unref(o, i);
        i = owns ? parent : NONE;
    }
}

/* ---- deriving ---- */

static int now_of(const struct oracle *o, int i)
{
    return o->contexts[i].is_clocked && o->now ? o->now : PAST_1;
}

/* R18: what is due fires in the order of the instants, and of one instant in the order in which it was made. */
static void advance(struct oracle *o, int instant)
{
    for (;;) {
        int due = NONE;
        for (int i = 0; i < CONTEXTS; i++) {
            const struct context *c = &o->contexts[i];
            const bool is_due = c->is_made && !c->is_gone && c->is_clocked && c->is_timed && !c->err && c->deadline <= instant;
            if (is_due && (due == NONE || c->deadline < o->contexts[due].deadline)) due = i;
        }
        if (due == NONE) break;
        o->now = o->contexts[due].deadline;
        cancel(o, due, DEADLINE_EXCEEDED, SITES_OF_CONTEXTS + due, NONE);
    }
    o->now = instant;
}

/* R9 before R16: a parent that is done gives its pair, and only then a past deadline counts. */
static void be_born(struct oracle *o, int i, int above)
{
    struct context *c = &o->contexts[i];
    const bool has_passed = c->is_timed && c->deadline <= now_of(o, i);
    if (c->kind == MERGE && !err_of(o, above) && err_of(o, live(o, c->other))) {
        c->by_other = true;
        above = live(o, c->other);
    }
    if (above != NONE && err_of(o, above) && !(o->wrong == R9 || (o->wrong == R16 && has_passed))) {
        c->err = err_of(o, above);
        c->origin = o->contexts[above].origin;
    } else if (has_passed) {
        c->err = ETIMEDOUT;
        c->origin = i;
        c->reason = DEADLINE_EXCEEDED;
        c->site = SITES_OF_CONTEXTS + i;
    }
}

/* Only what goes by the same clock has a part in a deadline. */
static int deadline_from(const struct oracle *o, int i, int above)
{
    const bool counts = above != NONE && o->contexts[above].is_clocked == o->contexts[i].is_clocked;
    return counts ? o->contexts[above].deadline : NEVER;
}

/* The second source counts unless it is a root or the first once more. */
static int second_source(const struct op *op)
{
    return op->kind == MERGE && op->and >= 0 && op->and != op->from ? op->and : NONE;
}

static void derive(struct oracle *o, const struct op *op)
{
    struct context *c = &o->contexts[op->at];
    const struct context *parent = op->from < 0 ? NULL : &o->contexts[op->from];
    *c = (struct context){.is_made = true, .kind = op->kind, .parent = op->from, .other = second_source(op), .refs = 1, .is_mine = true, .owner = NONE,
        .origin = NONE, .text = NONE, .loser = NONE, .loser_site = NONE,
        .deadline = NEVER, .key = op->number, .value = op->value,
        .is_clocked = op->kind == CLOCK || (parent && parent->is_clocked)};
    if (parent) o->contexts[op->from].refs++;
    if (c->other != NONE) o->contexts[c->other].refs++;
    if (c->kind == MERGE && c->other == NONE) c->kind = CHILD;
    if (op->kind == VALUE) return;
    const int above = live_parent(o, op->at), other = deadline_from(o, op->at, live_other(o, op->at));
    const int first = deadline_from(o, op->at, above), inherited = first < other ? first : other;
    c->asks = op->kind == DEADLINE && op->number != NEVER;
    c->is_timed = c->asks && (op->number < inherited || o->wrong == R15); /* R15, R20 */
    c->deadline = c->is_timed ? op->number : inherited;
    be_born(o, op->at, above);
}

/* ---- callbacks ---- */

static void run(struct oracle *o, int f)
{
    struct callback *callback = &o->callbacks[f];
    struct ran *ran = callback->is_inline ? &o->ran_inline : &o->ran_later;
    callback->state = RAN;
    ran->which[ran->count++] = f;
    const struct op deed = {.kind = callback->op.deed, .at = callback->op.target, .number = callback->op.number};
    callback->acts = oracle_allows(o, &deed);
    if (deed.kind == STOP && !o->callbacks[deed.at].is_inline) callback->acts = false; /* it may be on its way on another thread */
    if (callback->acts) callback->result = oracle_do(o, &deed, SITES_OF_CALLBACKS + f);
}

static void add_callback(struct oracle *o, const struct op *op)
{
    const int i = live(o, op->from);
    o->callbacks[op->at] = (struct callback){.state = i == NONE ? IDLE : WAITING, .is_held = true,
        .is_inline = op->kind == INLINE, .context = i, .op = *op};
    if (err_of(o, i)) run(o, op->at);
}

/* R25: whether this call prevented it. Of a context that can never be done (R1), it did. */
static bool stop(struct oracle *o, int f)
{
    struct callback *callback = &o->callbacks[f];
    callback->is_held = false;
    if (callback->state == IDLE) return true;
    if (callback->state != WAITING) return o->wrong == R25 && callback->state == RAN;
    callback->state = STOPPED;
    return true;
}

/* ---- the program ---- */

static bool may_take(const struct oracle *o, int i)
{
    const int parent = o->contexts[i].parent;
    bool is_fresh = o->contexts[i].refs == 1;
    for (int f = 0; f < CALLBACKS; f++) is_fresh = is_fresh && !(o->callbacks[f].state && o->callbacks[f].op.from == i);
    return is_fresh && o->contexts[i].is_mine && parent >= 0 && o->contexts[parent].is_mine;
}

bool oracle_allows(const struct oracle *o, const struct op *op)
{
    const bool known = op->kind == STOP || op->kind == ADVANCE || makes_callback(op->kind) || makes_context(op->kind) || op->at >= 0;
    if (!known) return false;
    switch (op->kind) {
    case CLOCK: case CHILD: case DEADLINE: case VALUE: case DETACH: case MERGE:
        if (op->kind == CLOCK && op->from >= 0 && o->contexts[op->from].is_clocked) return false; /* there is but one */
        return !o->contexts[op->at].is_made && (op->from < 0 || oracle_reaches(o, op->from)) &&
               (op->kind != MERGE || op->and < 0 || oracle_reaches(o, op->and));
    case ADVANCE: return op->number > o->now;
    case TAKE: return may_take(o, op->at);
    case HOLD: case FD: return oracle_reaches(o, op->at);
    case RELEASE: return o->contexts[op->at].holds > 0;
    case CANCEL: case END: return o->contexts[op->at].is_mine;
    case AFTER: case INLINE: return o->callbacks[op->at].state == UNKNOWN && (op->from < 0 || oracle_reaches(o, op->from));
    case STOP: return o->callbacks[op->at].is_held;
    case NOTHING: case KINDS: break;
    }
    return false;
}

bool oracle_do(struct oracle *o, const struct op *op, int site)
{
    struct context *c = op->at >= 0 && op->at < CONTEXTS ? &o->contexts[op->at] : NULL;
    switch (op->kind) {
    case CHILD: case DEADLINE: case VALUE: case DETACH: case CLOCK: case MERGE: derive(o, op); break;
    case TAKE:
        o->contexts[c->parent].is_mine = false;
        o->contexts[c->parent].owner = op->at;
        break;
    case HOLD: c->refs++, c->holds++; break;
    case RELEASE:
        c->holds--;
        unref(o, op->at);
        break;
    case FD: c->has_fd = true; break;
    case CANCEL: return cancel(o, cancels(o, op->at), op->number, site, site % 2 ? site : NONE);
    case END: end(o, op->at, op->number); break;
    case ADVANCE: advance(o, op->number); break;
    case AFTER: case INLINE: add_callback(o, op); break;
    case STOP: return stop(o, op->at);
    case NOTHING: case KINDS: break;
    }
    return true;
}

/* ---- asking ---- */

/* R21: the nearest, also beyond what is detached; all that the first source has before the second. */
static int value_of(const struct oracle *o, int i, int key)
{
    int found = NONE;
    for (; i >= 0; i = o->contexts[i].parent) {
        const struct context *c = &o->contexts[i];
        if (c->kind == VALUE && c->key == key && (found == NONE || o->wrong == R21)) found = c->value;
        if (c->kind == MERGE && found == NONE) {
            found = value_of(o, c->parent, key);
            return found != NONE ? found : value_of(o, c->other, key);
        }
    }
    return found;
}

/* Up to the origin, and of two sources by the one that was done. */
static int depth_of(const struct oracle *o, int i, int origin)
{
    int depth = 0;
    for (; i >= 0 && i != origin; depth++) i = o->contexts[i].by_other ? o->contexts[i].other : o->contexts[i].parent;
    return depth;
}

/* R2, R4: nothing of a cause while it is not done, afterwards that of the nearest context that can be done. */
struct seen oracle_see(const struct oracle *o, int i)
{
    const int at = live(o, i), err = err_of(o, at);
    struct seen seen = {.err = err, .waited = err, .reason = NONE, .origin = NONE, .depth = NONE, .site = NONE, .text = NONE,
        .losers = NONE, .loser = NONE, .loser_site = NONE, .deadline = at == NONE ? NEVER : o->contexts[at].deadline,
        .is_cancellable = at != NONE, .fd = at != NONE && o->contexts[i].has_fd ? err != 0 : NONE};
    if (o->wrong == R20 && err) seen.deadline = NEVER;
    for (int key = 0; key < KEYS; key++) seen.values[key] = value_of(o, i, key);
    if (!err) return seen;
    const struct context *origin = &o->contexts[o->contexts[at].origin];
    seen.reason = origin->reason;
    seen.origin = o->contexts[at].origin;
    seen.depth = depth_of(o, i, seen.origin);
    seen.site = origin->site;
    seen.text = origin->text;
    seen.losers = origin->losers;
    seen.loser = origin->loser;
    seen.loser_site = origin->loser_site;
    seen.asks = o->contexts[at].asks;
    return seen;
}
