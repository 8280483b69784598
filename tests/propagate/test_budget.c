/* What is left of a deadline, over many hops whose clocks have nothing to do with each other (T149, T150). */
#include "carrier.h"

#include "gate.h"
#include "propagate/headers.h"

/* ---- chance, the same every time ---- */

static uint64_t seed;

static uint64_t chance(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

/* From 1 to about 50 years, small ones as likely as large ones. */
static int64_t duration(void)
{
    const int64_t some = (int64_t)(chance() >> (3 + chance() % 60));
    return some < WH_SEC(1600000000) ? some + 1 : WH_SEC(1600000000);
}

/* ---- one hop ---- */

struct hop {
    int64_t left, sent; /* when it passes the request on: in truth, and as the wire says */
    int64_t step;       /* what that may have been rounded by */
};

static int64_t read_timeout(const char *field)
{
    int64_t ns = -1;
    assert_true(wh__timeout_read(field, &ns));
    return ns;
}

static int64_t step_of(const char *field)
{
    switch (field[strlen(field) - 1]) {
    case 'n': return 1;
    case 'u': return 1000;
    case 'm': return 1000000;
    case 'S': return WH_SEC(1);
    case 'M': return WH_SEC(60);
    default: return WH_SEC(3600);
    }
}

static const char *const ways[] = {"whence", "grpc", "grpc,whence", "whence,grpc"};

/* The service has a clock of its own, begun at any time, perhaps a limit of its own, and takes its time. */
static struct hop pass_on(struct carrier *carrier, bool limited)
{
    const char *before = carrier_get(carrier, "whence-timeout");
    if (!before) before = carrier_get(carrier, "grpc-timeout");
    const int64_t arrived = before ? read_timeout(before) : WH_NEVER;
    wh_clock *clock = wh_clock_new((int64_t)(chance() >> 2));
    wh_ctx *root = wh_with_clock(NULL, clock), *from = wh_extract(root, carrier_get, carrier);
    const int64_t limit = limited ? duration() : WH_NEVER, least = limit < arrived ? limit : arrived;
    wh_ctx *op = limited ? wh_with_timeout(from, limit) : wh_with_cancel(from);
    assert_int_equal(wh_remaining(op), least);
    const int64_t elapsed = chance() % 4 ? (int64_t)(chance() % (uint64_t)(least / 2 + 1)) : 0;
    wh_clock_advance(clock, elapsed);
    assert_int_equal(wh_remaining(op), least - elapsed);
    carrier_clear(carrier);
    wh_inject(op, carrier_set, carrier);
    const char *after = carrier_get(carrier, "whence-timeout");
    if (!after) after = carrier_get(carrier, "grpc-timeout");
    assert_non_null(after);
    const struct hop hop = {least - elapsed, read_timeout(after), step_of(after)};
    wh_end(op);
    wh_end(from);
    wh_end(root);
    wh_clock_free(clock);
    return hop;
}

static void T150_over_any_chain_the_budget_never_grows_and_is_never_short(void **state)
{
    (void)state;
    seed = 0x9e3779b97f4a7c15;
    for (int chain = 0; chain < 4000; chain++) {
        struct carrier carrier = {0};
        int64_t before = WH_NEVER;
        assert_int_equal(wh_set_propagators_named(ways[chain % 4]), 0);
        for (uint64_t i = 0, hops = 2 + chance() % 8; i < hops; i++) {
            const struct hop hop = pass_on(&carrier, i == 0 || chance() % 3 == 0);
            assert_true(hop.sent >= hop.left);           /* nobody is cut short by the wire */
            assert_true(hop.sent - hop.left < hop.step); /* nor given more than its grain */
            assert_true(hop.sent <= before);             /* and it never grows */
            before = hop.sent;
        }
        carrier_clear(&carrier);
    }
    assert_int_equal(wh_set_propagators_named(NULL), 0);
}

/* ---- both fields ---- */

static void of_both_fields_the_shorter_time_holds(void **state)
{
    (void)state;
    static const struct { const char *names, *whence, *grpc; int64_t ns; } rows[] = {
        {"whence", "5S", "3S", WH_SEC(3)}, {"whence", "3S", "5S", WH_SEC(3)}, {"whence", NULL, "3S", WH_SEC(3)},
        {"whence", "soon", "3S", WH_SEC(3)}, {"whence", "3S", "soon", WH_SEC(3)}, {"grpc", "1S", "3S", WH_SEC(3)},
        {"grpc", "1S", NULL, WH_NEVER}, {"grpc,whence", "5S", "3S", WH_SEC(3)}, {"whence,grpc", "3S", "5S", WH_SEC(3)},
        {"tracecontext", "3S", "5S", WH_NEVER}, {"whence", "99999999H", "1n", 1}, {"whence", "0n", "1S", 0},
    };
    wh_clock *clock = wh_clock_new(0);
    wh_ctx *root = wh_with_clock(NULL, clock);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct carrier in = {0};
        if (rows[i].whence) carrier_add(&in, "Whence-Timeout", rows[i].whence);
        if (rows[i].grpc) carrier_add(&in, "gRPC-Timeout", rows[i].grpc);
        assert_int_equal(wh_set_propagators_named(rows[i].names), 0);
        WH_AUTO wh_ctx *from = wh_extract(root, carrier_get, &in);
        if (wh_remaining(from) != rows[i].ns) fail_msg("row %zu", i);
        carrier_clear(&in);
    }
    assert_int_equal(wh_set_propagators_named(NULL), 0);
    wh_end(root);
    wh_clock_free(clock);
}

static void what_is_asked_for_is_written(void **state)
{
    (void)state;
    static const struct { const char *names; bool whence, grpc; } rows[] = {
        {NULL, true, false}, {"whence", true, false}, {"GRPC", false, true}, {"whence, grpc", true, true}, {"tracecontext", false, false},
    };
    WH_AUTO wh_ctx *op = wh_with_timeout(NULL, WH_SEC(100));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct carrier out = {0};
        assert_int_equal(wh_set_propagators_named(rows[i].names), 0);
        wh_inject(op, carrier_set, &out);
        assert_int_equal(carrier_get(&out, "whence-timeout") != NULL, rows[i].whence);
        assert_int_equal(carrier_get(&out, "grpc-timeout") != NULL, rows[i].grpc);
        carrier_clear(&out);
    }
    assert_string_equal(wh_grpc_propagator()->name, "grpc");
    assert_string_equal(wh_grpc_propagator()->fields[0], "grpc-timeout");
    assert_null(wh_grpc_propagator()->fields[1]);
    assert_int_equal(wh_set_propagators_named(NULL), 0);
}

/* Two lines say nothing, as everywhere. */
static void a_field_that_comes_twice_is_none(void **state)
{
    (void)state;
    struct carrier in = {0};
    carrier_add(&in, "grpc-timeout", "1S");
    carrier_add(&in, "grpc-timeout", "2S");
    WH_AUTO wh_ctx *from = wh_extract_with(NULL, wh_grpc_propagator(), &in_lines, &in);
    assert_int_equal(wh_remaining(from), WH_NEVER);
    carrier_clear(&in);
}

/* Each allocation fails in turn: a context that is done, or all of it. */
static void without_memory_there_is_no_more_time_than_with_it(void **state)
{
    (void)state;
    for (int nth = 1; nth < 6; nth++) {
        memory_fails_once_at((size_t)nth);
        wh_ctx *from = extract_one(wh_grpc_propagator(), "grpc-timeout", "1S");
        memory_is_back();
        assert_true(wh_cause(from) == WH_NO_MEMORY || wh_remaining(from) <= WH_SEC(1));
        wh_end(from);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(T150_over_any_chain_the_budget_never_grows_and_is_never_short),
        cmocka_unit_test(of_both_fields_the_shorter_time_holds),
        cmocka_unit_test(what_is_asked_for_is_written),
        cmocka_unit_test(a_field_that_comes_twice_is_none),
        cmocka_unit_test(without_memory_there_is_no_more_time_than_with_it),
    };
    return cmocka_run_group_tests_name("budget", tests, NULL, NULL);
}
