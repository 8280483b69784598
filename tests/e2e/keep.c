/* A program that samples nothing and keeps what ends badly. Reads lines "<how> <count>", handles so many requests, exports, and prints
 * their trace ids in one line, and then how many were kept and how many only counted.
 *
 *   keep OTLP_URL SERVICE
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <whence/whence.h>

static const char *how;
static pthread_barrier_t under_way;

static bool is(const char *word)
{
    return strcmp(how, word) == 0;
}

static int fetch_price(const wh_ctx *ctx, void *unused)
{
    (void)unused;
    WH_AUTO wh_ctx *span = wh_start(ctx, "fetch price", .kind = WH_CLIENT);
    pthread_barrier_wait(&under_way);
    if (is("failed")) return wh_fail(span, ECONNREFUSED, "no price");
    return is("good") ? 0 : wh_wait(span, WH_SEC(60));
}

static int fetch_stock(const wh_ctx *ctx, void *unused)
{
    (void)unused;
    WH_AUTO wh_ctx *span = wh_start(ctx, "fetch stock", .kind = WH_CLIENT);
    pthread_barrier_wait(&under_way);
    return is("good") ? 0 : wh_wait(span, WH_SEC(60));
}

/* Four spans, of three threads. */
static void handle(const wh_ctx *root)
{
    char id[33];
    WH_AUTO wh_ctx *request = wh_start(root, "GET /order", .kind = WH_SERVER, .timeout = WH_SEC(600));
    WH_AUTO wh_ctx *auth = wh_start(request, "authenticate");
    printf("%s ", wh_trace_id_hex(request, id));
    WH_AUTO_GROUP wh_group *group = wh_group_new(request);
    wh_go(group, fetch_price, NULL);
    wh_go(group, fetch_stock, NULL);
    pthread_barrier_wait(&under_way);
    if (is("cancelled")) wh_cancel(request, WH_CLIENT_GONE, "connection reset");
    wh_group_wait(group);
}

int main(int argc, char **argv)
{
    char line[64];
    unsigned count;
    if (argc != 3 || pthread_barrier_init(&under_way, NULL, 3)) return 2;
    struct wh_exporter *otlp = wh_otlp_exporter_new(argv[1]);
    wh_provider *provider = wh_provider_new(.service = argv[2], .sampler = wh_sampler_parent_based(wh_sampler_ratio(0)),
        .exporters = &otlp, .exporter_count = 1, .keep = {.enabled = true, .every = WH_SEC(3600)});
    if (!otlp || !provider) return 1;
    wh_ctx *root = wh_provider_root(provider);
    for (how = line; scanf("%63s %u", line, &count) == 2;) {
        struct wh_provider_stats stats = {.size = sizeof stats};
        while (count--) handle(root);
        if (wh_provider_flush(provider, WH_SEC(30))) return 1;
        wh_provider_stats(provider, &stats);
        printf("%llu %llu\n", (unsigned long long)stats.kept_traces, (unsigned long long)stats.keep_alike);
        fflush(stdout);
    }
    wh_end(root);
    return wh_provider_shutdown(provider, WH_SEC(30)) != 0;
}
