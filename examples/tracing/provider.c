/* Everything said in code: who we are, which traces are recorded, where they go. A library that brings tracing of its own does it
 * like this, beside whatever the program has.
 *
 *   ./tracing_provider FILE.jsonl [http://localhost:4318]
 */
#include <stdio.h>
#include <whence/whence.h>

WH_SCOPE(scope, "example/billing", .version = "2.1")

static void charge(const wh_ctx *ctx, const char *customer)
{
    WH_AUTO wh_ctx *op = wh_start(ctx, "charge", .kind = WH_CLIENT, .scope = &scope);
    wh_set(op, "customer", customer);
    wh_set(op, "prices", WH_ITEMS(wh_item(12.5), wh_item(3)));
    wh_event(op, "accepted");
}

int main(int argc, char **argv)
{
    if (argc < 2) return fprintf(stderr, "usage: %s FILE.jsonl [ENDPOINT]\n", argv[0]), 2;
    struct wh_exporter *exporters[] = {wh_file_exporter_new(argv[1]), argc > 2 ? wh_otlp_exporter_new(argv[2]) : NULL};
    wh_resource *here = wh_resource_detect(WH_DETECT_SERVICE | WH_DETECT_HOST | WH_DETECT_PROCESS);
    wh_resource *standard = wh_resource_default(), *base = wh_resource_merge(standard, here);
    wh_provider *provider = wh_provider_new(.service = "billing", .base = base, .exporters = exporters, .exporter_count = 2,
                                            .sampler = wh_sampler_parent_based(wh_sampler_ratio(1.0)),
                                            .limits = {.attributes = 64, .value_length = 1024});
    wh_resource_free(base);
    wh_resource_free(standard);
    wh_resource_free(here);
    if (!provider) return perror("provider"), 1;

    wh_ctx *root = wh_provider_root(provider);
    charge(root, "ada");
    charge(root, "grace");
    wh_end(root);

    const int rc = wh_provider_shutdown(provider, WH_SEC(5));
    struct wh_provider_stats stats = {.size = sizeof stats};
    wh_provider_stats(provider, &stats);
    printf("%llu spans started, %llu exported\n", (unsigned long long)stats.started, (unsigned long long)stats.exported);
    return rc;
}
