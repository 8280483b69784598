/* When the console draws a trace: at once, after a quiet batch, at a flush; and who of two processes does. */
#include <poll.h>

#include "drawing.h"
#include "recorded.h"
#include "test.h"
#include "tools.h"

/* ---- spans that were sent ---- */

static void a_trace_of_this_process_alone_is_drawn_at_once(void **state)
{
    (void)state;
    struct paper paper = paper_begin();
    export_in(paper.console, child_and_root, 1, the_trace);
    assert_int_equal(paper_size(&paper), 0);
    export_in(paper.console, child_and_root + 1, 1, the_trace);
    assert_true(paper_size(&paper) > 0);
    assert_non_null(strstr(paper_end(&paper), "`- child"));
}

static void a_trace_with_a_remote_parent_waits_for_a_quiet_batch(void **state)
{
    (void)state;
    struct paper paper = paper_begin();
    export_in(paper.console, from_elsewhere, 1, the_trace);
    assert_int_equal(paper_size(&paper), 0);
    export_in(paper.console, child_and_root, 1, the_trace); /* news of it */
    assert_int_equal(paper_size(&paper), 0);
    export_in(paper.console, child_and_root, 1, "another trace id");
    assert_true(paper_size(&paper) > 0);
    assert_non_null(strstr(paper_end(&paper), "`- child"));
}

static void a_collector_waits_for_the_only_root(void **state)
{
    (void)state;
    struct paper paper = paper_begin();
    const struct span others[] = {{.service = "a", .id = 1, .name = "x"}, {.service = "b", .id = 1, .name = "x"}};
    export_in(paper.console, others, 1, "trace id no. one");
    export_in(paper.console, others + 1, 1, "trace id no. two");
    const long before = paper_size(&paper);
    export_in(paper.console, from_elsewhere, 1, the_trace);
    export_in(paper.console, others, 1, "trace no. three!");
    const long after = paper_size(&paper);
    assert_true(after > before); /* it, but not the other */
    const char *found = strstr(paper_end(&paper), "entry");
    assert_true(found && found > drawn + after);
}

static void a_trace_whose_root_never_comes_is_drawn_in_the_end(void **state)
{
    (void)state;
    struct paper paper = paper_begin();
    export_in(paper.console, child_and_root, 1, the_trace);
    for (int i = 0; i < 7; i++) export_in(paper.console, child_and_root, 1, "another trace id");
    assert_int_equal(paper_size(&paper), 0);
    export_in(paper.console, child_and_root, 1, "another trace id");
    assert_true(paper_size(&paper) > 0);
    assert_non_null(strstr(paper_end(&paper), "has not been seen"));
}

static void a_flush_draws_everything(void **state)
{
    (void)state;
    struct paper paper = paper_begin();
    export_in(paper.console, child_and_root, 1, the_trace);
    export_in(paper.console, from_elsewhere, 1, "another trace id");
    assert_int_equal(paper.console->flush(paper.console, WH_NEVER), 0);
    const long size = paper_size(&paper);
    assert_int_equal(paper.console->flush(paper.console, WH_NEVER), 0);
    assert_int_equal(paper_size(&paper), size);
    const char *text = paper_end(&paper);
    assert_non_null(strstr(text, "child"));
    assert_non_null(strstr(text, "entry"));
}

/* ---- spans of this process ---- */

static const char *header(void *carrier, const char *name)
{
    (void)carrier;
    return strcmp(name, "traceparent") == 0 ? "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01" : NULL;
}

/* A request that came from elsewhere and called elsewhere: nothing more of it comes to this process. */
static void a_request_is_drawn_when_it_has_ended(void **state)
{
    (void)state;
    struct channel channel = channel_open(0);
    wh_provider *provider = wh_provider_new(.service = "orders", .exporters = &channel.console, .exporter_count = 1,
        .schedule_delay = WH_MS(1));
    wh_ctx *root = wh_provider_root(provider), *from = wh_extract(root, header, NULL);
    wh_ctx *request = wh_start(from, "GET /order", .kind = WH_SERVER);
    wh_end(wh_start(request, "GET /price", .kind = WH_CLIENT));
    wh_end(request);
    struct pollfd begun = {.fd = channel.reader, .events = POLLIN};
    assert_int_equal(poll(&begun, 1, 20000), 1); /* without a flush */
    wh_end(from);
    wh_end(root);
    assert_int_equal(wh_provider_shutdown(provider, WH_SEC(10)), 0);
    channel_read(&channel);
    assert_non_null(strstr(drawn, "\nGET /order "));
    assert_non_null(strstr(drawn, "`- GET /price (client)"));
    assert_null(strstr(drawn, "has not been seen"));
    channel_close_ends(&channel);
}

/* ---- two processes ---- */

static void a_child_process_does_not_draw_what_its_parent_will(void **state)
{
    (void)state;
    struct paper paper = paper_begin();
    export_in(paper.console, from_elsewhere, 1, the_trace);
    const pid_t child = fork_clean();
    if (child == 0) {
        export_in(paper.console, child_and_root, 1, the_trace);
        paper.console->flush(paper.console, WH_NEVER);
        wh_exporter_free(paper.console);
        _exit(0);
    }
    assert_child_went_well(child);
    fseek(paper.out, 0, SEEK_END);
    const char *text = paper_end(&paper);
    const char *first = strstr(text, "child"), *second = strstr(text, "entry");
    assert_true(first && second && first < second);
    assert_null(strstr(second + 1, "entry"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_trace_of_this_process_alone_is_drawn_at_once),
        cmocka_unit_test(a_trace_with_a_remote_parent_waits_for_a_quiet_batch),
        cmocka_unit_test(a_collector_waits_for_the_only_root),
        cmocka_unit_test(a_trace_whose_root_never_comes_is_drawn_in_the_end),
        cmocka_unit_test(a_flush_draws_everything),
        cmocka_unit_test(a_request_is_drawn_when_it_has_ended),
        cmocka_unit_test(a_child_process_does_not_draw_what_its_parent_will),
    };
    return cmocka_run_group_tests(tests, set_plain_environment, NULL);
}
