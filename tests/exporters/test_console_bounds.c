/* The console and more than there is room for: on the page, in a line, in what is kept, in memory. */
#include <errno.h>
#include <stdlib.h>

#include "drawing.h"
#include "gate.h"
#include "recorded.h"
#include "test.h"
#include "tools.h"

/* ---- many spans ---- */

static size_t lines_of(const char *text)
{
    size_t lines = 0;
    for (; *text; text++) lines += *text == '\n';
    return lines;
}

/* The root and what went wrong come last, and must be there. */
static void five_thousand_spans_are_bounded(void **state)
{
    (void)state;
    struct paper paper = paper_begin();
    struct span many[500];
    for (unsigned batch = 0; batch < 10; batch++) {
        for (unsigned i = 0; i < 500; i++)
            many[i] = (struct span){.id = 10 + batch * 500 + i, .parent = 2, .name = "scan shelf", .start = batch,
                .end = batch + 1};
        export_in(paper.console, many, batch == 9 ? 498 : 500, the_trace);
    }
    const struct span last[] = {{.id = 2, .parent = 1, .name = "scan all", .start = 0, .end = 11},
                                {.id = 1, .name = "GET /inventory", .start = 0, .end = 12}};
    export_in(paper.console, last, 2, the_trace);
    const char *text = paper_end(&paper);
    assert_non_null(strstr(text, "5000 spans"));
    assert_non_null(strstr(text, "GET /inventory"));
    assert_non_null(strstr(text, "`- scan all"));
    assert_non_null(strstr(text, "and 4500 more spans, left out here"));
    assert_null(strstr(text, "has not been seen"));
    assert_true(lines_of(text) < 520);
}

static void a_chain_of_five_hundred_is_drawn(void **state)
{
    (void)state;
    struct paper paper = paper_begin();
    struct span chain[500];
    for (unsigned i = 0; i < 500; i++)
        chain[i] = (struct span){.id = 500 - i, .parent = 499 - i, .name = "step", .start = 500 - i, .end = 1000};
    export_in(paper.console, chain, 500, the_trace);
    const char *text = paper_end(&paper);
    assert_non_null(strstr(text, "+499 step"));
    assert_lines_fit(text, 80);
}

/* One batch of `traces` traces, all waiting for their roots: those that do not fit are drawn, each of them once. */
static void assert_each_drawn_once(size_t traces, size_t spans_each)
{
    const size_t count = traces * spans_each;
    struct wh_bytes *list = calloc(count, sizeof *list);
    assert_non_null(list);
    for (size_t i = 0; i < count; i++) {
        static struct bytes b;
        char id[17];
        snprintf(id, sizeof id, "trace number %03u", (unsigned)(i / spans_each % 1000));
        encode_span(&b, &(struct span){.id = 5 + (unsigned)(i % spans_each), .parent = 4, .name = "lonely", .end = 1},
            id);
        void *copy = malloc(b.len);
        assert_non_null(copy);
        list[i] = (struct wh_bytes){memcpy(copy, b.bytes, b.len), b.len};
    }
    struct paper paper = paper_begin();
    size_t rejected = 0, drawn_traces = 0, drawn_spans = 0;
    const struct wh_batch batch = {.size = sizeof batch, ONE_SCOPE(list, count)};
    assert_int_equal(paper.console->export_batch(paper.console, &batch, WH_NEVER, &rejected), 0);
    assert_int_equal(rejected, 0);
    assert_true(paper_size(&paper) > 0);
    const char *text = paper_end(&paper);
    for (const char *p = text; (p = strstr(p, "trace 7472616365")); p++) drawn_traces++;
    for (const char *p = text; (p = strstr(p, "lonely")); p++) drawn_spans++;
    assert_int_equal(drawn_traces, traces);
    assert_int_equal(drawn_spans, count);
    for (size_t i = 0; i < count; i++) free((void *)list[i].ptr);
    free(list);
}

static void more_traces_than_can_be_kept_are_drawn_early(void **state)
{
    (void)state;
    assert_each_drawn_once(200, 1);
}

static void more_spans_than_can_be_kept_are_drawn_early(void **state)
{
    (void)state;
    assert_each_drawn_once(30, 300);
}

/* ---- long text ---- */

static void a_megabyte_is_cut(void **state)
{
    static char text[1 << 20], name[1 << 20];
    (void)state;
    memset(text, 'x', sizeof text - 1);
    memset(name, 0xf0, sizeof name - 1); /* not UTF-8 */
    FILE *paper = tmpfile();
    struct wh_exporter *console = wh_console_exporter_new(paper);
    wh_provider *provider = wh_provider_new(.service = "test", .exporters = &console, .exporter_count = 1);
    wh_ctx *root = wh_provider_root(provider), *span = wh_start(root, "large");
    wh_rename(span, name);
    wh_set(span, "text", (const char *)text);
    wh_fail_as(span, EIO, text, text);
    wh_end(span);
    wh_end(root);
    assert_int_equal(wh_provider_shutdown(provider, WH_SEC(30)), 0);
    struct wh_provider_stats stats = {.size = sizeof stats};
    wh_provider_stats(provider, &stats);
    assert_int_equal(stats.exported + stats.dropped_memory, 1);
    const size_t len = read_from_start(paper, drawn, sizeof drawn);
    fclose(paper);
    assert_true(len < 2000);
    for (size_t i = 0; i < len; i++) assert_true(drawn[i] == '\n' || (drawn[i] >= ' ' && drawn[i] < 0x7f));
}

/* ---- memory ---- */

/* Every allocation fails in turn: nothing is drawn by halves, and every span is drawn or refused. */
static void without_memory_spans_are_refused(void **state)
{
    (void)state;
    bool went_well = false;
    for (size_t n = 0; n < 100 && !went_well; n++) {
        FILE *out = tmpfile();
        size_t refused = 0;
        memory_ends_after(n);
        struct wh_exporter *console = wh_console_exporter_new(out);
        if (console) refused = export_in(console, child_and_root, 2, the_trace);
        const int rc = console ? console->flush(console, WH_NEVER) : 0;
        memory_is_back();
        went_well = console && refused == 0 && rc == 0;
        wh_exporter_free(console);
        const char *text = read_back(out);
        assert_true(*text == '\0' || text[strlen(text) - 1] == '\n');
        assert_int_equal(strstr(text, "root") && strstr(text, "child"), went_well);
    }
    assert_true(went_well);
}

static size_t count_drawn(const char *text)
{
    size_t count = 0;
    for (const char *p = text; (p = strstr(p, " of them")); p++) count++;
    return count;
}

/* Each allocation fails once: of the spans that were handed in each is drawn, left out and said to be, or refused. */
static void an_allocation_that_fails_loses_what_it_was_for(void **state)
{
    static struct recorded large;
    (void)state;
    record(&large, "large", 250);
    bool went_well = false;
    for (size_t n = 1; n < 2000 && !went_well; n++) {
        FILE *paper = tmpfile();
        struct wh_exporter *console = wh_console_exporter_new(paper);
        memory_fails_once_at(n);
        size_t refused = export_recorded(console, &large, WH_NEVER);
        const bool flushed = console->flush(console, WH_NEVER) == 0;
        went_well = !memory_is_back();
        const struct wh_batch last = {.size = sizeof last, ONE_SCOPE(large.list, large.count)};
        size_t rejected = 0;
        /* what the flush has lost is told by the next batch */
        if (refused || !flushed) console->export_batch(console, &last, WH_NEVER, &rejected);
        if (!went_well) assert_true(refused + rejected > 0);
        const char *text = read_paper(paper);
        const size_t seen = count_drawn(text) + (strstr(text, "\nlarge ") != NULL);
        assert_int_equal(seen + refused + rejected, large.count);
        wh_exporter_free(console);
        fclose(paper);
    }
    assert_true(went_well);
    forget(&large);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(five_thousand_spans_are_bounded),
        cmocka_unit_test(a_chain_of_five_hundred_is_drawn),
        cmocka_unit_test(more_traces_than_can_be_kept_are_drawn_early),
        cmocka_unit_test(more_spans_than_can_be_kept_are_drawn_early),
        cmocka_unit_test(a_megabyte_is_cut),
        cmocka_unit_test(without_memory_spans_are_refused),
        cmocka_unit_test(an_allocation_that_fails_loses_what_it_was_for),
    };
    return cmocka_run_group_tests(tests, set_plain_environment, NULL);
}
