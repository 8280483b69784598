#include "trace/resource.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/mem.h"
#include "trace/attr.h"

/* ---- what every resource says ---- */

/* host.name also keeps Jaeger from suspecting the clocks of spans that overlap their parent's end. */
enum { BUILT_IN = 5, HOST = 256, SERVICE = 256 };

struct built_in {
    char host[HOST], unknown_service[SERVICE];
    struct wh_attr attrs[BUILT_IN];
};

static void fill(struct built_in *b, const char *service)
{
    if (gethostname(b->host, sizeof b->host)) b->host[0] = '\0';
    b->host[sizeof b->host - 1] = '\0';
    snprintf(b->unknown_service, sizeof b->unknown_service, "unknown_service:%s", program_invocation_short_name);
    b->attrs[0] = wh_attr("telemetry.sdk.name", "whence");
    b->attrs[1] = wh_attr("telemetry.sdk.language", "c");
    b->attrs[2] = wh_attr("telemetry.sdk.version", WH_VERSION);
    b->attrs[3] = wh_attr("host.name", (const char *)b->host);
    b->attrs[4] = wh_attr("service.name", service && *service ? service : b->unknown_service);
}

/* ---- encoding ---- */

struct wh_bytes wh__resource_encode(const char *service, struct wh_attrs attrs)
{
    struct built_in built_in;
    struct wh_attr *all = wh__mem_get((BUILT_IN + attrs.count) * sizeof *all);
    if (!all) return (struct wh_bytes){0};
    fill(&built_in, service);
    memcpy(all, built_in.attrs, sizeof built_in.attrs);
    if (attrs.count) memcpy(all + BUILT_IN, attrs.list, attrs.count * sizeof *all);
    const struct wh_bytes resource = wh__attrs_encode(WH__RESOURCE_ATTRIBUTE, (struct wh_attrs){all, BUILT_IN + attrs.count});
    wh__mem_free(all);
    return resource;
}
