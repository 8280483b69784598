/* One is enough: three mirrors are asked, the first that has it wins, and the others are stopped. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <whence/whence.h>

struct mirror {
    const char *name;
    int64_t answers_after; /* 0: is not there */
    bool has_it, was_stopped;
};

static int download(const wh_ctx *ctx, void *arg)
{
    struct mirror *mirror = arg;
    if (mirror->answers_after == 0) return ECONNREFUSED;
    if (wh_sleep(ctx, mirror->answers_after)) {
        mirror->was_stopped = wh_cause(ctx) == WH_RACE_LOST;
        return wh_err(ctx);
    }
    mirror->has_it = true;
    return 0;
}

int main(void)
{
    struct mirror mirrors[] = {{"dead", 0, false, false}, {"near", WH_MS(20), false, false}, {"far", WH_NEVER, false, false}};
    WH_AUTO wh_ctx *ctx = wh_with_timeout(NULL, WH_SEC(60));
    WH_AUTO_GROUP wh_group *group = wh_group_new(ctx, .policy = WH_FIRST_SUCCESS);
    wh_go(group, download, &mirrors[2]);
    wh_go(group, download, &mirrors[0]);
    wh_go(group, download, &mirrors[1]);
    const int rc = wh_group_wait(group); /* 0: one has it. If all fail, the first failure */
    printf("download: %s\n", rc ? strerror(rc) : "done");
    for (size_t i = 0; i < 3; i++)
        printf("%s: %s\n", mirrors[i].name, mirrors[i].has_it ? "has it" : mirrors[i].was_stopped ? "stopped" : "failed");
    return rc ? 1 : 0;
}
