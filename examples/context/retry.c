/* Try again, with growing pauses, while it is wanted and may help: pattern 21. Never past the deadline, and never at the same
 * moment as all the others who failed; and the last real error is kept. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <whence/whence.h>

/* Fails as often as it is told, then succeeds. */
struct server {
    int failures, error;
};

static int call(const wh_ctx *ctx, void *arg)
{
    struct server *server = arg;
    if (wh_err(ctx)) return wh_err(ctx);
    return server->failures-- > 0 ? server->error : 0;
}

/* What is wrong with the request itself is wrong the next time, too. */
static bool may_help(int rc, void *arg)
{
    (void)arg;
    return rc != EACCES;
}

static void fetch(const char *what, const wh_ctx *ctx, struct server server, int64_t delay)
{
    static const char *const why[] = {
        [WH_RETRY_SUCCEEDED] = "it has worked", [WH_RETRY_DONE] = "not wanted any more",
        [WH_RETRY_NO_TIME] = "no time for another", [WH_RETRY_ATTEMPTS] = "tried often enough", [WH_RETRY_REFUSED] = "it would not help",
    };
    struct wh_retry_report report = {.size = sizeof report};
    const int rc = wh_retry(ctx, call, &server, .attempts = 4, .delay = delay, .max_delay = WH_MIN(1),
                            .may_retry = may_help, .report = &report);
    printf("%s: %s after %d attempts, %s; the last error: %s\n", what, rc ? strerror(rc) : "done", report.attempts,
           why[report.why], report.last_error ? strerror(report.last_error) : "none");
}

int main(void)
{
    WH_AUTO wh_ctx *request = wh_with_timeout(NULL, WH_SEC(30));
    fetch("it fails twice", request, (struct server){2, EIO}, WH_MS(1));
    fetch("it fails always", request, (struct server){99, EIO}, WH_MS(1));
    fetch("it says no", request, (struct server){99, EACCES}, WH_MS(1));
    fetch("pauses of a minute", request, (struct server){99, EIO}, WH_MIN(1));
    wh_cancel(request, WH_CLIENT_GONE, NULL);
    fetch("the client has gone", request, (struct server){0, 0}, WH_MS(1));
    return 0;
}
