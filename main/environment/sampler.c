#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "main/environment.h"
#include "main/values.h"

/* In the library whence-otlp: there if the program is linked with it. */
__attribute__((weak)) struct wh_sampler *wh_jaeger_sampler_new_at(const struct wh_jaeger_opts *opts);

static double ratio(void)
{
    const char *arg = wh__env("OTEL_TRACES_SAMPLER_ARG");
    double ratio = 1;
    if (arg && wh__parse_ratio(arg, &ratio)) wh__env_ignored("OTEL_TRACES_SAMPLER_ARG", arg, NULL);
    return ratio;
}

/* ---- Jaeger's ---- */

static int read_jaeger(const char *key, const char *value, struct wh__jaeger_arg *arg)
{
    uint64_t ms;
    if (strcmp(key, "endpoint") == 0) {
        arg->endpoint = value;
        return *value ? 0 : EINVAL;
    }
    if (strcmp(key, "initialSamplingRate") == 0) return wh__parse_ratio(value, &arg->initial);
    if (strcmp(key, "pollingIntervalMs")) return EINVAL;
    const int rc = wh__parse_number(value, 1, INT64_MAX / 1000000, &ms);
    if (rc == 0) arg->interval = WH_MS((int64_t)ms);
    return rc;
}

bool wh__parse_jaeger(char *text, struct wh__jaeger_arg *arg)
{
    *arg = (struct wh__jaeger_arg){.initial = -1};
    for (char *pair; (pair = strsep(&text, ","));) {
        char *equals = strchr(pair, '=');
        if (*wh__trimmed(pair) == '\0') continue;
        if (!equals) return false;
        *equals = '\0';
        if (read_jaeger(wh__trimmed(pair), wh__trimmed(equals + 1), arg)) return false;
    }
    return true;
}

static struct wh_sampler *new_jaeger(const char *service)
{
    if (!wh_jaeger_sampler_new_at) {
        wh_report(WH_WARNING, "OTEL_TRACES_SAMPLER asks for Jaeger's, but this program is not linked with whence-otlp");
        return NULL;
    }
    const char *text = wh__env("OTEL_TRACES_SAMPLER_ARG");
    const size_t size = text ? strlen(text) + 1 : 1;
    char *copy = wh__mem_get(size);
    struct wh__jaeger_arg arg;
    if (!copy) return NULL;
    memcpy(copy, text ? text : "", size);
    if (!wh__parse_jaeger(copy, &arg)) {
        wh__env_ignored("OTEL_TRACES_SAMPLER_ARG", text, NULL);
        arg = (struct wh__jaeger_arg){.initial = -1};
    }
    struct wh_sampler *sampler = wh_jaeger_sampler_new(.endpoint = arg.endpoint, .service = service, .interval = arg.interval,
                                                       .initial = arg.initial < 0 ? NULL : wh_sampler_ratio(arg.initial));
    wh__mem_free(copy);
    return sampler;
}

/* ---- all ---- */

static struct wh_sampler *named(const char *name, const char *service, bool *known)
{
    if (strcasecmp(name, "always_on") == 0) return wh_sampler_always_on();
    if (strcasecmp(name, "always_off") == 0) return wh_sampler_always_off();
    if (strcasecmp(name, "traceidratio") == 0) return wh_sampler_ratio(ratio());
    if (strcasecmp(name, "jaeger_remote") == 0) return new_jaeger(service);
    *known = false;
    return NULL;
}

struct wh_sampler *wh__env_sampler(const char *service)
{
    static const char prefix[] = "parentbased_";
    const char *name = wh__env("OTEL_TRACES_SAMPLER");
    if (!name) return NULL;
    const bool by_parent = strncasecmp(name, prefix, sizeof prefix - 1) == 0;
    bool known = true;
    struct wh_sampler *sampler = named(by_parent ? name + sizeof prefix - 1 : name, service, &known);
    if (!known) wh__env_ignored("OTEL_TRACES_SAMPLER", name, NULL);
    return sampler && by_parent ? wh_sampler_parent_based(sampler) : sampler;
}
