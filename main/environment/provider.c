/* The variables together. */
#include "main/environment.h"
#include "main/values.h"

void wh__environment_begin(void)
{
    wh__env_log_level();
    wh__env_live();
    const char *file = wh__env("OTEL_CONFIG_FILE");
    if (file) wh__env_ignored("OTEL_CONFIG_FILE", file, "is not supported: the other variables hold");
}

static wh_provider *new_provider(struct wh__exporters *exporters, const wh_resource *resource)
{
    struct wh_provider_opts opts = {.size = sizeof opts, .base = resource, .sampler = wh__env_sampler(),
        .exporters = exporters->list, .exporter_count = exporters->count};
    wh__env_limits(&opts.limits);
    wh__env_size("OTEL_BSP_MAX_QUEUE_SIZE", 1, &opts.max_queue);
    wh__env_size("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 1, &opts.max_batch);
    wh__env_delay("OTEL_BSP_SCHEDULE_DELAY", &opts.schedule_delay);
    wh__env_timeout("OTEL_BSP_EXPORT_TIMEOUT", &opts.export_timeout);
    wh__env_bool("WHENCE_CANCELLED_IS_ERROR", &opts.cancelled_is_error);
    return wh_provider_new_at(&opts);
}

wh_provider *wh__provider_from_environment(const char *service, const char *version)
{
    bool disabled = false;
    struct wh__exporters exporters = {.count = 0};
    wh__env_bool("OTEL_SDK_DISABLED", &disabled);
    if (disabled) return NULL;
    wh__env_exporters(&exporters);
    if (exporters.count == 0) return NULL;
    wh_resource *resource = wh__env_resource(service, version);
    wh_provider *provider = new_provider(&exporters, resource);
    wh_resource_free(resource);
    if (!provider) wh_report(WH_ERROR, "no memory for tracing: nothing is recorded");
    return provider;
}
