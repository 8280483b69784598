/* The entry `ot` of a tracestate (trace/tracestate-handling.md). */
#include "sampling.h"
#include "trace/ot.h"

static struct wh__ot read_ot(const char *value)
{
    static char list[1024];
    struct wh__ot ot;
    snprintf(list, sizeof list, "ot=%s,other=1", value);
    wh__ot_read(list, &ot);
    return ot;
}

static void thresholds_have_1_to_14_hex_digits_and_implied_zeros(void **state)
{
    (void)state;
    static const struct { const char *value; bool is; uint64_t threshold; } rows[] = {
        {"th:0", true, 0}, {"th:8", true, UINT64_C(0x80000000000000)}, {"th:c", true, UINT64_C(0xc0000000000000)},
        {"th:fff9724", true, UINT64_C(0xfff97240000000)}, {"th:ffffffffffffff", true, UINT64_C(0xffffffffffffff)},
        {"th:00000000000001", true, 1}, {"th:", false, 0}, {"th:8000000000000000", false, 0}, {"th:123456789012345", false, 0},
        {"th:F", false, 0}, {"th:g", false, 0}, {"th:-1", false, 0}, {"th:0.8", false, 0}, {"rv:00000000000000", false, 0},
        {"p:3", false, 0}, {"xth:8", false, 0}, {"a:1;th:8;b:2", true, UINT64_C(0x80000000000000)},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct wh__ot ot = read_ot(rows[i].value);
        if (ot.has_threshold != rows[i].is || (ot.has_threshold && ot.threshold != rows[i].threshold)) fail_msg("%s", rows[i].value);
    }
}

static void randomness_has_exactly_14_hex_digits(void **state)
{
    (void)state;
    static const struct { const char *value; bool is; uint64_t randomness; } rows[] = {
        {"rv:6e6d1a75832a2f", true, UINT64_C(0x6e6d1a75832a2f)}, {"rv:00000000000000", true, 0}, {"rv:6e6d1a75832a2", false, 0},
        {"rv:6e6d1a75832a2f0", false, 0}, {"rv:6E6D1A75832A2F", false, 0}, {"rv:", false, 0}, {"th:6e6d1a75832a2f", false, 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct wh__ot ot = read_ot(rows[i].value);
        if (ot.has_randomness != rows[i].is || (ot.has_randomness && ot.randomness != rows[i].randomness)) fail_msg("%s", rows[i].value);
    }
}

#define X64 "x123456789012345678901234567890123456789012345678901234567890123"

static void an_entry_that_breaks_a_rule_counts_as_empty(void **state)
{
    (void)state;
    static const char *const rows[] = {"th:8;", ";th:8", "th:8;;a:1", "th", ":8", "th:8;Ab:1", "th:8;1a:1", "th:8;a_:1", "th:8;a:b:c", "th:8;a:/",
        "th:8;th:8", "a:1;th:8;a:2", "th:8 ;a:1"};
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct wh__ot ot = read_ot(rows[i]);
        if (!ot.broken || ot.has_threshold || ot.has_randomness || ot.value.len) fail_msg("%s", rows[i]);
    }
    assert_false(read_ot("th:8;a:" X64 X64 X64 "12345678901234567890123456789012345678901234567890123").broken); /* 252 */
    struct wh__ot ot;
    wh__ot_read("other=1", &ot);
    assert_false(ot.broken || ot.has_threshold);
    wh__ot_read(NULL, &ot);
    assert_false(ot.broken || ot.has_threshold);
}

static const char *write_ot(const char *tracestate, uint64_t threshold, const uint64_t *randomness)
{
    static char room[WH_TRACESTATE_SIZE];
    char *scratch = room;
    size_t size = sizeof room;
    struct wh__ot ot;
    wh__ot_read(tracestate, &ot);
    const char *written = wh__ot_write(tracestate, &ot, threshold, randomness, &scratch, &size);
    assert_true(written == tracestate || (written == room && scratch == room + strlen(room) + 1 && size == sizeof room - strlen(room) - 1));
    return written ? written : "";
}

static void a_threshold_is_set_in_front_and_all_else_is_kept(void **state)
{
    (void)state;
    static const struct { const char *tracestate; uint64_t threshold; const char *is; } rows[] = {
        {NULL, 0, "ot=th:0"}, {"", UINT64_C(0x80000000000000), "ot=th:8"}, {"a=1", UINT64_C(0xfff97240000000), "ot=th:fff9724,a=1"},
        {"a=1,ot=th:8", UINT64_C(0xc0000000000000), "ot=th:c,a=1"}, {"ot=p:1;th:8;rv:6e6d1a75832a2f;x:-._Z", 1, "ot=th:00000000000001;p:1;rv:6e6d1a75832a2f;x:-._Z"},
        {"ot=th:XYZ;a:", 0, "ot=th:0;a:"}, {"ot=th:8;th:4;a:1", 0, "ot=th:0"}, {"b=2,ot=th:8", UINT64_C(0x80000000000000), "b=2,ot=th:8"},
        {"a=1,ot=th:80", UINT64_C(0x80000000000000), "a=1,ot=th:80"}, /* the same: nothing is touched */
    };
    for (size_t i = 0; i < COUNT(rows); i++) assert_string_equal(write_ot(rows[i].tracestate, rows[i].threshold, NULL), rows[i].is);
}

static void a_threshold_is_removed_and_all_else_is_kept(void **state)
{
    (void)state;
    static const struct { const char *tracestate, *is; } rows[] = {
        {NULL, ""}, {"a=1", "a=1"}, {"a=1,ot=th:8", "a=1"}, {"ot=th:8", ""}, {"a=1,ot=th:8;rv:6e6d1a75832a2f", "ot=rv:6e6d1a75832a2f,a=1"},
        {"a=1,ot=rv:6e6d1a75832a2f;p:1", "a=1,ot=rv:6e6d1a75832a2f;p:1"}, {"ot=p:1;th:8;q:2", "ot=p:1;q:2"}, {"ot=th:X,a=1", "a=1"},
        {"ot=th:8;th:4,a=1", "a=1"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) assert_string_equal(write_ot(rows[i].tracestate, WH_NO_THRESHOLD, NULL), rows[i].is);
}

static void randomness_is_added_and_never_replaced(void **state)
{
    (void)state;
    const uint64_t randomness = 0x1f;
    assert_string_equal(write_ot("a=1", 0, &randomness), "ot=th:0;rv:0000000000001f,a=1");
    assert_string_equal(write_ot(NULL, WH_NO_THRESHOLD, &randomness), "ot=rv:0000000000001f");
    assert_string_equal(write_ot("ot=rv:6e6d1a75832a2f", 0, &randomness), "ot=th:0;rv:6e6d1a75832a2f");
}

static void over_256_characters_it_stays_as_it_was_and_that_is_said(void **state)
{
    (void)state;
    char full[300] = "ot=a:";
    memset(full + 5, 'x', 254 - 5);
    strcpy(full + 254, ",b=2"); /* ot has 251 characters: th:8 fits, th:fff does not */
    begin_listening();
    char fits[sizeof full + 8];
    snprintf(fits, sizeof fits, "ot=th:8;%s", full + 3);
    assert_string_equal(write_ot(full, UINT64_C(0x80000000000000), NULL), fits);
    assert_int_equal(said, 0);
    assert_string_equal(write_ot(full, UINT64_C(0xfff00000000000), NULL), full);
    assert_string_equal(write_ot(full, UINT64_C(0xfff00000000000), NULL), full);
    assert_int_equal(end_listening(), 1);
    assert_non_null(strstr(said_last, "256"));
}

static void without_scratch_room_it_stays_as_it_was(void **state)
{
    (void)state;
    char room[8], *scratch = room;
    for (size_t size = 0; size < sizeof room; size++) {
        struct wh__ot ot;
        size_t left = size;
        wh__ot_read("a=1", &ot);
        const char *written = wh__ot_write("a=1", &ot, 0, NULL, &scratch, &left);
        assert_string_equal(written, "a=1");
        assert_int_equal(left, size);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(thresholds_have_1_to_14_hex_digits_and_implied_zeros),
        cmocka_unit_test(randomness_has_exactly_14_hex_digits),
        cmocka_unit_test(an_entry_that_breaks_a_rule_counts_as_empty),
        cmocka_unit_test(a_threshold_is_set_in_front_and_all_else_is_kept),
        cmocka_unit_test(a_threshold_is_removed_and_all_else_is_kept),
        cmocka_unit_test(randomness_is_added_and_never_replaced),
        cmocka_unit_test(over_256_characters_it_stays_as_it_was_and_that_is_said),
        cmocka_unit_test(without_scratch_room_it_stays_as_it_was),
    };
    return cmocka_run_group_tests_name("sampler_ot", tests, NULL, NULL);
}
