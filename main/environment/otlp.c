#include "main/environment.h"
#include "main/values.h"

/* The variable for traces wins over the one for all signals. */
static const char *either(const char *traces, const char *all)
{
    const char *value = wh__env(traces);
    return value ? value : wh__env(all);
}

static void read_timeout(struct wh_otlp_opts *opts)
{
    if (!wh__env_timeout("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", &opts->timeout))
        wh__env_timeout("OTEL_EXPORTER_OTLP_TIMEOUT", &opts->timeout);
}

static void read_compression(struct wh_otlp_opts *opts)
{
    static const char *const words[] = {"none", "gzip", NULL};
    int which = 0;
    if (!wh__env_word("OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", words, &which))
        wh__env_word("OTEL_EXPORTER_OTLP_COMPRESSION", words, &which);
    opts->gzip = which == 1;
}

struct wh_otlp_opts wh__env_otlp(void)
{
    struct wh_otlp_opts opts = {.size = sizeof opts};
    opts.endpoint = wh__env("OTEL_EXPORTER_OTLP_ENDPOINT");
    opts.traces_endpoint = wh__env("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
    opts.headers = either("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS");
    read_timeout(&opts);
    read_compression(&opts);
    return opts;
}
