#include "drawing.h"

#include <errno.h>
#include <stdlib.h>
#include <whence/names.h>

#include "tools.h"

/* ---- encoding ---- */

#define SEP_21 UINT64_C(1789992391204000000) /* 2026-09-21 12:06:31.204 UTC */

const char the_trace[] = "\x4b\xf9\x2f\x35\x77\xb3\x4d\xa6\xa3\xce\x92\x9d\x0e\x0e\x47\x36";

static void put_ms(struct bytes *b, const char *key, double ms)
{
    struct bytes value = {.len = 0};
    put_attr(b, WH__SPAN_ATTRIBUTE, key, put_double(&value, WH__ANY_DOUBLE, ms));
}

static void put_true(struct bytes *b, const char *key)
{
    struct bytes value = {.len = 0};
    put_attr(b, WH__SPAN_ATTRIBUTE, key, put_varint(&value, WH__ANY_BOOL, 1));
}

static void put_text_if_any(struct bytes *b, const char *key, const char *text)
{
    if (text) put_text_attr(b, WH__SPAN_ATTRIBUTE, key, text);
}

static void put_id(struct bytes *b, unsigned field, unsigned id)
{
    const uint8_t bytes[8] = {0, 0xf0, 0x67, 0xaa, 0x0b, 0xa9, (uint8_t)(id >> 8), (uint8_t)id};
    if (id) put_len(b, field, bytes, sizeof bytes);
}

static uint64_t at(double ms)
{
    return SEP_21 + (uint64_t)(int64_t)(ms * 1e6 + (ms < 0 ? -.5 : .5));
}

static void put_cause(struct bytes *b, const struct span *span)
{
    char id[17];
    struct bytes event = {.len = 0};
    put_true(b, WH_ATTR_CANCELLED);
    put_text_if_any(b, WH_ATTR_CANCEL_REASON, span->reason);
    put_text_if_any(b, WH_ATTR_CANCEL_MESSAGE, span->message);
    put_text_if_any(b, WH_ATTR_CANCEL_SITE, span->site);
    if (span->origin) {
        snprintf(id, sizeof id, "00f067aa0ba9%04x", span->origin & 0xffff);
        put_text_if_any(b, WH_ATTR_CANCEL_ORIGIN_TRACE_ID, "4bf92f3577b34da6a3ce929d0e0e4736");
        put_text_if_any(b, WH_ATTR_CANCEL_ORIGIN_SPAN_ID, id);
        put_text_if_any(b, WH_ATTR_CANCEL_ORIGIN_SPAN_NAME, span->origin_name);
    }
    put_ms(b, WH_ATTR_CANCEL_OVERRUN_MS, span->end - span->cancelled);
    put_fixed64(&event, WH__EVENT_TIME, at(span->cancelled));
    put_text(&event, WH__EVENT_NAME, WH_EVENT_CANCEL_RECEIVED);
    put_in(b, WH__SPAN_EVENT, &event);
}

static void put_status(struct bytes *b, const struct span *span)
{
    struct bytes status = {.len = 0};
    if (span->status_text) put_text(&status, WH__STATUS_MESSAGE, span->status_text);
    put_varint(&status, WH__STATUS_CODE, span->status);
    put_in(b, WH__SPAN_STATUS, &status);
    put_text_if_any(b, WH_ATTR_ERROR_TYPE, span->error_type);
}

void encode_span(struct bytes *b, const struct span *span, const char trace_id[16])
{
    b->len = 0;
    put_len(b, WH__SPAN_TRACE_ID, trace_id, 16);
    put_id(b, WH__SPAN_ID, span->id);
    put_id(b, WH__SPAN_PARENT, span->parent);
    put_text(b, WH__SPAN_NAME, span->name);
    put_varint(b, WH__SPAN_KIND, span->kind + 1u);
    put_fixed64(b, WH__SPAN_START, at(span->start));
    put_fixed64(b, WH__SPAN_END, at(span->end));
    put_span_flags(b, WH_SAMPLED | WH_RANDOM | WH__KNOWS_REMOTE | (span->remote ? WH__IS_REMOTE : 0));
    if (span->asked != 0) put_ms(b, WH_ATTR_DEADLINE_ASKED_MS, span->asked);
    if (span->budget > 0) put_ms(b, WH_ATTR_DEADLINE_BUDGET_MS, span->budget);
    if (span->budget > 0) put_ms(b, WH_ATTR_DEADLINE_REMAINING_MS, span->left);
    if (span->cancelled != 0) put_cause(b, span);
    if (span->status) put_status(b, span);
}

/* ---- exporting ---- */

static const char *service_of(const struct span *span)
{
    return span->service ? span->service : "shop";
}

size_t export_in(struct wh_exporter *exporter, const struct span *spans, size_t count, const char trace_id[16])
{
    static struct bytes resource, encoded[1024];
    static struct wh_bytes list[1024];
    size_t rejected = 0;
    resource.len = 0;
    put_text_attr(&resource, WH__RESOURCE_ATTRIBUTE, "service.name", service_of(spans));
    assert_true(count <= 1024);
    for (size_t i = 0; i < count; i++) {
        encode_span(&encoded[i], &spans[i], trace_id);
        list[i] = bytes_of(&encoded[i]);
    }
    const struct wh_batch batch = {.size = sizeof batch, .resource = bytes_of(&resource), ONE_SCOPE(list, count)};
    assert_int_equal(exporter->export_batch(exporter, &batch, WH_NEVER, &rejected), 0);
    return rejected;
}

void export_scene(struct wh_exporter *exporter, const struct scene *scene)
{
    for (size_t i = 0, n; i < scene->count; i += n) {
        const struct span *first = scene->spans + i;
        for (n = 1; i + n < scene->count && strcmp(service_of(first + n), service_of(first)) == 0;) n++;
        assert_int_equal(export_in(exporter, first, n, the_trace), 0);
    }
}

/* ---- drawing ---- */

char drawn[4 << 20];

void set_environment(const char *locale, const char *columns)
{
    unsetenv("LC_ALL");
    unsetenv("LC_CTYPE");
    unsetenv("NO_COLOR");
    unsetenv("COLORTERM");
    setenv("LANG", locale, 1);
    setenv("TERM", "xterm-256color", 1);
    setenv("TZ", "UTC", 1);
    if (columns)
        setenv("COLUMNS", columns, 1);
    else
        unsetenv("COLUMNS");
}

int set_plain_environment(void **state)
{
    (void)state;
    set_environment("C", "80");
    return 0;
}

const char *read_paper(FILE *paper)
{
    read_from_start(paper, drawn, sizeof drawn);
    return drawn;
}

const char *read_back(FILE *paper)
{
    read_paper(paper);
    fclose(paper);
    return drawn;
}

const char *draw_on_paper(const struct scene *scene, const char *locale, const char *columns)
{
    FILE *out = tmpfile();
    set_environment(locale, columns);
    struct wh_exporter *console = wh_console_exporter_new(out);
    assert_non_null(console);
    export_scene(console, scene);
    assert_int_equal(console->flush(console, WH_NEVER), 0);
    wh_exporter_free(console);
    return read_back(out);
}

struct paper paper_begin(void)
{
    struct paper paper = {.out = tmpfile()};
    set_environment("C", "80");
    paper.console = wh_console_exporter_new(paper.out);
    assert_non_null(paper.console);
    return paper;
}

long paper_size(const struct paper *paper)
{
    return ftell(paper->out);
}

const char *paper_end(struct paper *paper)
{
    paper->console->shutdown(paper->console, WH_NEVER);
    wh_exporter_free(paper->console);
    return read_back(paper->out);
}

/* ---- comparing ---- */

int goldens_written;

void compare(const char *golden, const char *text)
{
    static char expected[1 << 20];
    char path[512];
    snprintf(path, sizeof path, "%s/%s.txt", GOLDEN, golden);
    FILE *file = fopen(path, getenv("WHENCE_GOLDEN_WRITE") ? "w" : "r");
    if (!file) fail_msg("%s: %s", path, strerror(errno));
    if (getenv("WHENCE_GOLDEN_WRITE")) {
        fputs(text, file);
        fclose(file);
        goldens_written++;
        return;
    }
    read_from_start(file, expected, sizeof expected);
    fclose(file);
    if (strcmp(expected, text)) fail_msg("not as in %s:\n%s", path, text);
}

void compare_both(const struct scene *scene)
{
    char golden[64];
    snprintf(golden, sizeof golden, "%s.utf8.120", scene->name);
    compare(golden, draw_on_paper(scene, "C.UTF-8", "120"));
    snprintf(golden, sizeof golden, "%s.ascii.80", scene->name);
    compare(golden, draw_on_paper(scene, "C", "80"));
}

void assert_lines_fit(const char *text, unsigned columns)
{
    unsigned width = 0;
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        if (*p == '\n') width = 0;
        else if ((*p & 0xc0) != 0x80 && ++width > columns) fail_msg("wider than %u:\n%s", columns, text);
    }
}
