/* Baggage in contexts: OpenTelemetry, baggage/api.md. */
#include "carrier.h"

#include <errno.h>

#include "gate.h"

static unsigned said;

static void hear(enum wh_severity severity, const char *line, void *arg)
{
    (void)severity, (void)line, (void)arg;
    said++;
}

static size_t count(const wh_ctx *ctx)
{
    struct wh_baggage_member member;
    size_t count = 0;
    while (wh_baggage_at(ctx, count, &member)) count++;
    return count;
}

static void a_member_is_seen_by_what_is_derived(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *with = wh_with_baggage(NULL, "tenant", "blue");
    WH_AUTO wh_ctx *below = wh_with_cancel(with);
    WH_AUTO wh_ctx *away = wh_detach(below);
    assert_string_equal(wh_baggage(with, "tenant"), "blue");
    assert_string_equal(wh_baggage(below, "tenant"), "blue");
    assert_string_equal(wh_baggage(away, "tenant"), "blue");
    assert_null(wh_baggage(wh_background(), "tenant"));
    assert_null(wh_baggage(with, "other"));
    assert_null(wh_baggage(with, NULL));
}

static void it_never_changes(void **state)
{
    (void)state;
    char value[] = "blue";
    WH_AUTO wh_ctx *first = wh_with_baggage(NULL, "tenant", value);
    value[0] = 'X';
    WH_AUTO wh_ctx *second = wh_with_baggage(first, "tenant", "red");
    WH_AUTO wh_ctx *third = wh_with_baggage(second, "user", "u1");
    assert_string_equal(wh_baggage(first, "tenant"), "blue");
    assert_string_equal(wh_baggage(second, "tenant"), "red");
    assert_string_equal(wh_baggage(third, "tenant"), "red");
    assert_null(wh_baggage(second, "user"));
}

static void of_one_name_there_is_one_value_the_new_one(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *a = wh_with_baggage(NULL, "a", "1", .metadata = "old");
    WH_AUTO wh_ctx *b = wh_with_baggage(a, "b", "2");
    WH_AUTO wh_ctx *c = wh_with_baggage(b, "a", "3");
    struct wh_baggage_member member;
    assert_int_equal(count(c), 2);
    assert_true(wh_find_baggage(c, "a", &member));
    assert_string_equal(member.value, "3");
    assert_null(member.metadata);
}

static void names_are_case_sensitive(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *a = wh_with_baggage(NULL, "Key", "1");
    WH_AUTO wh_ctx *b = wh_with_baggage(a, "key", "2");
    assert_string_equal(wh_baggage(b, "Key"), "1");
    assert_string_equal(wh_baggage(b, "key"), "2");
    assert_null(wh_baggage(b, "KEY"));
}

static void names_and_values_are_any_utf8(void **state)
{
    (void)state;
    static const char *const names[] = {"a", " ", "with blank", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", ",;=\"%", "\n"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        WH_AUTO wh_ctx *ctx = wh_with_baggage(NULL, names[i], names[i]);
        assert_string_equal(wh_baggage(ctx, names[i]), names[i]);
    }
    WH_AUTO wh_ctx *empty = wh_with_baggage(NULL, "a", "");
    assert_string_equal(wh_baggage(empty, "a"), "");
    WH_AUTO wh_ctx *null = wh_with_baggage(NULL, "a", NULL);
    assert_string_equal(wh_baggage(null, "a"), "");
}

static void what_is_no_utf8_or_has_no_name_is_not_added_and_that_is_said_once(void **state)
{
    (void)state;
    said = 0;
    wh_report_to(hear, NULL);
    WH_AUTO wh_ctx *parent = wh_with_baggage(NULL, "kept", "1");
    WH_AUTO wh_ctx *a = wh_with_baggage(parent, "", "v"), *b = wh_with_baggage(parent, NULL, "v"), *c = wh_with_baggage(parent, "\xff", "v"),
                   *d = wh_with_baggage(parent, "n", "\xc3"), *e = wh_with_baggage(parent, "n", "v", .metadata = "\x80");
    const wh_ctx *const all[] = {a, b, c, d, e};
    wh_report_to(NULL, NULL);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(count(all[i]), 1);
        assert_string_equal(wh_baggage(all[i], "kept"), "1");
        assert_int_equal(wh_err(all[i]), 0);
    }
    assert_int_equal(said, 1);
}

static void metadata_is_one_opaque_text(void **state)
{
    (void)state;
    struct wh_baggage_member member;
    WH_AUTO wh_ctx *ctx = wh_with_baggage(NULL, "a", "1", .metadata = "ttl=30;sealed");
    WH_AUTO wh_ctx *none = wh_with_baggage(ctx, "b", "2", .metadata = "");
    assert_true(wh_find_baggage(none, "a", &member));
    assert_string_equal(member.metadata, "ttl=30;sealed");
    assert_true(wh_find_baggage(none, "b", &member));
    assert_null(member.metadata);
    member.name = "untouched";
    assert_false(wh_find_baggage(none, "c", &member));
    assert_string_equal(member.name, "untouched");
}

static void all_members_in_the_order_in_which_they_were_set(void **state)
{
    (void)state;
    struct wh_baggage_member member;
    WH_AUTO wh_ctx *a = wh_with_baggage(NULL, "z", "1"), *b = wh_with_baggage(a, "a", "2"), *c = wh_with_baggage(b, "m", "3"),
                   *d = wh_with_baggage(c, "z", "4");
    static const char *const names[] = {"z", "a", "m"}, *const values[] = {"4", "2", "3"};
    for (size_t i = 0; i < 3; i++) {
        assert_true(wh_baggage_at(d, i, &member));
        assert_string_equal(member.name, names[i]);
        assert_string_equal(member.value, values[i]);
    }
    assert_false(wh_baggage_at(d, 3, &member));
    assert_false(wh_baggage_at(NULL, 0, &member));
}

static void a_member_can_be_taken_out(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *a = wh_with_baggage(NULL, "a", "1"), *b = wh_with_baggage(a, "b", "2"), *c = wh_without_baggage(b, "a"),
                   *d = wh_without_baggage(c, "not there"), *e = wh_without_baggage(d, "b"), *f = wh_without_baggage(e, NULL);
    assert_null(wh_baggage(c, "a"));
    assert_string_equal(wh_baggage(c, "b"), "2");
    assert_int_equal(count(d), 1);
    assert_int_equal(count(e), 0);
    assert_int_equal(count(f), 0);
    assert_string_equal(wh_baggage(b, "a"), "1");
}

static void all_can_be_cleared(void **state)
{
    (void)state;
    struct carrier carrier = {0};
    WH_AUTO wh_ctx *a = wh_with_baggage(NULL, "a", "1"), *b = wh_clear_baggage(a), *c = wh_clear_baggage(wh_background()),
                   *again = wh_with_baggage(b, "n", "2");
    assert_int_equal(count(b), 0);
    assert_null(wh_baggage(b, "a"));
    assert_int_equal(count(c), 0);
    assert_int_equal(count(again), 1);
    wh_inject(b, carrier_set, &carrier);
    assert_int_equal(carrier.count, 0);
}

/* It is there for whoever has no provider, and says nothing of spans. */
static void it_works_without_a_provider_and_without_a_span(void **state)
{
    (void)state;
    struct carrier carrier = {0};
    WH_AUTO wh_ctx *a = wh_with_baggage(NULL, "a", "1");
    wh_inject(a, carrier_set, &carrier);
    assert_int_equal(carrier.count, 1);
    WH_AUTO wh_ctx *from = wh_extract(NULL, carrier_get, &carrier);
    assert_string_equal(wh_baggage(from, "a"), "1");
    carrier_clear(&carrier);
}

static wh_ctx *with_many(size_t members, size_t value_len)
{
    char name[16], *value = malloc(value_len + 1);
    memset(value, 'v', value_len);
    value[value_len] = '\0';
    wh_ctx *ctx = wh_with_cancel(NULL);
    for (size_t i = 0; i < members; i++) {
        snprintf(name, sizeof name, "n%zu", i);
        ctx = wh_take_over(wh_with_baggage(ctx, name, value), ctx);
    }
    free(value);
    return ctx;
}

static void there_are_at_most_64_members_and_8192_bytes(void **state)
{
    (void)state;
    said = 0;
    wh_report_to(hear, NULL);
    WH_AUTO wh_ctx *members = with_many(70, 1), *bytes = with_many(10, 1000), *replaced = wh_with_baggage(members, "n63", "other");
    wh_report_to(NULL, NULL);
    assert_int_equal(count(members), 64);
    assert_int_equal(count(bytes), 8);
    assert_string_equal(wh_baggage(replaced, "n63"), "other");
    assert_int_equal(said, 1);
}

/* Whatever fails, the parent's is as it was, and the result is a context. */
static void without_memory_it_is_done(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *parent = wh_with_baggage(NULL, "a", "1");
    memory_ends_after(0);
    wh_ctx *with = wh_with_baggage(parent, "b", "2");
    assert_true(memory_is_back());
    assert_ptr_equal(wh_cause(with), WH_NO_MEMORY);
    wh_end(with);
    assert_string_equal(wh_baggage(parent, "a"), "1");
}

static void an_older_caller_knows_no_metadata(void **state)
{
    (void)state;
    struct wh_baggage_member member;
    const struct wh_baggage_opts opts = {.size = offsetof(struct wh_baggage_opts, metadata), .name = "a", .value = "1", .metadata = "never seen"};
    WH_AUTO wh_ctx *ctx = wh_with_baggage_of(NULL, &opts);
    assert_true(wh_find_baggage(ctx, "a", &member));
    assert_null(member.metadata);
}

static void it_is_not_copied_to_spans(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    WH_AUTO wh_ctx *with = wh_with_baggage(spans.root, "tenant", "blue");
    wh_ctx *span = wh_start(with, "span");
    assert_string_equal(wh_baggage(span, "tenant"), "blue");
    wh_end(span);
    const struct wh_span_view view = span_named(&spans, "span");
    assert_false(span_has(&view, "tenant"));
    wh_end(with);
    with = NULL;
    spans_end(&spans);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_member_is_seen_by_what_is_derived),
        cmocka_unit_test(it_never_changes),
        cmocka_unit_test(of_one_name_there_is_one_value_the_new_one),
        cmocka_unit_test(names_are_case_sensitive),
        cmocka_unit_test(names_and_values_are_any_utf8),
        cmocka_unit_test(what_is_no_utf8_or_has_no_name_is_not_added_and_that_is_said_once),
        cmocka_unit_test(metadata_is_one_opaque_text),
        cmocka_unit_test(all_members_in_the_order_in_which_they_were_set),
        cmocka_unit_test(a_member_can_be_taken_out),
        cmocka_unit_test(all_can_be_cleared),
        cmocka_unit_test(it_works_without_a_provider_and_without_a_span),
        cmocka_unit_test(there_are_at_most_64_members_and_8192_bytes),
        cmocka_unit_test(without_memory_it_is_done),
        cmocka_unit_test(an_older_caller_knows_no_metadata),
        cmocka_unit_test(it_is_not_copied_to_spans),
    };
    return cmocka_run_group_tests_name("baggage", tests, NULL, NULL);
}
