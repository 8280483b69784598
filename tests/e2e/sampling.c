/* A program whose sampling a Jaeger decides. Reads lines "<operation> <count>", starts so many traces of it, and prints how many
 * of them were sampled.
 *
 *   sampling SAMPLING_URL OTLP_URL SERVICE
 */
#include <stdio.h>
#include <stdlib.h>
#include <whence/whence.h>

static unsigned run(const wh_ctx *root, const char *operation, unsigned count)
{
    unsigned sampled = 0;
    while (count--) {
        wh_ctx *span = wh_start(root, operation);
        sampled += wh_recording(span);
        wh_end(span);
    }
    return sampled;
}

int main(int argc, char **argv)
{
    char operation[64];
    unsigned count;
    if (argc != 4) return 2;
    struct wh_exporter *otlp = wh_otlp_exporter_new(argv[2]);
    if (!otlp) return 1;
    struct wh_sampler *jaeger = wh_jaeger_sampler_new(.endpoint = argv[1], .service = argv[3], .interval = WH_MS(50),
        .initial = wh_sampler_always_off());
    wh_provider *provider = wh_provider_new(.service = argv[3], .sampler = wh_sampler_parent_based(jaeger), .exporters = &otlp,
        .exporter_count = 1, .max_queue = 1 << 16);
    if (!provider) return 1;
    wh_ctx *root = wh_provider_root(provider);
    while (scanf("%63s %u", operation, &count) == 2) {
        printf("%u\n", run(root, operation, count));
        fflush(stdout);
    }
    wh_end(root);
    return wh_provider_shutdown(provider, WH_SEC(30)) != 0;
}
