/* Which answer, and is it an error? Pattern 25: a deadline is 504, a client that has gone is 499 and nobody's error, a
 * shutdown is 503, a failed sibling is ours. The cause knows; no handler has to. */
#include <stdio.h>
#include <whence/whence.h>

WH_REASON(over_quota, "over_quota", .http_status = 429);

static void reply(const char *what, const wh_ctx *request)
{
    printf("%-22s %d %s\n", what, wh_http_status(request), wh_cause(request)->name);
}

static void cancelled(const char *what, const struct wh_reason *reason)
{
    WH_AUTO wh_ctx *request = wh_with_timeout(NULL, WH_SEC(60));
    wh_cancel(request, reason, NULL);
    reply(what, request);
}

int main(void)
{
    WH_AUTO wh_ctx *slow = wh_with_timeout(NULL, WH_MS(5));
    wh_wait(slow, WH_NEVER);
    reply("too slow", slow);
    cancelled("the client has gone", WH_CLIENT_GONE);
    cancelled("we are shutting down", WH_SHUTDOWN);
    cancelled("a part of it failed", WH_SIBLING_FAILED);
    cancelled("too many requests", over_quota);
    return 0;
}
