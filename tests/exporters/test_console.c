/* The console: what is drawn of scenes, against the drawings in golden/, and of real spans. */
#include "drawing.h"
#include "exporters/sheet.h"
#include "test.h"

/* ---- scenes ---- */

static void all_is_well(void **state)
{
    (void)state;
    compare_both(&scene_well);
}

static void a_client_hangs_up_on_three_services(void **state)
{
    (void)state;
    compare_both(&scene_client_gone);
    compare("client_gone.utf8.100", draw_on_paper(&scene_client_gone, "C.UTF-8", NULL));
    compare("client_gone.utf8.80", draw_on_paper(&scene_client_gone, "C.UTF-8", "80"));
    compare("client_gone.ascii.120", draw_on_paper(&scene_client_gone, "C", "120"));
    compare("client_gone.utf8.60", draw_on_paper(&scene_client_gone, "C.UTF-8", "60"));
    compare("client_gone.ascii.60", draw_on_paper(&scene_client_gone, "POSIX", "20"));
}

static void a_deadline_fires_and_stops_those_below(void **state)
{
    (void)state;
    compare_both(&scene_deadline);
}

static void an_inner_deadline_fires(void **state)
{
    (void)state;
    compare_both(&scene_inner_deadline);
}

static void one_fails_and_its_sibling_is_stopped(void **state)
{
    (void)state;
    compare_both(&scene_sibling);
}

static void a_status_code_says_what_it_is(void **state)
{
    (void)state;
    const char *text = draw_on_paper(&scene_bad_gateway, "C.UTF-8", "100");
    assert_int_equal(strncmp(text, "✗ HTTP 502  6 ms", strlen("✗ HTTP 502  6 ms")), 0);
    assert_non_null(strstr(text, "✗ HTTP 502: no price\n"));
    assert_non_null(strstr(text, "✗ HTTP 502\n"));
    assert_non_null(strstr(text, "✗ 23505: duplicate key\n"));
    text = draw_on_paper(&scene_bad_gateway, "C", "100");
    assert_int_equal(strncmp(text, "failed: HTTP 502  6 ms", 22), 0);
}

static void a_job_does_not_listen(void **state)
{
    (void)state;
    compare_both(&scene_overrun);
}

static void the_origin_is_a_caller_that_is_not_here(void **state)
{
    (void)state;
    compare_both(&scene_remote_origin);
}

static void parents_are_missing(void **state)
{
    (void)state;
    compare_both(&scene_orphans);
}

/* ---- durations ---- */

static void durations_are_short_and_have_a_unit(void **state)
{
    (void)state;
    const struct { int64_t ns; const char *text; } known[] = {
        {0, "0 ns"}, {999, "999 ns"}, {1000, "1 us"}, {41234567, "41.2 ms"}, {-1500, "-1.5 us"}, {99949999, "99.9 ms"},
        {WH_SEC(60), "1 min"}, {WH_NEVER, "never"}, {INT64_MIN, "-2562048 h"},
    };
    char text[WH__DURATION_SIZE];
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        assert_int_equal(wh__duration_text(text, known[i].ns), strlen(known[i].text));
        assert_string_equal(text, known[i].text);
    }
}

/* ---- real spans ---- */

static void real_spans_say_why_they_stopped(void **state)
{
    (void)state;
    FILE *out = tmpfile();
    set_environment("C.UTF-8", "100");
    struct wh_exporter *console = wh_console_exporter_new(out);
    wh_provider *provider = wh_provider_new(.service = "orders", .exporters = &console, .exporter_count = 1);
    wh_ctx *root = wh_provider_root(provider);
    {
        WH_AUTO wh_ctx *order = wh_start(root, "GET /order", .kind = WH_SERVER, .timeout = WH_SEC(10));
        WH_AUTO wh_ctx *stock = wh_start(order, "reserve stock");
        assert_true(wh_cancel(order, WH_CLIENT_GONE, "connection reset"));
        assert_int_equal(wh_wait(wh_background(), WH_MS(3)), 0); /* does not listen */
    }
    wh_end(root);
    assert_int_equal(wh_provider_shutdown(provider, WH_SEC(10)), 0);
    const char *text = read_back(out);
    assert_non_null(strstr(text, "⊘ client_gone  "));
    assert_non_null(strstr(text, "2 spans of orders"));
    assert_non_null(strstr(text, "⊘ client_gone \"connection reset\", began here,"));
    assert_non_null(strstr(text, "at test_console.c:"));
    assert_non_null(strstr(text, "⊘ client_gone, by «GET /order»; ran on "));
    assert_non_null(strstr(text, "deadline 10 s, "));
    assert_non_null(strstr(text, "┃▒"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_is_well),
        cmocka_unit_test(a_client_hangs_up_on_three_services),
        cmocka_unit_test(a_deadline_fires_and_stops_those_below),
        cmocka_unit_test(an_inner_deadline_fires),
        cmocka_unit_test(one_fails_and_its_sibling_is_stopped),
        cmocka_unit_test(a_status_code_says_what_it_is),
        cmocka_unit_test(a_job_does_not_listen),
        cmocka_unit_test(the_origin_is_a_caller_that_is_not_here),
        cmocka_unit_test(parents_are_missing),
        cmocka_unit_test(durations_are_short_and_have_a_unit),
        cmocka_unit_test(real_spans_say_why_they_stopped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) + goldens_written;
}
