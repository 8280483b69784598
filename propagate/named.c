/* Propagators by their names: OTEL_PROPAGATORS (configuration/sdk-environment-variables.md). */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "propagate/composite.h"

static const struct wh_propagator *const known[] = {
    &wh__tracecontext.public, &wh__baggage.public, &wh__b3_single.public, &wh__b3_multi.public, &wh__jaeger.public, &wh__grpc.public,
    &wh__whence.public,
};
enum { KNOWN = sizeof known / sizeof *known };

const struct wh_propagator *wh_tracecontext_propagator(void) { return &wh__tracecontext.public; }
const struct wh_propagator *wh_baggage_propagator(void) { return &wh__baggage.public; }
const struct wh_propagator *wh_b3_propagator(void) { return &wh__b3_single.public; }
const struct wh_propagator *wh_b3multi_propagator(void) { return &wh__b3_multi.public; }
const struct wh_propagator *wh_jaeger_propagator(void) { return &wh__jaeger.public; }
const struct wh_propagator *wh_grpc_propagator(void) { return &wh__grpc.public; }
const struct wh_propagator *wh_whence_propagator(void) { return &wh__whence.public; }

static const struct wh_propagator *find(const char *name, size_t len)
{
    for (size_t i = 0; i < KNOWN; i++)
        if (strlen(known[i]->name) == len && strncasecmp(known[i]->name, name, len) == 0) return known[i];
    return NULL;
}

static bool is_in(const struct wh_propagator *const *list, size_t count, const struct wh_propagator *one)
{
    for (size_t i = 0; i < count; i++)
        if (list[i] == one) return true;
    return false;
}

static void say_unknown(const char *name, size_t len, const char *variable)
{
    const int shown = (int)(len < 60 ? len : 60);
    if (variable)
        wh_report(WH_WARNING, "%s=%.*s is not understood, and ignored: there are tracecontext, baggage, b3, b3multi, jaeger, "
                  "grpc, whence and none", variable, shown, name);
    else
        wh_report(WH_WARNING, "there is no propagator \"%.*s\": it is ignored", shown, name);
}

int wh__set_propagators_named(const char *names, const char *variable)
{
    const struct wh_propagator *list[KNOWN];
    size_t count = 0;
    bool any = false; /* a list in which nothing is understood is none */
    for (const char *name = names ? names : ""; *name; name += *name == ',') {
        name += strspn(name, " \t");
        size_t len = strcspn(name, ",");
        const char *next = name + len;
        while (len && (name[len - 1] == ' ' || name[len - 1] == '\t')) len--;
        const struct wh_propagator *one = find(name, len);
        if (one && !is_in(list, count, one)) list[count++] = one;
        any |= one || (len == 4 && strncasecmp(name, "none", 4) == 0);
        if (len && !one && !(len == 4 && strncasecmp(name, "none", 4) == 0)) say_unknown(name, len, variable);
        name = next;
    }
    if (any) return wh_set_propagators(list, count);
    return wh_set_propagators((const struct wh_propagator *const[]){known[0], known[1], known[KNOWN - 1]}, 3);
}

int wh_set_propagators_named(const char *names)
{
    return wh__set_propagators_named(names, NULL);
}
