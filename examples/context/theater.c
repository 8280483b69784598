/* A context that is taken and ignored is theater: pattern 17. Nobody can be stopped who does not look; but he is found, with
 * his name, where he was started, and since when he works for nobody. */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <whence/whence.h>

static atomic_bool let_go;

/* Has the right signature, and looks at nothing. */
static int export_everything(const wh_ctx *ctx, void *arg)
{
    (void)ctx, (void)arg;
    while (!let_go) nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    return 0;
}

static int export_politely(const wh_ctx *ctx, void *arg)
{
    (void)arg;
    return wh_wait(ctx, WH_NEVER);
}

int main(void)
{
    WH_AUTO wh_ctx *request = wh_with_timeout(NULL, WH_SEC(60));
    WH_AUTO_GROUP wh_group *group = wh_group_new(request);
    wh_go(group, export_everything, NULL);
    wh_go(group, export_politely, NULL);

    wh_sleep(request, WH_MS(20));
    wh_cancel(request, WH_CLIENT_GONE, NULL);

    /* Long enough for everybody who looks. */
    const int rc = wh_group_wait_until(group, wh_now() + WH_SEC(1));
    printf("the group: %s\n", rc ? strerror(rc) : "all have returned");
    struct wh_straggler late[4];
    const size_t count = wh_group_stragglers(group, late, 4);
    for (size_t i = 0; i < count && i < 4; i++)
        printf("still at work: %s, started at %s:%d, %s\n", late[i].name, late[i].site->file, late[i].site->line,
               late[i].done ? "for nobody" : "and wanted");

    let_go = true; /* a real one ends when it likes: until then its thread, and what it holds, are lost */
    wh_group_wait(group);
    return 0;
}
