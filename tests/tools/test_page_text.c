#include <stdlib.h>
#include <string.h>

#include "page_text.h"
#include "test.h"

static void assert_written(void (*write)(FILE *, const char *), const char *text, const char *expected)
{
    char *said = NULL;
    size_t len;
    FILE *out = open_memstream(&said, &len);
    write(out, text);
    fclose(out);
    assert_string_equal(said, expected);
    free(said);
}

static void a_text_has_one_number(void **state)
{
    (void)state;
    struct texts texts = {0};
    const char *a = "a", *b = "b";
    assert_int_equal(texts_number(&texts, ""), 0);
    assert_int_equal(texts_number(&texts, a), 1);
    assert_int_equal(texts_number(&texts, b), 2);
    assert_int_equal(texts_number(&texts, a), 1);
    assert_int_equal(texts_number(&texts, NULL), 0);
    assert_int_equal(texts.count, 3);
    assert_ptr_equal(texts.list[2], b);
    texts_free(&texts);
}

static void many_texts_keep_theirs(void **state)
{
    (void)state;
    enum { MANY = 5000 };
    static char many[MANY][2];
    struct texts texts = {0};
    for (uint32_t round = 0; round < 2; round++)
        for (uint32_t i = 0; i < MANY; i++) {
            many[i][0] = 'x';
            assert_int_equal(texts_number(&texts, many[i]), i);
        }
    assert_int_equal(texts.count, MANY);
    texts_free(&texts);
}

static void nothing_in_json_can_end_a_script_element(void **state)
{
    (void)state;
    assert_written(write_json_text, "plain text, \xc3\xa4\xe2\x82\xac", "\"plain text, \xc3\xa4\xe2\x82\xac\"");
    assert_written(write_json_text, "</script><!--&'\"\\", "\"\\u003c/script\\u003e\\u003c!--\\u0026\\u0027\\u0022\\u005c\"");
    assert_written(write_json_text, "a\nb\x1b\x7f", "\"a\\u000ab\\u001b\\u007f\"");
    assert_written(write_json_text, "\xe2\x80\xa8\xe2\x80\xa9", "\"\\u2028\\u2029\"");
    assert_written(write_json_text, "", "\"\"");
}

static void what_is_no_utf8_is_replaced(void **state)
{
    (void)state;
    assert_written(write_json_text, "a\xff" "b\xc3", "\"a\\ufffdb\\ufffd\"");
    assert_written(write_json_text, "\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\"");
}

static void a_title_cannot_end_its_element(void **state)
{
    (void)state;
    assert_written(write_html_text, "</title><script>", "&#60;/title&#62;&#60;script&#62;");
    assert_written(write_html_text, "a & b", "a &#38; b");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_has_one_number),
        cmocka_unit_test(many_texts_keep_theirs),
        cmocka_unit_test(nothing_in_json_can_end_a_script_element),
        cmocka_unit_test(what_is_no_utf8_is_replaced),
        cmocka_unit_test(a_title_cannot_end_its_element),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
