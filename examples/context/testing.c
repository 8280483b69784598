/* Tests of code that takes contexts: pattern 37. With a clock of one's own no test sleeps: what takes an hour takes a line.
 * And a root below which whatever was not ended is found, with the line that made it. */
#include <errno.h>
#include <stdio.h>
#include <whence/whence.h>

/* The code under test: gives up after ten seconds, and after a client's own limit. */
static wh_ctx *begin(const wh_ctx *ctx)
{
    return wh_with_timeout(ctx, WH_SEC(10));
}

/* And some with a mistake in it: the early return. */
static int lookup(const wh_ctx *ctx, int id)
{
    wh_ctx *op = wh_with_timeout(ctx, WH_SEC(1)); /* should be WH_AUTO */
    if (id < 0) return EINVAL;
    wh_end(op);
    return 0;
}

static void expect(const char *what, bool is_so)
{
    printf("%s: %s\n", what, is_so ? "ok" : "NOT OK");
}

static void it_gives_up_after_ten_seconds(void)
{
    wh_clock *clock = wh_clock_new(0);
    if (!clock) return;
    WH_AUTO wh_ctx *root = wh_with_clock(NULL, clock);
    WH_AUTO wh_ctx *op = begin(root);
    wh_clock_advance(clock, WH_SEC(10) - 1);
    expect("a nanosecond before, it goes on", wh_err(op) == 0 && wh_remaining(op) == 1);
    wh_clock_advance(clock, 1);
    expect("at the instant, it has given up", wh_err(op) == ETIMEDOUT);
    wh_clock_free(clock);
}

static void say(enum wh_severity severity, const char *line, void *arg)
{
    (void)severity, (void)arg;
    printf("  %s\n", line);
}

static void it_leaves_nothing_behind(int id)
{
    wh_ctx *root = wh_test_root();
    lookup(root, id);
    const size_t left = wh_test_end(root); /* in a real test: assert(wh_test_end(root) == 0) */
    expect(id < 0 ? "refusing leaves nothing behind" : "finding leaves nothing behind", left == 0);
}

int main(void)
{
    wh_report_to(say, NULL); /* to standard error otherwise */
    it_gives_up_after_ten_seconds();
    it_leaves_nothing_behind(17);
    it_leaves_nothing_behind(-1);
    return 0;
}
