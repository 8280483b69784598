/* traceparent: W3C Trace Context, level 2, section 3.2. */
#include <stdlib.h>
#include <string.h>

#include "propagate/headers.h"
#include "test.h"

#define TRACE "0af7651916cd43dd8448eb211c80319c"
#define SPAN "b7ad6b7169203331"

static void accepted(void **state)
{
    (void)state;
    static const struct { const char *field; uint8_t flags; } rows[] = {
        {"00-" TRACE "-" SPAN "-00", 0},
        {"00-" TRACE "-" SPAN "-01", WH_SAMPLED},
        {"00-" TRACE "-" SPAN "-02", WH_RANDOM},
        {"00-" TRACE "-" SPAN "-03", WH_SAMPLED | WH_RANDOM},
        {"00-" TRACE "-" SPAN "-ff", WH_SAMPLED | WH_RANDOM}, /* unknown flags do not go on */
        {"00-" TRACE "-" SPAN "-fc", 0},
        {"01-" TRACE "-" SPAN "-01", WH_SAMPLED},             /* later versions, as far as they are known */
        {"cc-" TRACE "-" SPAN "-01-what the future will be like", WH_SAMPLED},
        {"fe-" TRACE "-" SPAN "-01-", WH_SAMPLED},
        {" \t00-" TRACE "-" SPAN "-01\t ", WH_SAMPLED},       /* white space around it */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct wh_span_context span;
        char back[WH__TRACEPARENT_SIZE];
        assert_true(wh__traceparent_read(rows[i].field, &span));
        assert_int_equal(span.flags, rows[i].flags);
        assert_true(span.remote);
        wh__traceparent_write(back, &span);
        assert_int_equal(strlen(back), 55);
        assert_memory_equal(back, "00-" TRACE "-" SPAN "-0", 54);
        assert_int_equal(back[54], '0' + rows[i].flags);
    }
}

static void rejected(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "", "0", "00", "00-", "-", "00-" TRACE, "00-" TRACE "-" SPAN, "00-" TRACE "-" SPAN "-", "00-" TRACE "-" SPAN "-0",
        "00-" TRACE "-" SPAN "-01-", "00-" TRACE "-" SPAN "-01-x", "00-" TRACE "-" SPAN "-01 x", "00-" TRACE "-" SPAN "-010",
        "\n00-" TRACE "-" SPAN "-01", "00-" TRACE "-" SPAN " -01", "00 " TRACE "-" SPAN "-01", "00-" TRACE "." SPAN "-01",
        "00-" TRACE "-" SPAN ".01", "ff-" TRACE "-" SPAN "-01", "FF-" TRACE "-" SPAN "-01", "0x-" TRACE "-" SPAN "-01",
        "CC-" TRACE "-" SPAN "-01", "cc-" TRACE "-" SPAN "-01.what", "cc-" TRACE "-" SPAN "-0",
        "00-00000000000000000000000000000000-" SPAN "-01", "00-" TRACE "-0000000000000000-01",
        "00-0AF7651916CD43DD8448EB211C80319C-" SPAN "-01", "00-" TRACE "-B7AD6B7169203331-01", "00-" TRACE "-" SPAN "-0A",
        "00-.af7651916cd43dd8448eb211c80319c-" SPAN "-01", "00-" TRACE "-.7ad6b7169203331-01", "00-" TRACE "-" SPAN "-.0",
        "00-" TRACE "-" SPAN "-0.", "00-0af7651916cd43dd8448eb211c80319-" SPAN "-01", "00-" TRACE "a-" SPAN "-01",
        "00-" TRACE "-" SPAN "-01,00-" TRACE "-" SPAN "-01",
    };
    struct wh_span_context span, untouched;
    memset(&span, 0x55, sizeof span);
    untouched = span;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (wh__traceparent_read(rows[i], &span)) fail_msg("accepted: %s", rows[i]);
    assert_false(wh__traceparent_read(NULL, &span));
    assert_memory_equal(&span, &untouched, sizeof span);
}

/* Every prefix of a good one is too short, and every byte of it matters. */
static void cut_or_changed_anywhere(void **state)
{
    (void)state;
    static const char good[] = "00-" TRACE "-" SPAN "-01";
    struct wh_span_context span;
    char text[56];
    for (size_t len = 0; len < 55; len++) {
        memcpy(text, good, len);
        text[len] = '\0';
        assert_false(wh__traceparent_read(text, &span));
    }
    for (size_t i = 0; i < 55; i++)
        for (int c = 1; c < 256; c++) {
            memcpy(text, good, sizeof good);
            text[i] = (char)c;
            const bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
            const bool dash = good[i] == '-';
            const bool version = i < 2;
            if (wh__traceparent_read(text, &span) != (dash ? c == '-' : hex && (!version || strncmp(text, "ff", 2)) ? true : false))
                fail_msg("byte %zu as %d", i, c);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepted),
        cmocka_unit_test(rejected),
        cmocka_unit_test(cut_or_changed_anywhere),
    };
    return cmocka_run_group_tests_name("traceparent", tests, NULL, NULL);
}
