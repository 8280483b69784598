/* Whatever has come when the time is up: pattern 20. Nobody's failure concerns the others; what is not there by the deadline
 * is left out, and named. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <whence/whence.h>

struct shop {
    const char *name;
    int64_t answers_after;
    int price; /* 0: has not said */
};

static int ask(const wh_ctx *ctx, void *arg)
{
    struct shop *shop = arg;
    if (shop->answers_after == 0) return ECONNREFUSED;
    if (wh_sleep(ctx, shop->answers_after)) return wh_err(ctx);
    shop->price = (int)strlen(shop->name) * 10;
    return 0;
}

int main(void)
{
    struct shop shops[] = {{"corner", WH_MS(1), 0}, {"market", WH_MS(2), 0}, {"closed", 0, 0}, {"overseas", WH_NEVER, 0}};
    WH_AUTO wh_ctx *request = wh_with_timeout(NULL, WH_SEC(1));
    WH_AUTO_GROUP wh_group *group = wh_group_new(request, .policy = WH_COLLECT);
    for (size_t i = 0; i < sizeof shops / sizeof *shops; i++) wh_go(group, ask, &shops[i]);

    /* The members' contexts end at the deadline, and members that look at theirs return then: so waiting does not take longer.
     * Where somebody may not look, wh_group_wait_until(group, wh_deadline(request)) returns in any case: see theater.c. */
    wh_group_wait(group);
    for (size_t i = 0; i < sizeof shops / sizeof *shops; i++)
        if (shops[i].price) printf("%s: %d\n", shops[i].name, shops[i].price);

    struct wh_member_failure failures[4];
    const size_t missing = wh_group_failures(group, failures, 4); /* in the order in which they failed */
    for (size_t i = 0; i < missing && i < 4; i++) printf("missing: %s\n", strerror(failures[i].rc));
    return 0;
}
