/* The variables together. */
#include <stdio.h>
#include <string.h>

#include "main/environment.h"
#include "main/values.h"

void wh__environment_begin(void)
{
    wh__env_log_level();
    wh__env_propagators();
    wh__env_causes();
    wh__env_live();
    const char *file = wh__env("OTEL_CONFIG_FILE");
    if (file) wh__env_ignored("OTEL_CONFIG_FILE", file, "is not supported: the other variables hold");
}

static const char *service_of(const wh_resource *resource, char *name, size_t size)
{
    struct wh_attr_view attr;
    if (!wh_resource_attr(resource, "service.name", &attr) || attr.type != WH_STRING) return NULL;
    snprintf(name, size, "%.*s", (int)attr.as.string.len, attr.as.string.ptr);
    return name;
}

static wh_provider *new_provider(struct wh__exporters *exporters, const wh_resource *resource)
{
    char service[256];
    struct wh_provider_opts opts = {.size = sizeof opts, .base = resource, .sampler = wh__env_sampler(service_of(resource, service, sizeof service)),
        .exporters = exporters->list, .exporter_count = exporters->count};
    wh__env_limits(&opts.limits);
    wh__env_batch(&opts);
    wh__env_keep(&opts.keep);
    wh__env_bool("WHENCE_CANCELLED_IS_ERROR", &opts.cancelled_is_error);
    return wh_provider_new_at(&opts);
}

static void publish(const wh_resource *resource)
{
    bool asked = false;
    wh__env_bool("WHENCE_PROCESS_CONTEXT", &asked);
    const int rc = asked ? wh_resource_publish(resource) : 0;
    if (rc) wh_report(WH_WARNING, "the process context cannot be published (%s)", strerror(rc));
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
    publish(resource);
    wh_resource_free(resource);
    if (!provider) wh_report(WH_ERROR, "no memory for tracing: nothing is recorded");
    return provider;
}
