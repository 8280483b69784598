#include "oracle.h"

#include <errno.h>

/* ---- the tree ---- */

/* The nearest context at or above this one that can be done: a value asks it. NONE: there is none (R1, R8). */
static int live(const struct oracle *o, int i)
{
    while (i >= 0 && o->contexts[i].kind == VALUE) i = o->contexts[i].parent;
    return i < 0 ? NONE : i;
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

/* Whether the news of its parent's end is to change a child. R6: not if it has its own. */
static bool is_reached(const struct oracle *o, int child, int parent)
{
    const struct context *c = &o->contexts[child];
    return c->is_made && !c->is_gone && c->kind != VALUE && live_parent(o, child) == parent && (!c->err || o->wrong == R6);
}

/* R3, R5, R13: this one and all below it are done with one pair, before anything else happens; then, parents before children
 * and newer before older ones, callbacks run. While that goes on none of them goes away. */
static void be_done(struct oracle *o, int origin, int err)
{
    int reached[CONTEXTS], count = 0;
    reached[count++] = origin;
    for (int i = 0; i < count; i++) {
        struct context *c = &o->contexts[reached[i]];
        c->err = o->wrong == R5 && i ? ECANCELED : err;
        c->origin = origin;
        c->refs++;
        for (int child = CONTEXTS - 1; child >= 0 && !(o->wrong == R13 && i); child--)
            if (is_reached(o, child, reached[i])) reached[count++] = child;
    }
    run_callbacks(o, origin);
    for (int i = 1; i < count; i++) {
        run_callbacks(o, reached[i]);
        unref(o, reached[i]);
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
static void end(struct oracle *o, int i)
{
    while (i != NONE) {
        struct context *c = &o->contexts[i];
        const int parent = c->parent;
        const bool owns = parent >= 0 && o->contexts[parent].owner == i;
        c->is_mine = false;
        if (owns) o->contexts[parent].owner = NONE;
        if (c->kind != VALUE && !c->err && c->refs > 1) cancel(o, i, ENDED, SITES_OF_CONTEXTS + i, NONE);
        unref(o, i);
        i = owns ? parent : NONE;
    }
}

/* ---- deriving ---- */

/* R9 before R16: a parent that is done gives its pair, and only then a past deadline counts. */
static void be_born(struct oracle *o, int i, int above)
{
    struct context *c = &o->contexts[i];
    const bool has_passed = c->asks && c->deadline < FAR_1 && (above == NONE || c->deadline < o->contexts[above].deadline);
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

static void derive(struct oracle *o, const struct op *op)
{
    struct context *c = &o->contexts[op->at];
    const struct context *parent = op->from < 0 ? NULL : &o->contexts[op->from];
    *c = (struct context){.is_made = true, .kind = op->kind, .parent = op->from, .refs = 1, .is_mine = true, .owner = NONE,
        .level = parent ? parent->level + 1 : 0, .origin = NONE, .text = NONE, .loser = NONE, .loser_site = NONE,
        .deadline = NEVER, .key = op->number, .value = op->value};
    if (parent) o->contexts[op->from].refs++;
    if (op->kind == VALUE) return;
    const int above = live_parent(o, op->at), inherited = above == NONE ? NEVER : o->contexts[above].deadline;
    c->asks = op->kind == DEADLINE && op->number != NEVER;
    c->deadline = c->asks && (op->number < inherited || o->wrong == R15) ? op->number : inherited; /* R15, R20 */
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
    const bool known = op->kind == STOP || makes_callback(op->kind) || makes_context(op->kind) || op->at >= 0;
    if (!known) return false;
    switch (op->kind) {
    case CHILD: case DEADLINE: case VALUE: case DETACH:
        return !o->contexts[op->at].is_made && (op->from < 0 || oracle_reaches(o, op->from));
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
    case CHILD: case DEADLINE: case VALUE: case DETACH: derive(o, op); break;
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
    case END: end(o, op->at); break;
    case AFTER: case INLINE: add_callback(o, op); break;
    case STOP: return stop(o, op->at);
    case NOTHING: case KINDS: break;
    }
    return true;
}

/* ---- asking ---- */

/* R21: the nearest, also beyond what is detached. */
static int value_of(const struct oracle *o, int i, int key)
{
    int found = NONE;
    for (; i >= 0; i = o->contexts[i].parent)
        if (o->contexts[i].kind == VALUE && o->contexts[i].key == key && (found == NONE || o->wrong == R21))
            found = o->contexts[i].value;
    return found;
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
    seen.depth = o->contexts[i].level - origin->level;
    seen.site = origin->site;
    seen.text = origin->text;
    seen.losers = origin->losers;
    seen.loser = origin->loser;
    seen.loser_site = origin->loser_site;
    seen.asks = o->contexts[at].asks;
    return seen;
}
