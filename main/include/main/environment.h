/* What the environment says, subject by subject. Every variable has an equivalent in code: docs/configuration.md. */
#ifndef MAIN_ENVIRONMENT_H
#define MAIN_ENVIRONMENT_H

#include <whence/whence.h>

/* ---- all of it ---- */

/* How loud the library is (OTEL_LOG_LEVEL), which headers it reads and writes (OTEL_PROPAGATORS, WHENCE_CAUSE_SEND,
 * WHENCE_CAUSE_ACCEPT), what of contexts is listed (WHENCE_TRACK, WHENCE_DUMP_SIGNAL), and the variables that are not supported. Before anything else is said or made. */
void wh__environment_begin(void);

/* The provider that the variables describe. NULL: the SDK is disabled, nothing is to be exported, or there is no memory. */
wh_provider *wh__provider_from_environment(const char *service, const char *version);

/* ---- parts of it ---- */

void wh__env_log_level(void);
void wh__env_propagators(void);
void wh__env_causes(void);
void wh__env_live(void);

/* Default, detectors (WHENCE_RESOURCE_DETECTORS), OTEL_ENTITIES, OTEL_RESOURCE_ATTRIBUTES, what the program says, OTEL_SERVICE_NAME: each is more
 * than those before it. NULL without memory. */
wh_resource *wh__env_resource(const char *service, const char *version);

/* OTEL_ENTITIES; NULL if it is unset, or without memory. And the entities of a text; NULL and ENOMEM. */
wh_resource *wh__env_entities(void);
wh_resource *wh__parse_entities(const char *text);

/* The attributes of a text "k=v,k=v", percent-encoded; NULL and EINVAL if anything in it is malformed, ENOMEM. */
wh_resource *wh__parse_attributes(const char *text);

/* NULL: the default. service: for Jaeger's, which asks by it. */
struct wh_sampler *wh__env_sampler(const char *service);

/* The argument of Jaeger's, "endpoint=...,pollingIntervalMs=5000,initialSamplingRate=0.25", into which it points. False if anything in
 * it is not understood. */
struct wh__jaeger_arg {
    const char *endpoint; /* NULL: not said */
    int64_t interval;     /* 0: not said */
    double initial;       /* less than 0: not said */
};
bool wh__parse_jaeger(char *text, struct wh__jaeger_arg *arg);

/* What is not said stays as it is. */
void wh__env_limits(struct wh_limits *limits);
void wh__env_batch(struct wh_provider_opts *opts);
void wh__env_keep(struct wh_keep *keep);

/* What OTEL_EXPORTER_OTLP_* say; the texts stay the environment's. */
struct wh_otlp_opts wh__env_otlp(void);

enum { WH__MOST_EXPORTERS = 6 };
struct wh__exporters {
    struct wh_exporter *list[WH__MOST_EXPORTERS];
    size_t count;
};
void wh__env_exporters(struct wh__exporters *exporters);

#endif
