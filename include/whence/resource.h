/* whence/resource.h: who it is that records: the service, its process, its host, its container.
 *
 * A resource is a set of attributes (OpenTelemetry, resource/sdk.md). It is made once, given to a provider, and never changes;
 * only the child of a fork, which is another process, finds its own instance id, process ids and time of creation in what its
 * providers have inherited.
 *
 *   wh_resource *base = wh_resource_default(), *here = wh_resource_detect(WH_DETECT_ALL);
 *   wh_resource *both = wh_resource_merge(base, here);
 *   wh_provider *provider = wh_provider_new(.service = "orders", .base = both);
 *
 * wh_main() does this. Every function that returns a resource returns one that the caller frees, or NULL and ENOMEM; NULL as
 * an argument is the empty resource. A resource may be read by several threads at once.
 */
#ifndef WHENCE_RESOURCE_H
#define WHENCE_RESOURCE_H

#include <whence/trace.h>

WH_BEGIN_DECLS

typedef struct wh_resource wh_resource;

/* Attributes of your own, copied; of equal keys the last holds, and one without a key is left out. They count against no limit.
 * schema_url: of the conventions that they follow; copied; NULL: not known. */
WH_API wh_resource *wh_resource_new(struct wh_attrs attrs, const char *schema_url);

/* What every provider has that is not told otherwise: telemetry.sdk.*, service.name ("unknown_service:" and the name of the
 * program), and host.name. */
WH_API wh_resource *wh_resource_default(void);

/* All attributes of both; where both have one, it is as `updating` has it, even if empty. The schema URL is that of the one that
 * has any; if both have one and they differ, the result has none, and it is said. */
WH_API wh_resource *wh_resource_merge(const wh_resource *old, const wh_resource *updating);

WH_API void wh_resource_free(wh_resource *resource);

/* ---- Detectors -------------------------------------------------------------------------------------------------
 *
 * Each looks at what this process can see without privileges, and leaves out what it does not find: that is no error. Together
 * they read some ten small files below /proc and /etc. Names, as WHENCE_RESOURCE_DETECTORS has them, are those in the comments.
 * A detector of your own is a function that returns a resource. */
enum wh_detector {
    WH_DETECT_SERVICE = 1,   /* service: service.instance.id, a random UUID of this process; service.name from OTEL_SERVICE_NAME */
    WH_DETECT_HOST = 2,      /* host: host.name, host.id, host.arch, os.type, os.name, os.version, os.description */
    WH_DETECT_PROCESS = 4,   /* process: process.pid, .parent_pid, .creation.time, .owner, .command, .executable.name and .path */
    WH_DETECT_CONTAINER = 8, /* container: container.id */
    WH_DETECT_ALL = 15,      /* all: the above */
    WH_DETECT_COMMAND = 16   /* command: process.command_line, which may hold secrets: only when asked for by name */
};
WH_API wh_resource *wh_resource_detect(unsigned detectors);

/* ---- Reading ---------------------------------------------------------------------------------------------------*/

/* opentelemetry.proto.resource.v1.Resource, for wh_next_resource_attr(); valid as long as the resource. */
WH_API struct wh_bytes wh_resource_bytes(const wh_resource *resource);

/* NULL if it has none; valid as long as the resource. */
WH_API const char *wh_resource_schema_url(const wh_resource *resource);

/* The attribute of that key; false if there is none. The view is valid as long as the resource. */
struct wh_attr_view; /* exporters.h */
WH_API bool wh_resource_attr(const wh_resource *resource, const char *key, struct wh_attr_view *attr);

WH_END_DECLS
#endif
