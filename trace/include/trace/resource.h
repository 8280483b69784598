#ifndef TRACE_RESOURCE_H
#define TRACE_RESOURCE_H

#include <whence/provider.h>

/* The resource (resource/sdk.md): what the SDK says of itself and of its host, then `service` if it is not NULL, then
 * `attrs`; of equal keys the last holds. Encoded as opentelemetry.proto.resource.v1.Resource, in memory from
 * wh__mem_get(); ptr NULL without memory. */
struct wh_bytes wh__resource_encode(const char *service, struct wh_attrs attrs);

#endif
