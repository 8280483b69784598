/* A user's program, order.c, word for word as it is promised, with around it what it takes for granted: requests, headers,
 * and two services to fetch from. serve() plays what can happen to a request; what comes out is checked. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <whence/whence.h>

enum play { ALL_WELL, PRICE_FAILS, CLIENT_LEAVES, BUDGET_ENDS };

struct request {
    int fd;
    int client;      /* the other end of fd */
    int status;      /* that was answered, 0: not yet */
    int stock;       /* what became of the member that is not to blame */
    int begun;       /* whether it has begun: a group that is done starts nobody */
    enum play play;
};

enum { shelves = 3 };
static const char *get_header(void *carrier, const char *name);
static void scan(const wh_ctx *ctx, int shelf);
static int fetch_price(const wh_ctx *ctx, void *request);
static int fetch_stock(const wh_ctx *ctx, void *request);
static void reply_error(struct request *r, int status);
static int serve(const wh_ctx *root);

#include "order.c"

#define CHECK(what) \
    do { \
        if (!(what)) { \
            fprintf(stderr, "order_service.c:%d: not so: %s\n", __LINE__, #what); \
            exit(1); \
        } \
    } while (0)

static const char *get_header(void *carrier, const char *name)
{
    const struct request *r = (const struct request *)carrier;
    if (strcmp(name, "traceparent") == 0) return "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    if (strcmp(name, "whence-timeout") == 0 && r->play == BUDGET_ENDS) return "200m";
    return NULL;
}

static int scanned;

static void scan(const wh_ctx *ctx, int shelf)
{
    wh_event(ctx, "scanned", .attrs = WH_ATTRS(wh_attr("shelf", shelf)));
    scanned++;
}

static int fetch_price(const wh_ctx *ctx, void *request)
{
    struct request *r = (struct request *)request;
    while (!__atomic_load_n(&r->begun, __ATOMIC_ACQUIRE) && !wh_err(ctx)) wh_wait(ctx, WH_MS(1));
    if (r->play == PRICE_FAILS) return wh_fail(ctx, EIO, "the list is torn");
    if (r->play == CLIENT_LEAVES) close(r->client);
    return r->play == ALL_WELL ? 0 : wh_wait(ctx, WH_SEC(20));
}

static int fetch_stock(const wh_ctx *ctx, void *request)
{
    struct request *r = (struct request *)request;
    __atomic_store_n(&r->begun, 1, __ATOMIC_RELEASE);
    WH_AUTO wh_ctx *mine = wh_with_tenant(ctx, "acme");
    char trace[33];
    CHECK(strcmp(wh_trace_id_hex(mine, trace), "0af7651916cd43dd8448eb211c80319c") == 0);
    CHECK(strcmp(wh_tenant(mine), "acme") == 0);
    if (r->play == ALL_WELL) return reserve(mine, "17");
    r->stock = wh_wait(mine, WH_SEC(20));
    CHECK(r->play != PRICE_FAILS || wh_cause(ctx) == WH_SIBLING_FAILED);
    CHECK(reserve(mine, "17") == r->stock);
    return r->stock;
}

static void reply_error(struct request *r, int status)
{
    r->status = status;
}

static void play(const wh_ctx *root, enum play play, int error, int stock, int status)
{
    int ends[2];
    struct request r = {0, 0, 0, 0, 0, play};
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    r.fd = ends[0], r.client = ends[1];
    CHECK(handle(root, &r) == error);
    CHECK(r.stock == stock || (play == BUDGET_ENDS && !r.begun)); /* the budget may end before that */
    CHECK(r.status == status);
    close(ends[0]);
    if (play != CLIENT_LEAVES) close(ends[1]);
}

static int serve(const wh_ctx *root)
{
    play(root, ALL_WELL, 0, 0, 0);
    CHECK(scanned == shelves);
    play(root, PRICE_FAILS, EIO, ECANCELED, 500);
    play(root, CLIENT_LEAVES, ECANCELED, ECANCELED, 499);
    play(root, BUDGET_ENDS, ETIMEDOUT, ETIMEDOUT, 504);
    CHECK(scanned == shelves);
    puts("served");
    return 0;
}
