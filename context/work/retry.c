/* Trying again, later and later, for as long as the context lasts. */
#include <errno.h>
#include <string.h>
#include <whence/work.h>

#include "base/clock.h"
#include "base/random.h"
#include "context/because.h"
#include "context/clock.h"
#include "context/tree.h"

static struct wh_retry_opts with_defaults(const struct wh_retry_opts *given)
{
    struct wh_retry_opts opts = {0};
    memcpy(&opts, given, given->size < sizeof opts ? given->size : sizeof opts);
    if (opts.delay == 0) opts.delay = WH_MS(50);
    if (opts.max_delay <= 0) opts.max_delay = WH_SEC(2);
    if (!(opts.factor < 0 || opts.factor > 0)) opts.factor = 2; /* NaN, too */
    if (opts.factor < 1) opts.factor = 1;
    if (opts.jitter < 0)
        opts.jitter = 0;
    else if (!(opts.jitter > 0))
        opts.jitter = 0.5;
    else if (opts.jitter > 1)
        opts.jitter = 1;
    return opts;
}

/* A double, above 2^53, may be more than the integer that it came from. */
static int64_t times(int64_t delay, double factor, int64_t most)
{
    const double product = (double)delay * factor;
    return product < (double)most ? (int64_t)product : most;
}

static int64_t first_delay(const struct wh_retry_opts *opts)
{
    if (opts->delay < 0) return 0;
    return opts->delay < opts->max_delay ? opts->delay : opts->max_delay;
}

static int64_t next_delay(const struct wh_retry_opts *opts, int64_t delay)
{
    return delay ? times(delay, opts->factor, opts->max_delay) : 0;
}

/* Takes a part of it away, at most as much as the jitter says. */
static int64_t jittered(const struct wh_retry_opts *opts, int64_t delay, uint64_t random)
{
    const double part = opts->jitter * ((double)(random >> 11) / 9007199254740992.0); /* 2^53 */
    return delay - times(delay, part, delay);
}

struct run {
    struct wh_retry_opts opts;
    struct wh_retry_report report;
    int64_t began;
    int64_t since; /* the same, by the clock of the system */
    int64_t delay; /* before the next attempt, without jitter */
};

static void say_how_it_ended(const struct run *run, enum wh_retry_end why)
{
    static const char *const words[] = {[WH_RETRY_ATTEMPTS] = "attempts", [WH_RETRY_REFUSED] = "refused", [WH_RETRY_NO_TIME] = "no_time",
        [WH_RETRY_DONE] = "done"};
    if (why == WH_RETRY_SUCCEEDED && run->report.attempts > 1) wh__because_forget(run->opts.ctx, run->since);
    if (why == WH_RETRY_SUCCEEDED || run->report.attempts == 0) return;
    wh__say_gave_up(run->opts.ctx, &(struct wh__gave_up){.is_retry = true, .attempts = run->report.attempts, .why = words[why],
        .last_error = run->report.last_error});
}

static int end(struct run *run, enum wh_retry_end why, int rc)
{
    say_how_it_ended(run, why);
    struct wh_retry_report *out = run->opts.report;
    if (!out) return rc;
    run->report.size = out->size;
    run->report.why = why;
    run->report.elapsed = wh__sub(wh__now_for(run->opts.ctx), run->began);
    run->report.remaining = wh_remaining(run->opts.ctx);
    memcpy(out, &run->report, out->size < sizeof run->report ? out->size : sizeof run->report);
    return rc;
}

/* After a failure: true, and it has slept until the next attempt; or false, and why there is none. */
static bool may_go_on(struct run *run, int rc, enum wh_retry_end *why)
{
    const struct wh_retry_opts *opts = &run->opts;
    *why = WH_RETRY_ATTEMPTS;
    if (opts->attempts > 0 && run->report.attempts >= opts->attempts) return false;
    *why = WH_RETRY_REFUSED;
    if (opts->may_retry && !opts->may_retry(rc, opts->arg)) return false;
    *why = WH_RETRY_NO_TIME;
    const int64_t delay = jittered(opts, run->delay, wh__random()), remaining = wh_remaining(opts->ctx);
    if (remaining != WH_NEVER && delay >= remaining) return false;
    run->delay = next_delay(opts, run->delay);
    wh_wait(opts->ctx, delay);
    return true;
}

/* What fn returns for no other reason than that its context is done is no error of its own. */
int wh_retry_at(const struct wh_retry_opts *given)
{
    struct run run = {.opts = with_defaults(given)};
    const wh_ctx *ctx = run.opts.ctx;
    run.began = wh__now_for(ctx);
    run.since = ctx && ctx->flags & WH__CLOCKED ? wh__now() : run.began;
    run.delay = first_delay(&run.opts);
    for (;;) {
        int err = wh_wait(ctx, 0);
        if (err) return end(&run, WH_RETRY_DONE, err);
        if (run.report.attempts < INT32_MAX) run.report.attempts++;
        const int rc = run.opts.fn(ctx, run.opts.arg);
        if (rc == 0) return end(&run, WH_RETRY_SUCCEEDED, 0);
        err = wh_wait(ctx, 0);
        if (rc != err) run.report.last_error = rc;
        if (err) return end(&run, WH_RETRY_DONE, err);
        enum wh_retry_end why;
        if (!may_go_on(&run, rc, &why)) return end(&run, why, rc);
    }
}
