/* The console on what would mislead it or the terminal: text with commands in it, spans that contradict themselves. */
#include <math.h>

#include "drawing.h"
#include "exporters/sheet.h"
#include "base/utf8.h"
#include "test.h"

/* ---- text ---- */

/* Line ends are the only control characters of a drawing without colour. */
static void assert_harmless(const char *text)
{
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        if ((*p < 0x20 && *p != '\n') || *p == 0x7f) fail_msg("control character %02x", *p);
        if (*p == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0) fail_msg("control character U+00%02x", p[1]);
        if (*p == 0xe2 && p[1] == 0x80 && p[2] >= 0xa8 && p[2] <= 0xae) fail_msg("a change of direction");
    }
}

static void hostile_text_is_disarmed(void **state)
{
    (void)state;
    compare_both(&scene_hostile);
    assert_harmless(draw_on_paper(&scene_hostile, "C.UTF-8", "120"));
    assert_harmless(draw_on_paper(&scene_hostile, "C", "60"));
    for (const char *p = drawn; *p; p++) assert_true((unsigned char)*p < 0x80);
}

static size_t put_character(char out[4], uint32_t c)
{
    const size_t more = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const unsigned char leads[] = {0, 0xc0, 0xe0, 0xf0};
    out[0] = (char)(leads[more] | c >> 6 * more);
    for (size_t i = 1; i <= more; i++) out[i] = (char)(0x80 | (c >> 6 * (more - i) & 0x3f));
    return more + 1;
}

/* Controls, what changes the direction of writing, and what cannot be seen. */
static bool is_obeyed(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x61c || (c >= 0x200b && c <= 0x200f) ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xe0000 && c < 0xe1000);
}

static void no_character_is_obeyed(void **state)
{
    (void)state;
    for (uint32_t c = 0; c < 0x110000; c++) {
        char bytes[4];
        const size_t len = put_character(bytes, c);
        const char *at = bytes;
        const struct wh__glyph glyph = wh__glyph_next(&at, bytes + len, true);
        if (glyph.bytes[0]) {
            const char *seen = glyph.bytes;
            const uint32_t is = wh__utf8_next(&seen, glyph.bytes + strlen(glyph.bytes));
            assert_true(*seen == '\0' && (is == c || is == ' ' || is == 0xfffd));
            if (is_obeyed(is)) fail_msg("U+%04x", c);
        }
        assert_true(glyph.columns <= 2);
        at = bytes;
        const struct wh__glyph plain = wh__glyph_next(&at, bytes + len, false);
        assert_true(plain.bytes[0] == '\0' || (plain.bytes[0] >= ' ' && plain.bytes[0] < 0x7f && !plain.bytes[1]));
        assert_int_equal(plain.columns, plain.bytes[0] != '\0');
    }
}

/* ---- spans ---- */

static void circles_and_doubles_are_drawn_once_each(void **state)
{
    (void)state;
    const struct span odd[] = {
        {.id = 1, .parent = 2, .name = "round"}, {.id = 2, .parent = 3, .name = "and"},
        {.id = 3, .parent = 1, .name = "about"},
        {.id = 4, .parent = 4, .name = "myself"}, {.id = 5, .parent = 3, .name = "beside", .start = 4, .end = 2},
        {.id = 6, .name = "twin one"}, {.id = 6, .name = "twin two"}, {.id = 7, .parent = 6, .name = "of twins"},
    };
    struct paper paper = paper_begin();
    export_in(paper.console, odd, 8, the_trace);
    const char *text = paper_end(&paper);
    for (size_t i = 0; i < 8; i++) {
        const char *found = strstr(text, odd[i].name);
        assert_non_null(found);
        assert_null(strstr(found + 1, odd[i].name));
    }
}

static void what_is_no_span_is_refused(void **state)
{
    (void)state;
    struct paper paper = paper_begin();
    struct bytes good, no_trace;
    const struct span span = {.id = 1, .name = "good"};
    encode_span(&good, &span, the_trace);
    encode_span(&no_trace, &span, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
    const struct wh_bytes list[] = {bytes_of(&good), {good.bytes, good.len - 1}, {"", 0}, bytes_of(&no_trace)};
    size_t rejected = 0;
    const struct wh_batch batch = {.size = sizeof batch, ONE_SCOPE(list, 4)};
    assert_int_equal(paper.console->export_batch(paper.console, &batch, WH_NEVER, &rejected), 0);
    assert_int_equal(rejected, 3);
    assert_non_null(strstr(paper_end(&paper), "good"));
}

static void extreme_times_and_deadlines_are_drawn(void **state)
{
    (void)state;
    const struct span odd[] = {
        {.id = 1, .name = "root", .start = -1789992391204.0, .end = 9e12, .asked = 1e300, .budget = 5e-324,
         .left = -1e300},
        {.id = 2, .parent = 1, .name = "child", .start = 5, .end = 6, .asked = INFINITY, .budget = 1e300,
         .left = -INFINITY, .reason = "cancelled later", .cancelled = 1e12},
        {.id = 3, .parent = 1, .name = "reversed", .start = 6, .end = -5, .asked = 1, .budget = 1e-300, .left = NAN,
         .reason = "cancelled earlier", .cancelled = -1e12},
        {.id = 4, .parent = 1, .name = "least", .asked = -1e300, .budget = 1, .left = 1},
    };
    struct paper paper = paper_begin();
    export_in(paper.console, odd, 4, the_trace);
    assert_lines_fit(paper_end(&paper), 80);
    assert_non_null(strstr(drawn, "(-2562048 h asked), 1 ms left"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hostile_text_is_disarmed),
        cmocka_unit_test(no_character_is_obeyed),
        cmocka_unit_test(circles_and_doubles_are_drawn_once_each),
        cmocka_unit_test(what_is_no_span_is_refused),
        cmocka_unit_test(extreme_times_and_deadlines_are_drawn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) + goldens_written;
}
