#include <strings.h>

#include "main/environment.h"
#include "main/values.h"

struct wh_sampler wh__env_sampler(void)
{
    static const struct { const char *name; struct wh_sampler sampler; bool takes_ratio; } known[] = {
        {"parentbased_always_on", {.kind = WH_SAMPLER_ALWAYS_ON}, false},
        {"parentbased_always_off", {.kind = WH_SAMPLER_ALWAYS_OFF}, false},
        {"parentbased_traceidratio", {.kind = WH_SAMPLER_RATIO, .ratio = 1}, true},
        {"always_on", {.kind = WH_SAMPLER_ALWAYS_ON, .ignore_parent = true}, false},
        {"always_off", {.kind = WH_SAMPLER_ALWAYS_OFF, .ignore_parent = true}, false},
        {"traceidratio", {.kind = WH_SAMPLER_RATIO, .ratio = 1, .ignore_parent = true}, true},
    };
    const char *name = wh__env("OTEL_TRACES_SAMPLER"), *arg = wh__env("OTEL_TRACES_SAMPLER_ARG");
    struct wh_sampler sampler = known[0].sampler;
    size_t i = 0;
    if (!name) return sampler;
    while (i < sizeof known / sizeof *known && strcasecmp(name, known[i].name)) i++;
    if (i == sizeof known / sizeof *known) {
        wh__env_ignored("OTEL_TRACES_SAMPLER", name, NULL);
        return sampler;
    }
    sampler = known[i].sampler;
    if (arg && known[i].takes_ratio && wh__parse_ratio(arg, &sampler.ratio)) wh__env_ignored("OTEL_TRACES_SAMPLER_ARG", arg, NULL);
    return sampler;
}
