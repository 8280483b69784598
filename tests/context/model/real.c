#include "real.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>

#include "base/slab.h"
#include "context/shards.h"

/* ---- names ---- */

WH_REASON(reason_x, "x");
WH_REASON(reason_y, "y");
WH_REASON(reason_late, "late", .err = ETIMEDOUT);
static const struct wh_reason *const reasons[REASONS] = {WH_CANCELED, reason_x, reason_y, reason_late, WH_DEADLINE_EXCEEDED, WH_ENDED};

/* Places by their numbers. */
enum { SITES = SITES_OF_CONTEXTS + CONTEXTS };
static struct wh_site sites[SITES];

/* What a value knows of itself when it is destroyed. */
struct carried {
    struct real *real;
    int context, value;
};

static void destroy(void *value)
{
    const struct carried *carried = value;
    carried->real->destroyed[carried->context]++;
}

static const struct wh_key keys[KEYS] = {
    {.size = sizeof(struct wh_key), .name = "k", .value_size = sizeof(struct carried), .destroy = destroy},
    {.size = sizeof(struct wh_key), .name = "l", .value_size = sizeof(struct carried), .destroy = destroy},
    {.size = sizeof(struct wh_key), .name = "m", .value_size = sizeof(struct carried), .destroy = destroy},
};

static const wh_ctx *context_of(const struct real *real, int i)
{
    return i == NONE ? NULL : i == BACKGROUND ? wh_background() : i == TODO ? wh_todo() : real->contexts[i];
}

static int64_t instant_of(const struct real *real, int instant)
{
    static const int64_t offsets[] = {WH_SEC(-2), WH_SEC(-1), WH_SEC(1000), WH_SEC(2000), WH_SEC(3000)};
    return instant == NEVER ? WH_NEVER : real->begun + offsets[instant];
}

static int instant_named(const struct real *real, int64_t instant)
{
    for (int i = 0; i < INSTANTS; i++)
        if (instant_of(real, i) == instant) return i;
    return NONE;
}

static int reason_named(const struct wh_reason *reason)
{
    for (int i = 0; i < REASONS; i++)
        if (reasons[i] == reason) return i;
    return NONE;
}

static int site_named(const struct wh_site *site)
{
    return site ? site->line : NONE;
}

void real_begin(struct real *real, const struct oracle *oracle)
{
    for (int i = 0; i < SITES; i++) sites[i] = (struct wh_site){"program", "program", i};
    *real = (struct real){.oracle = oracle, .begun = wh_now()};
    real->clock = wh_clock_new(real->begun);
    for (int i = 0; i < CALLBACKS; i++) real->callbacks[i] = (struct real_callback){.real = real, .number = i};
}

void real_end(struct real *real)
{
    wh_clock_free(real->clock);
}

/* ---- doing ---- */

static void note(struct ran *ran, int which)
{
    const int count = __atomic_load_n(&ran->count, __ATOMIC_RELAXED);
    if (count == CALLBACKS) return;
    ran->which[count] = which;
    __atomic_store_n(&ran->count, count + 1, __ATOMIC_RELEASE);
}

static void runs(void *arg)
{
    struct real_callback *self = arg;
    const struct callback *expected = &self->real->oracle->callbacks[self->number];
    const wh_ctx *ctx = context_of(self->real, expected->op.from);
    if (expected->is_inline) self->saw_done = oracle_reaches(self->real->oracle, expected->op.from) ? wh_err(ctx) && wh_cause(ctx) : true;
    note(expected->is_inline ? &self->real->ran_inline : &self->real->ran_later, self->number);
    const struct op deed = {.kind = expected->op.deed, .at = expected->op.target, .number = expected->op.number};
    if (expected->acts) self->result = real_do(self->real, &deed, SITES_OF_CALLBACKS + self->number);
}

static bool cancel(struct real *real, const struct op *op, int site)
{
    char text[8];
    snprintf(text, sizeof text, "%d", site);
    wh__slab_stock(WH__128); /* for the text and the first loser: kept only if memory is at hand */
    const struct wh_reason *reason = op->number == CANCELED && op->value % 2 ? NULL : reasons[op->number];
    return wh_cancel_at(real->contexts[op->at], reason, site % 2 ? text : NULL, false, &sites[site]);
}

/* Nobody is to notice. */
static void give_shards(wh_ctx *ctx)
{
#ifdef SHARDED
    if (!(ctx->flags & (WH__VALUE | WH__IMMORTAL))) wh__shard(ctx);
#else
    (void)ctx;
#endif
}

static void derive(struct real *real, const struct op *op)
{
    const wh_ctx *parent = context_of(real, op->from);
    const struct wh_site *site = &sites[SITES_OF_CONTEXTS + op->at];
    const struct carried value = {real, op->at, op->value};
    real->from[op->at] = op->from;
    real->contexts[op->at] = op->kind == CHILD ? wh_with_cancel_at(parent, site)
                           : op->kind == DEADLINE ? wh_with_deadline_at(parent, instant_of(real, op->number), site)
                           : op->kind == CLOCK ? wh_with_clock_at(parent, real->clock, site)
                           : op->kind == MERGE ? wh_merge_at((const wh_ctx *const[]){parent, context_of(real, op->and)}, 2, site)
                           : op->kind == DETACH ? wh_detach_at(parent, site)
                           : wh_with_value(parent, &keys[op->number], &value);
    if (op->at % 2 == 0) give_shards(real->contexts[op->at]);
}

bool real_do(struct real *real, const struct op *op, int site)
{
    wh_ctx *ctx = op->kind != STOP && op->kind != ADVANCE && !makes_callback(op->kind) && op->at >= 0 ? real->contexts[op->at] : NULL;
    switch (op->kind) {
    case CHILD: case DEADLINE: case VALUE: case DETACH: case CLOCK: case MERGE: derive(real, op); break;
    case ADVANCE: wh_clock_advance(real->clock, instant_of(real, op->number) - wh_clock_now(real->clock)); break;
    case TAKE: return wh_take_over(ctx, real->contexts[real->from[op->at]]) == ctx;
    case HOLD: return wh_hold(ctx) == ctx;
    case RELEASE: wh_release(ctx); break;
    case FD: real->fds[op->at] = wh_done_fd(ctx); break;
    case CANCEL: return cancel(real, op, site);
    case END: wh_end_because(ctx, op->number == CANCELED ? NULL : reasons[op->number]); break;
    case AFTER: case INLINE: {
        struct real_callback *callback = &real->callbacks[op->at];
        return (op->kind == INLINE ? wh_after_inline : wh_after)(context_of(real, op->from), runs, callback, &callback->handle) == 0;
    }
    case STOP: return wh_stop_wait(real->callbacks[op->at].handle); /* so that none runs on into the next program */
    case NOTHING: case KINDS: break;
    }
    return true;
}

bool real_settles(struct real *real, int count)
{
    const int64_t patience = wh_now() + WH_SEC(30);
    for (unsigned round = 0; __atomic_load_n(&real->ran_later.count, __ATOMIC_ACQUIRE) < count; round++) {
        if (round > 100 && wh_now() > patience) return false;
        if (round > 100) wh_wait(NULL, WH_US(50));
        sched_yield();
    }
    return true;
}

/* ---- asking ---- */

static int look_at_fd(const wh_ctx *ctx, int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    if (wh_done_fd(ctx) != fd) abort(); /* the same at every call */
    return fd < 0 ? NONE : poll(&p, 1, 0) == 1;
}

static void see_cause(struct seen *seen, const wh_ctx *ctx)
{
    struct wh_cause cause = {.size = sizeof cause};
    const bool is_done = wh_cause_info(ctx, &cause);
    seen->reason = is_done ? reason_named(cause.reason) : NONE;
    if (!is_done || cause.reason != wh_cause(ctx)) return;
    seen->origin = site_named(cause.origin) - SITES_OF_CONTEXTS;
    seen->depth = (int)cause.depth;
    seen->site = site_named(cause.site);
    seen->text = cause.text ? atoi(cause.text) : NONE;
    seen->losers = (int)cause.losers;
    seen->loser = cause.loser_reason ? reason_named(cause.loser_reason) : NONE;
    seen->loser_site = site_named(cause.loser_site);
    seen->asks = cause.deadline_asked != WH_NEVER;
}

struct seen real_see(struct real *real, int i)
{
    const wh_ctx *ctx = real->contexts[i];
    struct seen seen = {.err = wh_err(ctx), .waited = wh_wait(ctx, 0), .reason = NONE, .origin = NONE, .depth = NONE,
        .site = NONE, .text = NONE, .losers = NONE, .loser = NONE, .loser_site = NONE,
        .deadline = instant_named(real, wh_deadline(ctx)), .is_cancellable = wh_cancellable(ctx), .fd = NONE};
    for (int key = 0; key < KEYS; key++) {
        const struct carried *value = wh_value(ctx, &keys[key]);
        seen.values[key] = value ? value->value : NONE;
    }
    see_cause(&seen, ctx);
    if (real->oracle->contexts[i].has_fd) seen.fd = look_at_fd(ctx, real->fds[i]);
    return seen;
}
