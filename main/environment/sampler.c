#include <strings.h>

#include "main/environment.h"
#include "main/values.h"

static double ratio(void)
{
    const char *arg = wh__env("OTEL_TRACES_SAMPLER_ARG");
    double ratio = 1;
    if (arg && wh__parse_ratio(arg, &ratio)) wh__env_ignored("OTEL_TRACES_SAMPLER_ARG", arg, NULL);
    return ratio;
}

struct wh_sampler *wh__env_sampler(void)
{
    static const char prefix[] = "parentbased_";
    const char *name = wh__env("OTEL_TRACES_SAMPLER");
    if (!name) return NULL;
    const bool by_parent = strncasecmp(name, prefix, sizeof prefix - 1) == 0;
    const char *own = by_parent ? name + sizeof prefix - 1 : name;
    struct wh_sampler *sampler = NULL;
    if (strcasecmp(own, "always_on") == 0) sampler = wh_sampler_always_on();
    if (strcasecmp(own, "always_off") == 0) sampler = wh_sampler_always_off();
    if (strcasecmp(own, "traceidratio") == 0) sampler = wh_sampler_ratio(ratio());
    if (!sampler) wh__env_ignored("OTEL_TRACES_SAMPLER", name, NULL);
    return sampler && by_parent ? wh_sampler_parent_based(sampler) : sampler;
}
