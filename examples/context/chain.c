/* The context is the first argument, all the way down: patterns 12 and 13. Whoever derives one ends it, on every path:
 * WH_AUTO does it where the scope is left. Whoever is given one, `const`, can derive from it and ask it, and cannot cancel
 * it: the compiler says so. It is never kept in a structure, since it belongs to the call and not to the object. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <whence/whence.h>

static int disk(const wh_ctx *ctx, const char *name)
{
    if (wh_err(ctx)) return wh_err(ctx);
    return strcmp(name, "missing") ? 0 : ENOENT;
}

/* Does not use the context itself, and hands it on all the same. */
static int cache(const wh_ctx *ctx, const char *name)
{
    return strcmp(name, "cached") ? disk(ctx, name) : 0;
}

static int load(const wh_ctx *ctx, const char *name)
{
    WH_AUTO wh_ctx *op = wh_with_timeout(ctx, WH_SEC(30));
    const int rc = cache(op, name);
    if (rc) return rc; /* op is ended here, */
    /* wh_cancel(ctx, WH_CANCELED, NULL) would not compile: it is not ours. */
    return 0; /* and here */
}

/* A function that returns what it has derived: the caller is the owner then. Two steps, one owner: wh_take_over(). */
WH_KEY(attempt, int)
static wh_ctx *for_attempt(const wh_ctx *ctx, int number)
{
    wh_ctx *limited = wh_with_timeout(ctx, WH_SEC(10));
    return wh_take_over(wh_with_attempt(limited, number), limited);
}

int main(void)
{
    WH_AUTO wh_ctx *root = wh_with_cancel(NULL);
    const char *names[] = {"cached", "there", "missing"};
    for (int i = 0; i < 3; i++) {
        /* Derived in the loop's body and ended in it: a loop that derives from its own last context grows without end. */
        WH_AUTO wh_ctx *ctx = for_attempt(root, i + 1);
        const int rc = load(ctx, names[i]);
        printf("%d: %s: %s\n", wh_attempt(ctx), names[i], rc ? strerror(rc) : "loaded");
    }
    wh_cancel(root, WH_SHUTDOWN, NULL);
    printf("after the shutdown: there: %s\n", strerror(load(root, "there")));
    return 0;
}
