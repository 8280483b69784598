/* Which answer, how loud, and in one line: pattern 25. A deadline is 504 and a warning; a client that has gone is 499, and
 * nobody's error; a shutdown is 503. The cause knows; no handler has to. */
#include <stdio.h>
#include <whence/whence.h>

WH_REASON(over_quota, "over_quota", .http_status = 429);

static void reply(const wh_ctx *request)
{
    static const char *const level[] = {"debug", "info", "warn", "error"};
    char line[300];
    wh_log_line(request, line, sizeof line);
    printf("%d  %-5s %s\n", wh_http_status(request), level[wh_log_level(request)], line);
}

static void cancelled(const struct wh_reason *reason, const char *text)
{
    WH_AUTO wh_ctx *request = wh_with_timeout(NULL, WH_SEC(60));
    wh_cancel(request, reason, text);
    reply(request);
}

int main(void)
{
    WH_AUTO wh_ctx *slow = wh_with_timeout(NULL, WH_MS(5));
    wh_wait(slow, WH_NEVER);
    reply(slow);
    cancelled(WH_CLIENT_GONE, "connection reset");
    cancelled(WH_SHUTDOWN, "SIGTERM");
    cancelled(WH_SIBLING_FAILED, NULL);
    cancelled(over_quota, "100 requests a minute");
    return 0;
}
