/* Text of fixed size, ids in hex, UTF-8 that is not cut apart, names of errors, and the library's voice. */
#include <errno.h>

#include "../context/tools.h"
#include "base/errname.h"
#include "base/text.h"

static void text_is_cut_counted_and_terminated(void **state)
{
    (void)state;
    for (size_t size = 0; size < 16; size++) {
        char buf[17];
        memset(buf, 0x5a, sizeof buf);
        struct wh__text text = {.buf = buf, .size = size};
        wh__put(&text, "%s", "one");
        wh__put(&text, "%s", "");
        wh__put(&text, " %d %s", 2, "three");
        assert_int_equal(text.len, strlen("one 2 three"));
        if (size) assert_int_equal(strlen(buf), size > 11 ? 11 : size - 1);
        if (size) assert_memory_equal(buf, "one 2 three", strlen(buf));
        for (size_t i = size; i < sizeof buf; i++) assert_int_equal(buf[i], 0x5a);
    }
}

static void hex_there_and_back(void **state)
{
    (void)state;
    uint8_t bytes[256], back[256];
    char digits[512];
    for (int i = 0; i < 256; i++) bytes[i] = (uint8_t)i;
    wh__hex(digits, bytes, sizeof bytes);
    assert_memory_equal(digits, "000102", 6);
    assert_memory_equal(digits + 506, "fdfeff", 6);
    assert_true(wh__unhex(back, digits, sizeof back));
    assert_memory_equal(back, bytes, sizeof bytes);
}

static void only_lowercase_digits_are_hex(void **state)
{
    (void)state;
    uint8_t byte;
    for (int c = 0; c < 256; c++) {
        const char first[2] = {(char)c, '0'}, second[2] = {'0', (char)c};
        const bool good = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
        assert_int_equal(wh__unhex(&byte, first, 1), good);
        assert_int_equal(wh__unhex(&byte, second, 1), good);
    }
    assert_true(wh__unhex(&byte, "", 0));
}

static void utf8_is_cut_between_characters(void **state)
{
    (void)state;
    const char text[] = "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80z"; /* 1, 2, 3, 4 and 1 bytes */
    const size_t whole[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11};
    for (size_t len = 0; len <= 11; len++) assert_int_equal(wh__utf8_cut(text, len), whole[len]);
    assert_int_equal(wh__utf8_cut("\x80\x80\x80\x80\x80\x80", 6), 6); /* not UTF-8: any cut is as good */
    assert_int_equal(wh__utf8_cut("\x80", 1), 1);
    assert_int_equal(wh__utf8_cut("ab\xff", 3), 2);
}

static void errors_have_names(void **state)
{
    (void)state;
    assert_string_equal(wh__errno_name(ECONNREFUSED), "ECONNREFUSED");
    assert_string_equal(wh__errno_name(ETIMEDOUT), "ETIMEDOUT");
    assert_string_equal(wh__errno_name(0), "0");
    assert_string_equal(wh__errno_name(99999), "99999");
    assert_string_equal(wh__errno_name(-7), "-7");
}

/* ---- the voice ---- */

static struct {
    int count;
    enum wh_severity severity;
    char line[600];
} heard;

static void hear(enum wh_severity severity, const char *line, void *arg)
{
    assert_ptr_equal(arg, &heard);
    heard.count++;
    heard.severity = severity;
    snprintf(heard.line, sizeof heard.line, "%s", line);
}

static void what_is_reported_goes_to_the_listener(void **state)
{
    (void)state;
    char large[2000];
    memset(large, 'x', sizeof large);
    large[sizeof large - 1] = '\0';
    wh_report_to(hear, &heard);
    wh_report(WH_WARNING, "number %d", 5);
    assert_int_equal(heard.count, 1);
    assert_int_equal(heard.severity, WH_WARNING);
    assert_string_equal(heard.line, "number 5");
    wh_report(WH_ERROR, "%s", large);
    assert_in_range(strlen(heard.line), 490, 511);
    wh_report_to(NULL, NULL);
    assert_int_equal(heard.count, 2);
}

static bool report_to_closed(void *unused)
{
    (void)unused;
    close(STDERR_FILENO);
    wh_report(WH_ERROR, "nobody is there");
    return true;
}

static void without_a_listener_it_is_one_line_on_standard_error(void **state)
{
    (void)state;
    int fds[2];
    char large[2000], seen[2000] = "";
    memset(large, 'x', sizeof large);
    large[sizeof large - 1] = '\0';
    assert_int_equal(pipe(fds), 0);
    const int before = dup(STDERR_FILENO);
    dup2(fds[1], STDERR_FILENO);
    wh_report(WH_INFO, "number %d", 5);
    wh_report(WH_INFO, "%s", large);
    dup2(before, STDERR_FILENO);
    close(before);
    close(fds[1]);
    const ssize_t len = read(fds[0], seen, sizeof seen - 1);
    close(fds[0]);
    assert_memory_equal(seen, "whence: number 5\nwhence: xxx", 28);
    assert_true(len > 500 && len < 540);
    assert_int_equal(seen[len - 1], '\n');
    assert_int_equal(in_child(report_to_closed, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_cut_counted_and_terminated),
        cmocka_unit_test(hex_there_and_back),
        cmocka_unit_test(only_lowercase_digits_are_hex),
        cmocka_unit_test(utf8_is_cut_between_characters),
        cmocka_unit_test(errors_have_names),
        cmocka_unit_test(what_is_reported_goes_to_the_listener),
        cmocka_unit_test(without_a_listener_it_is_one_line_on_standard_error),
    };
    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
