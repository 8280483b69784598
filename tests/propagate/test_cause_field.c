/* Causes as a field of a response: docs/cause-header.md, RFC 9651. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "propagate/cause.h"
#include "test.h"

/* ---- vectors ---- */

/* Of exactly its size, so that a read beyond it is seen. */
static bool read_field(const char *field, size_t len, struct wh__causes *out)
{
    char *exact = malloc(len ? len : 1);
    memcpy(exact, field, len);
    const bool taken = wh__cause_read(exact, len, out);
    free(exact);
    return taken;
}

struct vector {
    char field[WH_CAUSE_SIZE], again[WH_CAUSE_SIZE];
    char lines[64][WH_CAUSE_SIZE];
    size_t count;
    bool refused;
};

static void check_line(const struct vector *vector, const struct wh_because *link, const char *line)
{
    char id[33] = "";
    const char *got = NULL, *wanted = strchr(line, ' ') + 1;
    if (strncmp(line, "reason ", 7) == 0) got = link->reason;
    if (strncmp(line, "text ", 5) == 0) got = link->text;
    if (strncmp(line, "site ", 5) == 0) got = link->site;
    if (strncmp(line, "name ", 5) == 0) got = link->span_name;
    if (strncmp(line, "service ", 8) == 0) got = link->service;
    if (strncmp(line, "trace ", 6) == 0) wh__hex(id, link->trace_id, 16), got = id;
    if (strncmp(line, "span ", 5) == 0) wh__hex(id, link->span_id, 8), got = id;
    if (!got || strcmp(got, wanted)) fail_msg("%s: wanted \"%s\", got \"%s\"", vector->field, line, got ? got : "nothing");
}

static size_t things_said(const struct wh_because *link)
{
    static const uint8_t none[16];
    const bool said[] = {true, link->text, link->site, link->span_name, link->service, memcmp(link->trace_id, none, 16) != 0,
        memcmp(link->span_id, none, 8) != 0};
    size_t count = 0;
    for (size_t i = 0; i < sizeof said / sizeof *said; i++) count += said[i];
    return count;
}

static void check(const struct vector *vector)
{
    struct wh__causes causes;
    char again[WH_CAUSE_SIZE];
    const bool taken = read_field(vector->field, strlen(vector->field), &causes);
    if (taken == vector->refused) fail_msg("%s: %s", taken ? "taken" : "refused", vector->field);
    if (!taken) return;
    size_t at = (size_t)-1, said = 0;
    for (size_t i = 0; i < vector->count; i++) {
        at += strncmp(vector->lines[i], "reason ", 7) == 0;
        assert_in_range(at, 0, causes.count - 1);
        check_line(vector, &causes.list[at], vector->lines[i]);
    }
    assert_int_equal(at + 1, causes.count);
    for (size_t i = 0; i < causes.count; i++) {
        said += things_said(&causes.list[i]);
        assert_true(causes.list[i].remote);
    }
    assert_int_equal(said, vector->count); /* and nothing else */
    const size_t len = wh__cause_write(again, sizeof again, causes.list, causes.count);
    assert_int_equal(len, strlen(again));
    assert_string_equal(again, *vector->again ? vector->again : vector->field);
}

static void every_vector_is_taken_or_refused_as_the_specification_says(void **state)
{
    (void)state;
    char line[WH_CAUSE_SIZE];
    static struct vector vector = {.field = ""};
    int checked = 0;
    FILE *file = fopen(CAUSE_VECTORS, "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = '\0';
        if (*line == '#') continue;
        if (strncmp(line, "field ", 6) == 0) strcpy(vector.field, line + 6);
        else if (strncmp(line, "again ", 6) == 0) strcpy(vector.again, line + 6);
        else if (strncmp(line, "refused ", 8) == 0) vector.refused = true;
        else if (*line) strcpy(vector.lines[vector.count++], line);
        else if (*vector.field) {
            check(&vector);
            vector = (struct vector){.field = ""};
            checked++;
        }
    }
    fclose(file);
    if (*vector.field) check(&vector), checked++;
    assert_in_range(checked, 79, 200);
}

/* ---- every way to be cut off, and every byte in every place ---- */

static const char full[] = "sibling_failed;v=1;m=%\"f%c3%bcr %22 x\";s=\"a \\\" b.c:1 f\";t=\"4bf92f3577b34da6a3ce929d0e0e4736\";"
    "p=\"00f067aa0ba902b7\";n=%\"GET /rate\";o=%\"price\";x=1.5;y=:YQ==:;z=?1;w=@12, shutdown;m=%\"x\"";

static bool all_clean(const struct wh__causes *causes)
{
    for (size_t i = 0; i < causes->count; i++) {
        const char *const texts[] = {causes->list[i].reason, causes->list[i].text, causes->list[i].site, causes->list[i].span_name,
            causes->list[i].service};
        for (size_t k = 0; k < 5; k++)
            for (const char *p = texts[k] ? texts[k] : ""; *p; p++)
                if ((unsigned char)*p < ' ' || *p == 0x7f) return false;
    }
    return true;
}

static void a_field_that_is_cut_off_anywhere_is_read_no_further_than_it_goes(void **state)
{
    (void)state;
    struct wh__causes causes;
    int taken = 0;
    for (size_t len = 0; len < sizeof full; len++) taken += read_field(full, len, &causes);
    assert_in_range(taken, 10, 40); /* wherever a parameter, a token or a number is whole */
    assert_true(read_field(full, sizeof full - 1, &causes));
    assert_int_equal(causes.count, 2);
}

static void any_byte_in_any_place_is_harmless(void **state)
{
    (void)state;
    struct wh__causes causes;
    for (size_t at = 0; at + 1 < sizeof full; at++) {
        char changed[sizeof full];
        memcpy(changed, full, sizeof full);
        for (int byte = 0; byte < 256; byte++) {
            changed[at] = (char)byte;
            const bool taken = read_field(changed, sizeof full - 1, &causes);
            assert_true(!taken || ((byte == '\t' || (byte >= ' ' && byte < 0x7f)) && all_clean(&causes)));
        }
    }
}

static void over_long_fields_are_refused(void **state)
{
    (void)state;
    struct wh__causes causes;
    char field[WH_CAUSE_SIZE + 8] = "a;v=1;x=\"";
    memset(field + strlen(field), 'x', sizeof field - strlen(field));
    field[WH_CAUSE_SIZE - 2] = '"';
    assert_true(read_field(field, WH_CAUSE_SIZE - 1, &causes));
    field[WH_CAUSE_SIZE - 2] = 'x';
    field[WH_CAUSE_SIZE - 1] = '"';
    assert_false(read_field(field, WH_CAUSE_SIZE, &causes));
    assert_false(read_field("", 0, &causes));
    assert_false(read_field(" ", 1, &causes));
    assert_false(read_field("\t", 1, &causes));
    assert_true(read_field(" a;v=1 \t ", 9, &causes));
}

/* As long as a field may be, of as many parameters and texts as go in. */
static void a_field_of_nothing_but_texts_finds_room(void **state)
{
    (void)state;
    struct wh__causes causes;
    char field[WH_CAUSE_SIZE] = "a;v=1";
    size_t len = strlen(field);
    while (len + 6 < sizeof field) len += (size_t)snprintf(field + len, sizeof field - len, ";m=%%\"\"");
    assert_true(read_field(field, len, &causes));
    len = (size_t)snprintf(field, sizeof field, "a;v=1;m=%%\"");
    memset(field + len, 'x', WH_CAUSE_SIZE - 2 - len);
    field[WH_CAUSE_SIZE - 2] = '"';
    assert_true(read_field(field, WH_CAUSE_SIZE - 1, &causes));
    assert_int_equal(strlen(causes.list[0].text), WH__CAUSE_TEXT);
}

/* ---- writing ---- */

static size_t write_list(char *buf, size_t size, const struct wh_because *list, size_t count)
{
    char *exact = malloc(size ? size : 1);
    const size_t len = wh__cause_write(exact, size, list, count);
    assert_true(len == 0 || len < size);
    if (size) assert_int_equal(strlen(exact), len);
    if (size) memcpy(buf, exact, len + 1);
    free(exact);
    return len;
}

static void texts_are_cut_between_characters(void **state)
{
    (void)state;
    char text[600], field[WH_CAUSE_SIZE];
    struct wh__causes causes;
    for (size_t shift = 0; shift < 12; shift++) {
        memset(text, 'x', shift);
        for (size_t i = shift; i + 4 < sizeof text; i += 3) memcpy(text + i, "\xe2\x82\xac", 4); /* nine bytes each, encoded */
        const struct wh_because link = {.size = sizeof link, .reason = "r", .text = text, .span_name = text, .service = text, .site = text};
        const size_t len = write_list(field, sizeof field, &link, 1);
        assert_true(read_field(field, len, &causes));
        assert_memory_equal(causes.list[0].text, text, strlen(causes.list[0].text));
        assert_int_equal((strlen(causes.list[0].text) - shift) % 3, 0);
        assert_int_equal(strlen(causes.list[0].text), shift + (WH__CAUSE_TEXT - shift) / 9 * 3);
        assert_int_equal(shift + strspn(causes.list[0].site + shift, "?"), strlen(causes.list[0].site));
    }
}

static void hostile_texts_become_harmless(void **state)
{
    (void)state;
    static const struct { const char *text, *is; } rows[] = {
        {"one\r\ntwo: three", "one??two: three"}, {"\x1b[2J", "?[2J"}, {"\xc2\x9b" "2J", "?2J"}, {"\xe2\x80\xae" "abc", "?abc"},
        {"\xff\xfe", "\xef\xbf\xbd\xef\xbf\xbd"}, {"\xc3", "\xef\xbf\xbd"}, {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {"\", evil;v=2", "\", evil;v=2"}, {"%00", "%00"}, {"\xf0\x9f\x8d\x92", "\xf0\x9f\x8d\x92"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char field[WH_CAUSE_SIZE];
        struct wh__causes causes;
        const struct wh_because link = {.size = sizeof link, .reason = rows[i].text, .text = rows[i].text, .site = rows[i].text};
        const size_t len = write_list(field, sizeof field, &link, 1);
        for (size_t k = 0; k < len; k++) assert_true(field[k] >= ' ' && field[k] <= '~');
        assert_true(read_field(field, len, &causes));
        assert_int_equal(causes.count, 1);
        assert_string_equal(causes.list[0].text, rows[i].is);
    }
}

static void members_go_from_the_middle_and_never_the_first_cause(void **state)
{
    (void)state;
    char text[400], field[WH_CAUSE_SIZE];
    struct wh_because list[12];
    struct wh__causes causes;
    char names[12][8];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    for (size_t i = 0; i < 12; i++) {
        snprintf(names[i], sizeof names[i], "r%zu", i);
        list[i] = (struct wh_because){.size = sizeof *list, .reason = names[i], .text = text};
    }
    for (size_t count = 1; count <= 12; count++) {
        assert_true(read_field(field, write_list(field, sizeof field, list, count), &causes));
        assert_int_equal(causes.count, count < 5 ? count : 5); /* of some 400 bytes each */
        for (size_t i = 0; i + 1 < causes.count; i++) assert_string_equal(causes.list[i].reason, names[i]);
        assert_string_equal(causes.list[causes.count - 1].reason, names[count - 1]);
    }
    for (size_t i = 0; i < 12; i++) list[i].text = NULL;
    assert_true(read_field(field, write_list(field, sizeof field, list, 12), &causes));
    assert_int_equal(causes.count, WH_CAUSES_MAX);
    assert_string_equal(causes.list[WH_CAUSES_MAX - 2].reason, "r6");
    assert_string_equal(causes.list[WH_CAUSES_MAX - 1].reason, "r11");
}

/* The worst that two causes can be still goes out whole. */
static void the_nearest_and_the_first_always_fit(void **state)
{
    (void)state;
    char text[2000], field[WH_CAUSE_SIZE];
    struct wh__causes causes;
    memset(text, '"', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    struct wh_because list[2];
    for (int i = 0; i < 2; i++) {
        list[i] = (struct wh_because){.size = sizeof *list, .reason = text, .text = text, .site = text, .span_name = text, .service = text};
        memset(list[i].trace_id, 0xab, 16);
        memset(list[i].span_id, 0xcd, 8);
    }
    assert_true(read_field(field, write_list(field, sizeof field, list, 2), &causes));
    assert_int_equal(causes.count, 2);
}

static void nothing_is_written_beyond_a_buffer(void **state)
{
    (void)state;
    char all[WH_CAUSE_SIZE], some[WH_CAUSE_SIZE];
    struct wh__causes causes, fewer;
    assert_true(read_field(full, sizeof full - 1, &causes));
    causes.list[causes.count++] = (struct wh_because){.size = sizeof causes.list[0], .reason = "the_first"};
    const size_t len = write_list(all, sizeof all, causes.list, causes.count);
    size_t most = 0;
    for (size_t size = 0; size <= len + 1; size++) {
        const size_t written = write_list(some, size, causes.list, causes.count);
        assert_true(written >= most);
        most = written;
        if (!written) continue;
        assert_true(read_field(some, written, &fewer));
        assert_string_equal(fewer.list[fewer.count - 1].reason, "the_first");
    }
    assert_int_equal(most, len);
    assert_int_equal(wh__cause_write(some, sizeof some, causes.list, 0), 0);
    assert_string_equal(some, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_vector_is_taken_or_refused_as_the_specification_says),
        cmocka_unit_test(a_field_that_is_cut_off_anywhere_is_read_no_further_than_it_goes),
        cmocka_unit_test(any_byte_in_any_place_is_harmless),
        cmocka_unit_test(over_long_fields_are_refused),
        cmocka_unit_test(a_field_of_nothing_but_texts_finds_room),
        cmocka_unit_test(texts_are_cut_between_characters),
        cmocka_unit_test(hostile_texts_become_harmless),
        cmocka_unit_test(members_go_from_the_middle_and_never_the_first_cause),
        cmocka_unit_test(the_nearest_and_the_first_always_fit),
        cmocka_unit_test(nothing_is_written_beyond_a_buffer),
    };
    return cmocka_run_group_tests_name("cause_field", tests, NULL, NULL);
}
