/* Cancel from a signal handler of one's own: wh_cancel() takes locks and is not for handlers, a trigger is. SIGUSR1 stops the
 * reload, and the program goes on. */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>
#include <whence/whence.h>

WH_REASON(operator_said_stop, "operator_said_stop");
static wh_trigger *stop;

static void on_usr1(int signo)
{
    wh_trigger_fire(stop, operator_said_stop, signo);
}

static void reload(const wh_ctx *ctx)
{
    struct wh_cause cause = {.size = sizeof cause};
    raise(SIGUSR1); /* as an operator would: kill -USR1 */
    wh_sleep(ctx, WH_SEC(60));
    if (wh_cause_info(ctx, &cause)) printf("reload: %s, %s\n", cause.reason->name, cause.text);
}

int main(void)
{
    WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
    if (wh_trigger_new(ctx, &stop)) return 1;
    struct sigaction action = {.sa_handler = on_usr1, .sa_flags = SA_RESTART}, before;
    if (sigaction(SIGUSR1, &action, &before)) return 1;
    reload(ctx);
    sigaction(SIGUSR1, &before, NULL); /* the handler first, */
    wh_trigger_free(stop);             /* then what it uses */
    puts("and the program goes on");
    return 0;
}
