/* The JSON writer's short ways, against plain ones: text and attributes of every length, numbers of every size. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bytes.h"
#include "exporters/json.h"
#include "random_spans.h"
#include "test.h"

static struct wh__json json;

static void assert_json(const char *expected)
{
    assert_int_equal(json.error, 0);
    assert_int_equal(json.len, strlen(expected));
    assert_memory_equal(json.buf, expected, json.len);
    json.len = 0;
}

/* One character after the other, of ASCII. */
static char *escaped(char *out, const char *text, size_t len)
{
    static const char named[] = "\b\f\n\r\t\"\\", letters[] = "bfnrt\"\\";
    *out++ = '"';
    for (size_t i = 0; i < len; i++) {
        const char *which = text[i] ? strchr(named, text[i]) : NULL;
        if (which)
            out += sprintf(out, "\\%c", letters[which - named]);
        else if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            out += sprintf(out, "\\u%04x", (unsigned)text[i]);
        else
            *out++ = text[i];
    }
    *out++ = '"';
    *out = '\0';
    return out;
}

static void fill(char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) text[i] = (char)('!' + (i * 7) % 0x5d);
    for (size_t i = 0; i < len; i++)
        if (text[i] == '"' || text[i] == '\\') text[i] = '_';
}

/* ---- text ---- */

static void a_character_is_escaped_wherever_it_stands(void **state)
{
    (void)state;
    static const char neighbours[] = {'!', '#', '[', ']', 0x20, 0x21, 0x7e, '_'};
    char text[80], expected[600];
    for (size_t len = 0; len <= 40; len++)
        for (size_t at = 0; at < len; at++)
            for (int c = 0; c < 0x80; c += c == 0x23 ? 0x38 : c == 0x5d ? 0x20 : 1) {
                fill(text, len);
                text[at] = (char)c;
                if (at + 1 < len) text[at + 1] = neighbours[(size_t)c % sizeof neighbours];
                wh__json_text(&json, (struct wh_bytes){text, len});
                escaped(expected, text, len);
                assert_json(expected);
            }
}

static void text_beyond_ascii_is_as_it_is_and_what_is_none_is_replaced(void **state)
{
    (void)state;
    static const struct { const char *text, *json; } rows[] = {
        {"\xc3\xa4", "\"\xc3\xa4\""}, {"0123456789abcdef\xe2\x82\xac", "\"0123456789abcdef\xe2\x82\xac\""},
        {"\xf0\x9f\x92\xb6", "\"\xf0\x9f\x92\xb6\""}, {"\xc2\x85", "\"\\u0085\""}, {"\xe2\x80\xa8", "\"\\u2028\""},
        {"a\xff" "b", "\"a\xef\xbf\xbd" "b\""}, {"\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
        {"\xe2\x82", "\"\xef\xbf\xbd\""}, {"\x80", "\"\xef\xbf\xbd\""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        wh__json_text(&json, (struct wh_bytes){rows[i].text, strlen(rows[i].text)});
        assert_json(rows[i].json);
    }
}

/* ---- numbers and bytes ---- */

static void whole_numbers_of_every_size(void **state)
{
    (void)state;
    char expected[32];
    uint64_t edge = 1;
    for (int digits = 0; digits < 20; digits++, edge *= 10)
        for (int64_t more = -2; more <= 2; more++) {
            const uint64_t value = edge + (uint64_t)more;
            wh__json_unsigned(&json, value);
            snprintf(expected, sizeof expected, "%" PRIu64, value);
            assert_json(expected);
            wh__json_signed(&json, (int64_t)value);
            snprintf(expected, sizeof expected, "%" PRId64, (int64_t)value);
            assert_json(expected);
        }
    const int64_t extremes[] = {INT64_MIN, INT64_MAX, 0, -1};
    for (size_t i = 0; i < 4; i++) {
        wh__json_signed(&json, extremes[i]);
        snprintf(expected, sizeof expected, "%" PRId64, extremes[i]);
        assert_json(expected);
    }
    wh__json_unsigned(&json, UINT64_MAX);
    assert_json("18446744073709551615");
}

/* The short way must say what printf() says in the fewest digits that read back. */
static void decimals_are_those_that_printf_would_write(void **state)
{
    (void)state;
    struct random_spans *random = random_spans_new(7, 1);
    char expected[40];
    for (int i = 0; i < 20000; i++) {
        const double scale[] = {1, 10, 1000, 1e6, 1e-6, 1e9, 3};
        const double value = (double)(int64_t)(random_below(random, 2000000) - 1000000) / scale[random_below(random, 7)];
        if (value == 0) continue;
        for (int digits = 15; digits <= 17; digits++) {
            double back;
            snprintf(expected, sizeof expected, "%.*g", digits, value);
            if (sscanf(expected, "%lf", &back) == 1 && back == value) break;
        }
        wh__json_double(&json, value);
        assert_json(expected);
    }
    random_spans_free(random);
}

static void ids_of_every_byte_are_hexadecimal(void **state)
{
    (void)state;
    uint8_t bytes[256];
    char expected[600], *p = expected;
    for (int i = 0; i < 256; i++) bytes[i] = (uint8_t)i;
    for (size_t len = 0; len <= 256; len++) {
        p = expected;
        *p++ = '"';
        for (size_t i = 0; i < len; i++) p += sprintf(p, "%02x", bytes[(i * 37) & 255]);
        strcpy(p, "\"");
        uint8_t shuffled[256];
        for (size_t i = 0; i < len; i++) shuffled[i] = bytes[(i * 37) & 255];
        wh__json_hex(&json, (struct wh_bytes){shuffled, len});
        assert_json(expected);
    }
}

/* ---- attributes ---- */

/* What a span with that one attribute is in JSON, from its key on. */
static void assert_attribute(const struct bytes *attribute, const char *expected)
{
    static struct bytes span;
    span.len = 0;
    put_in(&span, WH__SPAN_ATTRIBUTE, attribute);
    const struct wh_bytes spans[] = {bytes_of(&span)};
    const struct wh_scope_spans scope = {.spans = spans, .count = 1};
    const struct wh_batch batch = {.size = sizeof batch, .scopes = &scope, .scope_count = 1, .count = 1};
    assert_int_equal(wh__json_batch(&json, &batch), 1);
    const char *from = strstr(json.buf, "\"attributes\":[");
    assert_non_null(from);
    from += strlen("\"attributes\":[");
    assert_memory_equal(from, expected, strlen(expected));
    assert_memory_equal(from + strlen(expected), "]}", 2);
    json.len = 0;
}

static void attributes_of_every_length_and_every_number(void **state)
{
    (void)state;
    static struct bytes attribute, value;
    char key[200], text[200], one[600], two[600], expected[1500];
    for (size_t key_len = 0; key_len < 140; key_len += key_len < 40 ? 3 : 33)
        for (size_t len = 0; len < 140; len += len < 20 ? 1 : len < 110 ? 17 : 1) {
            fill(key, key_len);
            fill(text, len);
            if ((key_len + len) % 5 == 0 && len > 2) text[len / 2] = '"';
            value.len = attribute.len = 0;
            put_len(&value, WH__ANY_STRING, text, len);
            put_in(put_len(&attribute, WH__KEY, key, key_len), WH__VALUE_OF_KEY, &value);
            escaped(one, key, key_len);
            escaped(two, text, len);
            snprintf(expected, sizeof expected, "{\"key\":%s,\"value\":{\"stringValue\":%s}}", one, two);
            assert_attribute(&attribute, expected);
        }
    for (int bits = 0; bits < 64; bits++)
        for (int64_t more = -1; more <= 1; more++) {
            const uint64_t word = (UINT64_C(1) << bits) + (uint64_t)more;
            value.len = attribute.len = 0;
            put_attr(&attribute, 1, "k", put_varint(&value, WH__ANY_INT, word));
            snprintf(expected, sizeof expected, "{\"key\":\"k\",\"value\":{\"intValue\":\"%" PRId64 "\"}}", (int64_t)word);
            assert_attribute(&(struct bytes){.len = 0}, "{}");
            memmove(attribute.bytes, attribute.bytes + 2, attribute.len -= 2); /* without the head of its field */
            assert_attribute(&attribute, expected);
        }
}

/* Fields in another order, twice, or cut off, are what the long way makes of them. */
static void attributes_that_are_put_together_oddly(void **state)
{
    (void)state;
    static const struct { const char *bytes; size_t len; const char *json; } rows[] = {
        {"\x12\x03\x0a\x01v\x0a\x01k", 8, "{\"key\":\"k\",\"value\":{\"stringValue\":\"v\"}}"},
        {"\x0a\x01k\x0a\x01l\x12\x02\x18\x05", 10, "{\"key\":\"l\",\"value\":{\"intValue\":\"5\"}}"},
        {"\x0a\x01k\x12\x02\x18\x05\x12\x02\x10\x01", 11, "{\"key\":\"k\",\"value\":{\"boolValue\":true}}"},
        {"\x0a\x01k\x12\x04\x18\x85\x80\x00", 9, "{\"key\":\"k\",\"value\":{\"intValue\":\"5\"}}"},
        {"\x0a\x01k\x12\x03\x18\x85\x00", 8, "{\"key\":\"k\",\"value\":{\"intValue\":\"5\"}}"},
        {"\x0a\x01k\x12\x05\x0a\x01v\x18\x07", 10, "{\"key\":\"k\",\"value\":{\"intValue\":\"7\"}}"},
        {"\x0a\x01k\x12\x02\x18", 6, "{\"key\":\"k\"}"}, {"\x0a\x01k\x12\x01\x18", 6, "{\"key\":\"k\",\"value\":{}}"},
        {"\x0a\x01k\x12\x00", 5, "{\"key\":\"k\",\"value\":{}}"}, {"\x0a\x01k", 3, "{\"key\":\"k\"}"}, {"\x0a\x05k", 3, "{}"},
        {"\x12\x02\x18\x05", 4, "{\"value\":{\"intValue\":\"5\"}}"}, {"\x0a\x7fk\x12\x02\x18\x05", 7, "{}"},
    };
    static struct bytes attribute;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        memcpy(attribute.bytes, rows[i].bytes, attribute.len = rows[i].len);
        assert_attribute(&attribute, rows[i].json);
    }
}

static int free_json(void **state)
{
    (void)state;
    wh__json_free(&json);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_character_is_escaped_wherever_it_stands),
        cmocka_unit_test(text_beyond_ascii_is_as_it_is_and_what_is_none_is_replaced),
        cmocka_unit_test(whole_numbers_of_every_size),
        cmocka_unit_test(decimals_are_those_that_printf_would_write),
        cmocka_unit_test(ids_of_every_byte_are_hexadecimal),
        cmocka_unit_test(attributes_of_every_length_and_every_number),
        cmocka_unit_test(attributes_that_are_put_together_oddly),
    };
    return cmocka_run_group_tests_name("json", tests, NULL, free_json);
}
