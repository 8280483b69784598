/* Three calls at the same time under one deadline; without two of them there is no page, the third is welcome: pattern 19.
 * The first failure of one that is needed cancels the others; a failure of the optional one is listed, and that is all. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <whence/whence.h>

struct page {
    int price, stock, stars; /* each member writes its own: no lock */
    bool price_is_there;
};

static int fetch_price(const wh_ctx *ctx, void *arg)
{
    struct page *page = arg;
    if (!page->price_is_there) return wh_fail(ctx, ENOENT, "no such thing");
    if (wh_sleep(ctx, WH_MS(5))) return wh_err(ctx);
    page->price = 12;
    return 0;
}

static int fetch_stock(const wh_ctx *ctx, void *arg)
{
    struct page *page = arg;
    /* Waits for the answer; where there is no price, for ever. */
    if (wh_wait(ctx, page->price_is_there ? WH_MS(5) : WH_NEVER)) return wh_err(ctx);
    page->stock = 3;
    return 0;
}

static int fetch_stars(const wh_ctx *ctx, void *arg)
{
    (void)ctx, (void)arg;
    return ECONNREFUSED; /* as so often */
}

static void show(const wh_ctx *ctx, struct page page)
{
    WH_AUTO wh_ctx *limited = wh_with_timeout(ctx, WH_SEC(60));
    WH_AUTO_GROUP wh_group *group = wh_group_new(limited);
    wh_go_optional(group, fetch_stars, &page);
    wh_go(group, fetch_price, &page);
    wh_go(group, fetch_stock, &page);
    const int rc = wh_group_wait(group); /* nobody is left running: `page` may be read, and may go */

    if (rc)
        printf("no page: %s\n", strerror(rc));
    else
        printf("price %d, %d in stock, %d stars\n", page.price, page.stock, page.stars);
    struct wh_member_failure failures[4];
    const size_t count = wh_group_failures(group, failures, 4);
    for (size_t i = 0; i < count && i < 4; i++)
        if (failures[i].optional) printf("  not needed: %s: %s\n", failures[i].name, strerror(failures[i].rc));
}

int main(void)
{
    show(NULL, (struct page){.price_is_there = true});
    show(NULL, (struct page){.price_is_there = false});
    return 0;
}
