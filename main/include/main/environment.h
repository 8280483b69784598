/* What the environment says, subject by subject. Every variable has an equivalent in code: docs/configuration.md. */
#ifndef MAIN_ENVIRONMENT_H
#define MAIN_ENVIRONMENT_H

#include <whence/whence.h>

/* ---- all of it ---- */

/* How loud the library is (OTEL_LOG_LEVEL), what of contexts is listed (WHENCE_TRACK, WHENCE_DUMP_SIGNAL), and the variables
 * that are not supported. Before anything else is said or made. */
void wh__environment_begin(void);

/* The provider that the variables describe. NULL: the SDK is disabled, nothing is to be exported, or there is no memory. */
wh_provider *wh__provider_from_environment(const char *service, const char *version);

/* ---- parts of it ---- */

void wh__env_log_level(void);
void wh__env_live(void);

/* Default, detectors (WHENCE_RESOURCE_DETECTORS), OTEL_RESOURCE_ATTRIBUTES, what the program says, OTEL_SERVICE_NAME: each is more
 * than those before it. NULL without memory. */
wh_resource *wh__env_resource(const char *service, const char *version);

/* The attributes of a text "k=v,k=v", percent-encoded; NULL and EINVAL if anything in it is malformed, ENOMEM. */
wh_resource *wh__parse_attributes(const char *text);

struct wh_sampler *wh__env_sampler(void);

/* The model-specific variable, else the general one. What is not said stays as it is. */
void wh__env_limits(struct wh_limits *limits);

/* What OTEL_EXPORTER_OTLP_* say; the texts stay the environment's. */
struct wh_otlp_opts wh__env_otlp(void);

enum { WH__MOST_EXPORTERS = 6 };
struct wh__exporters {
    struct wh_exporter *list[WH__MOST_EXPORTERS];
    size_t count;
};
void wh__env_exporters(struct wh__exporters *exporters);

#endif
