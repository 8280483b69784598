/* Makes traces and exports them to an OTLP endpoint: of every hundred, ten in which somebody cancelled and two that
 * failed. Prints for each what it is, and its trace id.
 *
 * Usage: e2e_traces ENDPOINT COUNT
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <whence/exporters.h>
#include <whence/whence.h>

/* The root span goes on as if nothing had been: only the two below it say what has happened. */
static void make_trace(const wh_ctx *root, bool cancelled, bool failed)
{
    char id[33];
    WH_AUTO wh_ctx *request = wh_start(root, "GET /order", .kind = WH_SERVER, .root = true);
    WH_AUTO wh_ctx *work = wh_start(request, "reserve stock");
    WH_AUTO wh_ctx *query = wh_start(work, "SELECT", .kind = WH_CLIENT);
    if (cancelled) wh_cancel(work, WH_CLIENT_GONE, "the client has left");
    if (failed) wh_fail(query, EIO, "disk on fire");
    printf("%s %s\n", cancelled ? "cancelled" : failed ? "failed" : "well", wh_trace_id_hex(request, id));
}

int main(int argc, char **argv)
{
    if (argc != 3) return 2;
    struct wh_exporter *const otlp = wh_otlp_exporter_new(argv[1]);
    wh_provider *provider = wh_provider_new(.service = "traces", .exporters = &otlp, .exporter_count = otlp != NULL,
        .max_queue = 1 << 20);
    if (!otlp || !provider) return 2;
    WH_AUTO wh_ctx *root = wh_provider_root(provider);
    const long count = strtol(argv[2], NULL, 10);
    for (long i = 0; i < count; i++) make_trace(root, i % 10 == 9, i % 50 == 20);
    const int rc = wh_provider_shutdown(provider, WH_SEC(60));
    struct wh_provider_stats stats = {.size = sizeof stats};
    wh_provider_stats(provider, &stats);
    return rc == 0 && stats.exported == stats.started ? 0 : 1;
}
