/* Small programs in which something goes wrong, each with a file of what it has exported: what the tool is shown.
 *
 * Usage: tools_scenes FOLDER
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <whence/exporters.h>
#include <whence/whence.h>

/* Whose time is over, and who does not look for a while. */
static void deadline(const wh_ctx *root)
{
    WH_AUTO wh_ctx *request = wh_start(root, "GET /order", .kind = WH_SERVER, .timeout = WH_MS(30));
    WH_AUTO wh_ctx *query = wh_start(request, "SELECT", .kind = WH_CLIENT, .timeout = WH_SEC(5));
    wh_wait(query, WH_NEVER);
    poll(NULL, 0, 20);
}

static int fails(const wh_ctx *ctx, void *arg)
{
    WH_AUTO wh_ctx *op = wh_start(ctx, "fetch price", .kind = WH_CLIENT);
    (void)arg;
    poll(NULL, 0, 10);
    return wh_fail(op, EIO, "disk on fire");
}

static int wins(const wh_ctx *ctx, void *arg)
{
    WH_AUTO wh_ctx *op = wh_start(ctx, "ask the near one", .kind = WH_CLIENT);
    (void)arg, (void)op;
    poll(NULL, 0, 10);
    return 0;
}

static int waits(const wh_ctx *ctx, void *arg)
{
    WH_AUTO wh_ctx *op = wh_start(ctx, arg, .kind = WH_CLIENT);
    wh_wait(op, WH_NEVER);
    return wh_err(op);
}

static void sibling(const wh_ctx *root)
{
    WH_AUTO wh_ctx *request = wh_start(root, "GET /order", .kind = WH_SERVER);
    WH_AUTO_GROUP wh_group *group = wh_group_new(request);
    wh_go(group, fails, NULL);
    wh_go(group, waits, "fetch stock");
    if (wh_group_wait(group)) wh_fail(request, EIO, "no order");
}

static void race(const wh_ctx *root)
{
    WH_AUTO wh_ctx *request = wh_start(root, "GET /nearest", .kind = WH_SERVER);
    WH_AUTO_GROUP wh_group *group = wh_group_new(request, .policy = WH_FIRST_SUCCESS);
    wh_go(group, wins, NULL);
    wh_go(group, waits, "ask the far one");
    wh_group_wait(group);
}

static void client_gone(const wh_ctx *root)
{
    WH_AUTO wh_ctx *request = wh_start(root, "GET /order", .kind = WH_SERVER);
    WH_AUTO wh_ctx *work = wh_start(request, "reserve");
    wh_cancel(request, WH_CLIENT_GONE, "connection reset");
    wh_cancel(work, WH_SHUTDOWN, "too late");
}

static void two(const wh_ctx *root)
{
    WH_AUTO wh_ctx *request = wh_start(root, "batch", .kind = WH_INTERNAL);
    for (int i = 0; i < 2; i++) {
        WH_AUTO wh_ctx *step = wh_start(request, i ? "second" : "first");
        WH_AUTO wh_ctx *part = wh_start(step, i ? "second part" : "first part");
        wh_cancel(step, WH_CANCELED, i ? "not wanted either" : "not wanted");
        (void)part;
    }
}

static void well(const wh_ctx *root)
{
    WH_AUTO wh_ctx *request = wh_start(root, "GET /order", .kind = WH_SERVER);
    (void)request;
}

static int play(const char *folder, const char *name, void (*scene)(const wh_ctx *root))
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s.jsonl", folder, name);
    struct wh_exporter *const file = wh_file_exporter_new(path);
    wh_provider *provider = wh_provider_new(.service = "shop", .exporters = &file, .exporter_count = file != NULL);
    if (!file || !provider) return 1;
    WH_AUTO wh_ctx *root = wh_provider_root(provider);
    scene(root);
    return wh_provider_shutdown(provider, WH_SEC(60));
}

int main(int argc, char **argv)
{
    static const struct { const char *name; void (*scene)(const wh_ctx *root); } scenes[] = {{"deadline", deadline},
        {"sibling", sibling}, {"race", race}, {"client_gone", client_gone}, {"two", two}, {"well", well}};
    if (argc != 2) return 2;
    for (size_t i = 0; i < sizeof scenes / sizeof *scenes; i++)
        if (play(argv[1], scenes[i].name, scenes[i].scene)) return 1;
    return 0;
}
