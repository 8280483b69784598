/* In and out of headers: what a request and a call cost that carry a context. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <whence/whence.h>

#include "bench.h"

/* ---- carriers ---- */

/* A request has a handful of headers; whoever asks for one that is not there has looked at all. */
struct field {
    const char *name;
    const char *value;
};
enum { FIELDS = 4 };

static const char *get(void *carrier, const char *name)
{
    const struct field *fields = carrier;
    for (int i = 0; i < FIELDS && fields[i].name; i++)
        if (strcmp(fields[i].name, name) == 0) return fields[i].value;
    return NULL;
}

static unsigned sets;

static void set(void *carrier, const char *name, const char *value)
{
    (void)carrier, (void)name;
    HIDE(value);
    sets++;
}

static const struct wh_carrier fields_of = {.size = sizeof fields_of, .get = get, .set = set};

/* ---- what travels ---- */

#define TRACEPARENT "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
#define TRACESTATE "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE,ot=th:c;rv:6e6d1a75832a2f"
#define B3 "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1"
#define UBER "4bf92f3577b34da6a3ce929d0e0e4736:00f067aa0ba902b7:0:1"

struct traveller {
    struct field fields[FIELDS];
    const struct wh_propagator *by; /* NULL: those that are set for all */
    wh_ctx *ctx;                    /* a span below what the fields say */
    size_t bytes;                   /* of the last field */
};
static struct traveller plain, state, usual, timed, grpc, b3, b3multi, jaeger, one, sixteen, most;
static wh_provider *provider;
static wh_ctx *root;

/* Of 20 bytes for each member, some of them encoded. */
static const char *members(unsigned count)
{
    char *header = malloc(count * 32);
    size_t len = 0;
    for (unsigned i = 0; header && i < count; i++)
        len += (size_t)sprintf(header + len, "%smember%02u=%s", i ? "," : "", i, i % 4 ? "value-of-it" : "a%20b%2Cc");
    return header;
}

static void travel(struct traveller *traveller, const struct wh_propagator *by)
{
    int last = FIELDS - 1;
    while (last && !traveller->fields[last].name) last--;
    traveller->by = by;
    traveller->bytes = strlen(traveller->fields[last].value);
    traveller->ctx = wh_extract_with(root, by, &fields_of, traveller->fields);
    traveller->ctx = wh_take_over(wh_start(traveller->ctx, "GET", .kind = WH_CLIENT), traveller->ctx);
    sets = 0;
    wh_inject_with(traveller->ctx, by, &fields_of, NULL);
    if (sets == 0) bench_die("nothing is injected of %s", traveller->fields[last].name);
}

static void extract(struct traveller *traveller, size_t n)
{
    while (n--) wh_end(wh_extract_with(root, traveller->by, &fields_of, traveller->fields));
}

static void inject(const struct traveller *traveller, size_t n)
{
    while (n--) wh_inject_with(traveller->ctx, traveller->by, &fields_of, NULL);
}

/* The second figure is for a byte of the header. */
static void extract_bytes(struct traveller *traveller, size_t n, struct lap *laps)
{
    const struct lap begin = lap_begin();
    extract(traveller, n);
    lap_add(&laps[0], begin);
    laps[1].ns = laps[0].ns / (int64_t)traveller->bytes;
}

static void inject_bytes(const struct traveller *traveller, size_t n, struct lap *laps)
{
    const struct lap begin = lap_begin();
    inject(traveller, n);
    lap_add(&laps[0], begin);
    laps[1].ns = laps[0].ns / (int64_t)traveller->bytes;
}

static void nothing_in(size_t n) { extract(&(struct traveller){.by = NULL}, n); }
static void plain_in(size_t n) { extract(&plain, n); }
static void plain_out(size_t n) { inject(&plain, n); }
static void state_in(size_t n) { extract(&state, n); }
static void state_out(size_t n) { inject(&state, n); }
static void usual_in(size_t n) { extract(&usual, n); }
static void usual_out(size_t n) { inject(&usual, n); }
static void timed_in(size_t n) { extract(&timed, n); }
static void timed_out(size_t n) { inject(&timed, n); }
static void grpc_in(size_t n) { extract(&grpc, n); }
static void grpc_out(size_t n) { inject(&grpc, n); }
static void b3_in(size_t n) { extract(&b3, n); }
static void b3_out(size_t n) { inject(&b3, n); }
static void multi_in(size_t n) { extract(&b3multi, n); }
static void multi_out(size_t n) { inject(&b3multi, n); }
static void jaeger_in(size_t n) { extract(&jaeger, n); }
static void jaeger_out(size_t n) { inject(&jaeger, n); }
static void one_in(size_t n, struct lap *laps) { extract_bytes(&one, n, laps); }
static void one_out(size_t n, struct lap *laps) { inject_bytes(&one, n, laps); }
static void sixteen_in(size_t n, struct lap *laps) { extract_bytes(&sixteen, n, laps); }
static void sixteen_out(size_t n, struct lap *laps) { inject_bytes(&sixteen, n, laps); }
static void most_in(size_t n, struct lap *laps) { extract_bytes(&most, n, laps); }
static void most_out(size_t n, struct lap *laps) { inject_bytes(&most, n, laps); }

/* ---- the room ---- */

static void begin(void)
{
    provider = wh_provider_new(.service = "bench");
    if (!provider) bench_die("no memory for a provider");
    root = wh_provider_root(provider);
    plain = (struct traveller){.fields = {{"traceparent", TRACEPARENT}}};
    state = (struct traveller){.fields = {{"traceparent", TRACEPARENT}, {"tracestate", TRACESTATE}}};
    usual = (struct traveller){.fields = {{"traceparent", TRACEPARENT}}};
    timed = (struct traveller){.fields = {{"traceparent", TRACEPARENT}, {"whence-timeout", "99999999m"}}};
    grpc = (struct traveller){.fields = {{"grpc-timeout", "99999999m"}}};
    b3 = (struct traveller){.fields = {{"b3", B3}}};
    b3multi = (struct traveller){.fields = {
        {"X-B3-TraceId", "4bf92f3577b34da6a3ce929d0e0e4736"}, {"X-B3-SpanId", "00f067aa0ba902b7"}, {"X-B3-Sampled", "1"}}};
    jaeger = (struct traveller){.fields = {{"uber-trace-id", UBER}}};
    one = (struct traveller){.fields = {{"baggage", members(1)}}};
    sixteen = (struct traveller){.fields = {{"baggage", members(16)}}};
    most = (struct traveller){.fields = {{"baggage", members(64)}}};
    travel(&plain, wh_tracecontext_propagator());
    travel(&state, wh_tracecontext_propagator());
    travel(&usual, NULL);
    travel(&timed, NULL);
    travel(&grpc, wh_grpc_propagator());
    travel(&b3, wh_b3_propagator());
    travel(&b3multi, wh_b3multi_propagator());
    travel(&jaeger, wh_jaeger_propagator());
    travel(&one, wh_baggage_propagator());
    travel(&sixteen, wh_baggage_propagator());
    travel(&most, wh_baggage_propagator());
}

static void end(void)
{
    struct traveller *const all[] = {&plain, &state, &usual, &timed, &grpc, &b3, &b3multi, &jaeger, &one, &sixteen, &most};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) wh_end(all[i]->ctx);
    free((void *)one.fields[0].value);
    free((void *)sixteen.fields[0].value);
    free((void *)most.fields[0].value);
    wh_end(root);
    wh_provider_shutdown(provider, WH_SEC(5));
}

#define BAGGAGE(members, dir, fn) \
    {.rows = {{.name = "baggage of " members ", " dir}, {.name = "baggage of " members ", " dir ", a byte", .unit = "ns/B"}}, .sample = fn}
static const struct subject subjects[] = {
    {.rows = {{.name = "extract, no header", .note = "the usual propagators ask for six; and the context is ended"}}, .op = nothing_in},
    {.rows = {{.name = "extract, traceparent", .note = "and the context is ended"}}, .op = plain_in, .counted = true},
    {.rows = {{.name = "inject, traceparent"}}, .op = plain_out, .counted = true},
    {.rows = {{.name = "extract, traceparent and tracestate", .note = "one block of memory for the list"}}, .op = state_in},
    {.rows = {{.name = "inject, traceparent and tracestate"}}, .op = state_out},
    {.rows = {{.name = "extract, traceparent, the usual propagators"}}, .op = usual_in},
    {.rows = {{.name = "inject, traceparent, the usual propagators"}}, .op = usual_out},
    {.rows = {{.name = "extract, traceparent and a deadline", .note = "the usual propagators; the deadline is a timer"}}, .op = timed_in},
    {.rows = {{.name = "inject, traceparent and a deadline", .note = "the usual propagators; the clock is read"}}, .op = timed_out},
    {.rows = {{.name = "extract, grpc-timeout alone"}}, .op = grpc_in},
    {.rows = {{.name = "inject, grpc-timeout alone"}}, .op = grpc_out},
    {.rows = {{.name = "extract, b3"}}, .op = b3_in},
    {.rows = {{.name = "inject, b3"}}, .op = b3_out},
    {.rows = {{.name = "extract, b3 in several headers"}}, .op = multi_in},
    {.rows = {{.name = "inject, b3 in several headers"}}, .op = multi_out},
    {.rows = {{.name = "extract, uber-trace-id"}}, .op = jaeger_in},
    {.rows = {{.name = "inject, uber-trace-id"}}, .op = jaeger_out},
    BAGGAGE("1 member", "extract", one_in),
    BAGGAGE("1 member", "inject", one_out),
    BAGGAGE("16 members", "extract", sixteen_in),
    BAGGAGE("16 members", "inject", sixteen_out),
    BAGGAGE("64 members", "extract", most_in),
    BAGGAGE("64 members", "inject", most_out),
    {.op = NULL},
};

const struct room propagate_room = {.name = "headers", .begin = begin, .subjects = subjects, .end = end};
