/* In and out of a carrier. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "test.h"

/* ---- a carrier ---- */

enum { FIELDS = 8 };

struct carrier {
    struct {
        char name[32];
        char *value;
    } fields[FIELDS];
    int count;
};

static const char *get(void *arg, const char *name)
{
    const struct carrier *carrier = arg;
    for (int i = 0; i < carrier->count; i++)
        if (strcasecmp(carrier->fields[i].name, name) == 0) return carrier->fields[i].value;
    return NULL;
}

static void set(void *arg, const char *name, const char *value)
{
    struct carrier *carrier = arg;
    assert_in_range(carrier->count, 0, FIELDS - 1);
    snprintf(carrier->fields[carrier->count].name, sizeof carrier->fields->name, "%s", name);
    carrier->fields[carrier->count++].value = strdup(value);
}

static void clear(struct carrier *carrier)
{
    while (carrier->count) free(carrier->fields[--carrier->count].value);
}

/* ---- tests ---- */

static void T154_round_trip(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    struct carrier carrier = {0}, onward = {0};
    struct wh_span_context out, in;
    WH_AUTO wh_ctx *with_id = wh_with_request_id(spans.root, "order-17");
    wh_ctx *client = wh_start(with_id, "client", .kind = WH_CLIENT, .timeout = WH_SEC(2));
    wh_inject(client, set, &carrier);
    wh_span_of(client, &out);
    wh_ctx *from = wh_extract(spans.root, get, &carrier);
    assert_true(wh_span_of(from, &in));
    assert_memory_equal(in.trace_id, out.trace_id, 16);
    assert_memory_equal(in.span_id, out.span_id, 8);
    assert_int_equal(in.flags, out.flags);
    assert_true(in.remote);
    assert_string_equal(wh_request_id(from), "order-17");
    assert_true(wh_remaining(from) <= WH_SEC(2) + WH_MS(1));
    assert_true(wh_remaining(from) > WH_SEC(1));
    wh_ctx *server = wh_start(from, "server", .kind = WH_SERVER);
    assert_string_equal(wh_request_id(server), "order-17");
    wh_inject(server, set, &onward);
    assert_non_null(get(&onward, "whence-timeout"));
    wh_end(server);
    wh_end(from);
    wh_end(client);
    const struct wh_span_view c = span_named(&spans, "client"), s = span_named(&spans, "server");
    assert_memory_equal(s.parent_span_id, c.span_id, 8);
    assert_int_equal(s.flags & 0x300, 0x300);
    assert_int_equal(c.flags & 0x300, 0x100);
    clear(&carrier);
    clear(&onward);
    spans_end(&spans);
}

static void tracestate_goes_on(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    struct carrier carrier = {0}, onward = {0};
    set(&carrier, "Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03");
    set(&carrier, "TraceState", "congo=t61rcWkgMzE , rojo=00f067aa0ba902b7");
    wh_ctx *from = wh_extract(spans.root, get, &carrier);
    wh_ctx *server = wh_start(from, "server");
    wh_ctx *client = wh_start(server, "client");
    wh_inject(client, set, &onward);
    assert_string_equal(get(&onward, "tracestate"), "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7");
    assert_memory_equal(get(&onward, "traceparent"), "00-0af7651916cd43dd8448eb211c80319c-", 36);
    assert_string_equal(get(&onward, "traceparent") + 53, "03");
    wh_end(from);
    wh_end(server); /* its ids and its tracestate outlive the node that brought them */
    clear(&onward);
    wh_inject(client, set, &onward);
    assert_string_equal(get(&onward, "tracestate"), "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7");
    wh_end(client);
    const struct wh_span_view view = span_named(&spans, "client");
    assert_int_equal(view.tracestate.len, strlen("congo=t61rcWkgMzE,rojo=00f067aa0ba902b7"));
    clear(&carrier);
    clear(&onward);
    spans_end(&spans);
}

/* One bad field does not make another worse, and a tracestate alone says nothing. */
static void each_field_for_itself(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    struct wh_span_context span;
    struct carrier carrier = {0};
    set(&carrier, "traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    set(&carrier, "tracestate", "foo=1,=2");
    set(&carrier, "x-request-id", "has a blank");
    set(&carrier, "whence-timeout", "soon");
    set(&carrier, "grpc-timeout", "5S");
    {
        WH_AUTO wh_ctx *from = wh_extract(spans.root, get, &carrier);
        assert_true(wh_span_of(from, &span));
        assert_null(span.tracestate);
        assert_null(wh_request_id(from));
        assert_true(wh_remaining(from) <= WH_SEC(5) && wh_remaining(from) > WH_SEC(3));
    }
    clear(&carrier);
    set(&carrier, "traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0");
    set(&carrier, "tracestate", "foo=1");
    set(&carrier, "x-request-id", "still-there");
    {
        WH_AUTO wh_ctx *from = wh_extract(spans.root, get, &carrier);
        assert_false(wh_span_of(from, &span));
        assert_string_equal(wh_request_id(from), "still-there");
        assert_int_equal(wh_remaining(from), WH_NEVER);
        WH_AUTO wh_ctx *server = wh_start(from, "server");
        assert_true(wh_span_of(server, &span));
        assert_null(span.tracestate);
    }
    clear(&carrier);
    spans_end(&spans);
}

static void nothing_in_nothing_out(void **state)
{
    (void)state;
    struct carrier carrier = {0};
    WH_AUTO wh_ctx *from = wh_extract(NULL, get, &carrier);
    assert_int_equal(wh_err(from), 0);
    wh_inject(from, set, &carrier);
    wh_inject(NULL, set, &carrier);
    assert_int_equal(carrier.count, 0);
}

/* trace/api.md: without an SDK what came in goes on. */
static void without_a_provider_it_passes_through(void **state)
{
    (void)state;
    struct carrier carrier = {0}, onward = {0};
    set(&carrier, "traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    set(&carrier, "tracestate", "a=1");
    set(&carrier, "x-request-id", "r1");
    WH_AUTO wh_ctx *from = wh_extract(NULL, get, &carrier);
    WH_AUTO wh_ctx *span = wh_start(from, "not recorded", .kind = WH_SERVER);
    wh_set(span, "ignored", 1);
    wh_inject(span, set, &onward);
    assert_string_equal(get(&onward, "traceparent"), get(&carrier, "traceparent"));
    assert_string_equal(get(&onward, "tracestate"), "a=1");
    assert_string_equal(get(&onward, "x-request-id"), "r1");
    clear(&carrier);
    clear(&onward);
}

/* T150: what remains never grows from hop to hop. No clocks are compared: there is nothing on the wire but a duration. */
static void T150_the_budget_shrinks(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *first = wh_with_timeout(NULL, WH_SEC(10));
    const wh_ctx *ctx = first;
    wh_ctx *hops[20];
    int64_t left = wh_remaining(ctx);
    for (int i = 0; i < 20; i++) {
        struct carrier carrier = {0};
        wh_inject(ctx, set, &carrier);
        ctx = hops[i] = wh_extract(NULL, get, &carrier);
        clear(&carrier);
        const int64_t now_left = wh_remaining(ctx);
        assert_true(now_left <= left + WH_US(1)); /* rounded up to the microsecond */
        left = now_left;
    }
    for (int i = 0; i < 20; i++) wh_end(hops[i]);
    WH_AUTO wh_ctx *late = wh_with_timeout(NULL, -1);
    struct carrier carrier = {0};
    wh_inject(late, set, &carrier);
    assert_string_equal(get(&carrier, "whence-timeout"), "1n");
    WH_AUTO wh_ctx *too_late = wh_extract(NULL, get, &carrier);
    assert_int_equal(wh_wait(too_late, WH_SEC(5)), ETIMEDOUT);
    clear(&carrier);
}

static void the_smaller_deadline_holds(void **state)
{
    (void)state;
    struct carrier carrier = {0};
    set(&carrier, "whence-timeout", "10S");
    WH_AUTO wh_ctx *own = wh_with_timeout(NULL, WH_SEC(1));
    WH_AUTO wh_ctx *from = wh_extract(own, get, &carrier);
    assert_int_equal(wh_deadline(from), wh_deadline(own));
    clear(&carrier);
}

static void request_ids(void **state)
{
    (void)state;
    char long_id[300];
    memset(long_id, 'r', sizeof long_id - 1);
    long_id[sizeof long_id - 1] = '\0';
    static const char *const replaced[] = {"", "tab\there", "new\nline", "b\xc3\xa4r", " lead", "\x7f"};
    for (size_t i = 0; i < sizeof replaced / sizeof *replaced; i++) {
        WH_AUTO wh_ctx *ctx = wh_with_request_id(NULL, replaced[i]);
        assert_int_equal(strlen(wh_request_id(ctx)), 32);
        assert_int_equal(strspn(wh_request_id(ctx), "0123456789abcdef"), 32);
    }
    WH_AUTO wh_ctx *a = wh_with_request_id(NULL, NULL), *b = wh_with_request_id(a, NULL), *c = wh_with_request_id(b, long_id);
    assert_string_not_equal(wh_request_id(a), wh_request_id(b));
    assert_int_equal(strlen(wh_request_id(c)), 128);
    assert_null(wh_request_id(wh_background()));
    struct carrier carrier = {0};
    set(&carrier, "x-request-id", long_id);
    WH_AUTO wh_ctx *from = wh_extract(NULL, get, &carrier);
    assert_null(wh_request_id(from)); /* a stranger's is taken whole or not at all */
    clear(&carrier);
}

static int allocations;

static bool count_allocations(size_t size)
{
    (void)size;
    allocations++;
    return true;
}

/* Headers of 1 MB, full of anything: no memory grows, and the request goes on. */
static void hostile_headers(void **state)
{
    (void)state;
    static const char *const names[] = {"traceparent", "tracestate", "x-request-id", "whence-timeout", "grpc-timeout"};
    static const char fill[] = {'a', '0', '-', ',', '=', ' ', '\xff', 'f'};
    char *huge = malloc((1 << 20) + 1);
    assert_non_null(huge);
    wh_end(wh_extract(NULL, get, &(struct carrier){0})); /* whatever the first use needs */
    for (size_t i = 0; i < sizeof fill; i++) {
        memset(huge, fill[i], 1 << 20);
        huge[1 << 20] = '\0';
        struct carrier carrier = {0};
        for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
            snprintf(carrier.fields[n].name, sizeof carrier.fields->name, "%s", names[n]);
            carrier.fields[n].value = huge;
        }
        carrier.count = sizeof names / sizeof *names;
        allocations = 0;
        wh__mem_gate = count_allocations;
        wh_ctx *from = wh_extract(NULL, get, &carrier);
        wh__mem_gate = NULL;
        struct wh_span_context span;
        assert_false(wh_span_of(from, &span));
        assert_null(wh_request_id(from));
        assert_int_equal(wh_deadline(from), WH_NEVER);
        assert_int_equal(allocations, 0);
        wh_end(from);
    }
    memcpy(huge, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", 55);
    struct carrier carrier = {.fields = {{"traceparent", huge}}, .count = 1};
    WH_AUTO wh_ctx *from = wh_extract(NULL, get, &carrier);
    struct wh_span_context span;
    assert_false(wh_span_of(from, &span));
    free(huge);
}

static bool refuse(size_t size)
{
    (void)size;
    return false;
}

static void without_memory_it_is_done(void **state)
{
    (void)state;
    struct carrier carrier = {0};
    set(&carrier, "traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    set(&carrier, "tracestate", "a=1");
    set(&carrier, "x-request-id", "r1");
    wh__mem_gate = refuse;
    wh_ctx *all[3000];
    bool failed = false;
    for (int i = 0; i < 3000; i++) {
        all[i] = wh_extract(NULL, get, &carrier);
        failed |= wh_cause(all[i]) == WH_NO_MEMORY;
    }
    for (int i = 0; i < 3000; i++) wh_end(all[i]);
    wh__mem_gate = NULL;
    assert_true(failed);
    clear(&carrier);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(T154_round_trip),
        cmocka_unit_test(tracestate_goes_on),
        cmocka_unit_test(each_field_for_itself),
        cmocka_unit_test(nothing_in_nothing_out),
        cmocka_unit_test(without_a_provider_it_passes_through),
        cmocka_unit_test(T150_the_budget_shrinks),
        cmocka_unit_test(the_smaller_deadline_holds),
        cmocka_unit_test(request_ids),
        cmocka_unit_test(hostile_headers),
        cmocka_unit_test(without_memory_it_is_done),
    };
    return cmocka_run_group_tests_name("propagate", tests, NULL, NULL);
}
