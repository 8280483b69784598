/* gRPC's side of OTLP, by table: what codes mean, what trailers say, frames, and the time that is left. */
#include <string.h>

#include "otlp/fields.h"
#include "otlp/grpc.h"
#include "otlp/mem.h"
#include "test_otlp.h"

/* ---- codes ---- */

static void only_what_may_be_sent_again_is_retried(void **state)
{
    (void)state;
    static const struct { int code; const char *name; bool again, again_with_retry_info; } cases[] = {
        {0, "OK", false, false}, {1, "CANCELLED", true, true}, {2, "UNKNOWN", false, false},
        {3, "INVALID_ARGUMENT", false, false}, {4, "DEADLINE_EXCEEDED", true, true}, {5, "NOT_FOUND", false, false},
        {6, "ALREADY_EXISTS", false, false}, {7, "PERMISSION_DENIED", false, false},
        {8, "RESOURCE_EXHAUSTED", false, true}, {9, "FAILED_PRECONDITION", false, false}, {10, "ABORTED", true, true},
        {11, "OUT_OF_RANGE", true, true}, {12, "UNIMPLEMENTED", false, false}, {13, "INTERNAL", false, false},
        {14, "UNAVAILABLE", true, true}, {15, "DATA_LOSS", true, true}, {16, "UNAUTHENTICATED", false, false},
        {17, "UNKNOWN", false, false}, {-1, "UNKNOWN", false, false}, {1000, "UNKNOWN", false, false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_string_equal(wh__otlp_grpc_name(cases[i].code), cases[i].name);
        assert_int_equal(wh__otlp_grpc_may_try_again(cases[i].code, false), cases[i].again);
        assert_int_equal(wh__otlp_grpc_may_try_again(cases[i].code, true), cases[i].again_with_retry_info);
    }
}

static void an_http_status_without_grpc_stands_for_a_code(void **state)
{
    (void)state;
    static const struct { long status; int code; } cases[] = {
        {400, WH__GRPC_INTERNAL}, {401, WH__GRPC_UNAUTHENTICATED}, {403, WH__GRPC_PERMISSION_DENIED},
        {404, WH__GRPC_UNIMPLEMENTED}, {429, WH__GRPC_UNAVAILABLE}, {502, WH__GRPC_UNAVAILABLE},
        {503, WH__GRPC_UNAVAILABLE}, {504, WH__GRPC_UNAVAILABLE}, {500, WH__GRPC_UNKNOWN}, {302, WH__GRPC_UNKNOWN},
        {418, WH__GRPC_UNKNOWN}, {0, WH__GRPC_UNKNOWN},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(wh__otlp_grpc_from_http(cases[i].status), cases[i].code);
}

/* ---- header and trailer fields ---- */

static struct wh__otlp_fields take_lines(const char *const *lines)
{
    struct wh__otlp_fields fields;
    wh__otlp_fields_begin(&fields);
    for (; *lines; lines++) assert_true(wh__otlp_fields_take(&fields, *lines, strlen(*lines), 1000));
    return fields;
}

static void trailers_and_trailers_only_answers_have_a_status(void **state)
{
    (void)state;
    static const struct { const char *lines[8]; int code; const char *words; } cases[] = {
        {{"HTTP/2 200 \r\n", "content-type: application/grpc\r\n", "\r\n", "grpc-status: 0\r\n", "grpc-message: \r\n"}, 0, ""},
        {{"HTTP/2 200 \r\n", "content-type: application/grpc+proto\r\n", "grpc-status: 14\r\n",
            "grpc-message: gone%20away%\r\n", "\r\n"}, 14, "gone away%"},
        {{"HTTP/2 200 \r\n", "GRPC-Status:8\r\n", "Grpc-Message:  100%25 full  \r\n"}, 8, "100% full"},
        {{"grpc-message: %1B[31m%e2%82%ac%0a\r\n", "grpc-status: 2"}, 2, "?[31m????"},
        {{"grpc-status: 99\r\n"}, 2, ""},
        {{"grpc-status: -1\r\n"}, 2, ""},
        {{"grpc-status: 0x1\r\n"}, 2, ""},
        {{"grpc-status:\r\n"}, 2, ""},
        {{"grpc-status: 4294967296\r\n"}, 2, ""},
        {{"HTTP/2 200 \r\n", "content-type: application/grpc\r\n"}, -1, ""},
        {{"HTTP/1.1 100 Continue\r\n", "grpc-status: 3\r\n", "\r\n", "HTTP/2 200 \r\n"}, -1, ""},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct wh__otlp_fields fields = take_lines(cases[i].lines);
        assert_int_equal(fields.grpc.code, cases[i].code);
        assert_string_equal(fields.grpc.words, cases[i].words);
        assert_false(fields.grpc.has_retry_info);
    }
}

static void the_kind_of_an_answer_is_known(void **state)
{
    (void)state;
    static const struct { const char *line; enum wh__otlp_content content; } cases[] = {
        {"X: y\r\n", WH__OTLP_UNSAID},
        {"content-type: application/x-protobuf\r\n", WH__OTLP_PROTOBUF},
        {"Content-Type: Application/X-Protobuf ; v=1\r\n", WH__OTLP_PROTOBUF},
        {"content-type: application/json; charset=utf-8\r\n", WH__OTLP_JSON},
        {"content-type: application/grpc\r\n", WH__OTLP_FRAMES},
        {"content-type: application/grpc+proto\r\n", WH__OTLP_FRAMES},
        {"content-type: text/plain\r\n", WH__OTLP_PLAIN},
        {"content-type: text/html\r\n", WH__OTLP_ELSE},
        {"content-type:\r\n", WH__OTLP_ELSE},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *lines[] = {cases[i].line, NULL};
        assert_int_equal(take_lines(lines).content, cases[i].content);
    }
}

/* google.rpc.Status { code: 8, message: "slow", details: Any... } in base64, without padding as gRPC sends it. */
static void retry_info_is_found_in_the_details(void **state)
{
    (void)state;
    static const struct { const char *what, *value; bool has; int64_t delay; } cases[] = {
        {"2.5 s", "CAgSBHNsb3caNgoodHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLlJldHJ5SW5mbxIKCggIAhCAyrXuAQ", true,
            WH_MS(2500)},
        {"the same with padding",
            "CAgSBHNsb3caNgoodHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLlJldHJ5SW5mbxIKCggIAhCAyrXuAQ==", true,
            WH_MS(2500)},
        {"no delay", "CAgSBHNsb3caLAoodHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLlJldHJ5SW5mbxIA", true, -1},
        {"zero", "CAgSBHNsb3caLgoodHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLlJldHJ5SW5mbxICCgA", true, 0},
        {"negative", "CAgSBHNsb3caOQoodHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLlJldHJ5SW5mbxINCgsI////////////AQ",
            true, -1},
        {"a century", "CAgSBHNsb3caNAoodHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLlJldHJ5SW5mbxIICgYIgKfk4As", true, -1},
        {"too many nanoseconds",
            "CAgSBHNsb3caNgoodHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLlJldHJ5SW5mbxIKCggIARCAlOvcAw", true, -1},
        {"after another detail",
            "CAgSBHNsb3caLQoodHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLkRlYnVnSW5mbxIBeBowCih0eXBlLmdvb2dsZWFwaXMuY29t"
            "L2dvb2dsZS5ycGMuUmV0cnlJbmZvEgQKAggB", true, WH_SEC(1)},
        {"another type", "CAgSBHNsb3caMAoodHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLkRlYnVnSW5mbxIECgIIAQ", false, -1},
        {"a type without a host", "CAgSBHNsb3caHAoUZ29vZ2xlLnJwYy5SZXRyeUluZm8SBAoCCAE", false, -1},
        {"a broken detail", "CAgSBHNsb3caAgr/", false, -1},
        {"a broken delay", "CAgSBHNsb3caLgoodHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLlJldHJ5SW5mbxICCv8", false, -1},
        {"no base64", "!!!!", false, -1},
        {"one character too many", "CAgSB", false, -1},
        {"no protobuf", "/////w", false, -1},
        {"nothing", "", false, -1},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char line[300];
        const char *lines[] = {"grpc-status: 8\r\n", line, NULL};
        snprintf(line, sizeof line, "grpc-status-details-bin: %s\r\n", cases[i].value);
        const struct wh__otlp_fields fields = take_lines(lines);
        if (fields.grpc.has_retry_info != cases[i].has || fields.grpc.retry_delay != cases[i].delay)
            fail_msg("%s: %d, %lld", cases[i].what, fields.grpc.has_retry_info, (long long)fields.grpc.retry_delay);
        assert_int_equal(fields.grpc.code, WH__GRPC_RESOURCE_EXHAUSTED);
    }
}

static void a_delay_has_limits(void **state)
{
    (void)state;
    static const struct { int64_t seconds; int32_t nanos; int64_t delay; } cases[] = {
        {0, 0, 0}, {0, 1, 1}, {1, 500000000, WH_MS(1500)}, {86400, 0, WH_SEC(86400)}, {86401, 0, -1}, {-1, 0, -1},
        {0, -1, -1}, {0, 1000000000, -1}, {INT64_MAX, 0, -1}, {INT64_MIN, INT32_MIN, -1}};
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_true(wh__otlp_grpc_delay(cases[i].seconds, cases[i].nanos) == cases[i].delay);
}

static void header_and_trailers_are_bounded(void **state)
{
    (void)state;
    static char line[64 << 10];
    struct wh__otlp_fields fields;
    size_t taken = 0;
    wh__otlp_fields_begin(&fields);
    memset(line, 'x', sizeof line);
    while (wh__otlp_fields_take(&fields, line, sizeof line, 0) && taken < 100) {
        assert_true(wh__otlp_fields_take(&fields, "HTTP/1.1 100 Continue\r\n", 23, 0)); /* which begins anew */
        taken++;
    }
    assert_in_range(taken, 1, 4);
}

/* ---- frames ---- */

static void a_frame_is_undone(void **state)
{
    (void)state;
    enum { MOST = 100 };
    static const struct { struct wh_bytes body; int rc; size_t len; } cases[] = {
        {{"", 0}, EBADMSG, 0},
        {{"\0\0\0\0", 4}, EBADMSG, 0},
        {{"\0\0\0\0\0", 5}, 0, 0},
        {{"\0\0\0\0\2ab", 7}, 0, 2},
        {{"\0\0\0\0\2a", 6}, EBADMSG, 0},
        {{"\0\0\0\0\2abc", 8}, EBADMSG, 0},
        {{"\0\0\0\0\0\0\0\0\0\0", 10}, EBADMSG, 0},
        {{"\0\0\0\0\x65", 5}, EMSGSIZE, 0},
        {{"\0\xff\xff\xff\xff", 5}, EMSGSIZE, 0},
        {{"\2\0\0\0\0", 5}, EBADMSG, 0},
        {{"\1\0\0\0\2ab", 7}, EBADMSG, 0},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct wh__otlp_room room = {0};
        struct wh_bytes message = {NULL, 0};
        assert_int_equal(wh__otlp_grpc_unframe(cases[i].body, true, MOST, &room, &message), cases[i].rc);
        assert_int_equal(message.len, cases[i].len);
        wh__otlp_room_free(&room);
    }
}

/* Twenty times "a", by gzip. */
static const uint8_t zipped_20[] = {
    0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 3, 0x4b, 0x4c, 0xc4, 4, 0, 0xce, 0x8b, 0x6f, 0x26, 0x14, 0, 0, 0};

static size_t frame_of(uint8_t *out, const uint8_t *zipped, size_t len)
{
    wh__otlp_grpc_frame(out, true, len);
    memcpy(out + WH__OTLP_FRAME, zipped, len);
    return WH__OTLP_FRAME + len;
}

static void a_compressed_message_is_decompressed_up_to_the_limit(void **state)
{
    (void)state;
    uint8_t body[64];
    struct wh__otlp_room room = {0};
    struct wh_bytes message;
    const struct wh_bytes all = {body, frame_of(body, zipped_20, sizeof zipped_20)};
    assert_int_equal(wh__otlp_grpc_unframe(all, true, 100, &room, &message), 0);
    assert_int_equal(message.len, 20);
    for (size_t i = 0; i < 20; i++) assert_int_equal(((const char *)message.ptr)[i], 'a');
    assert_int_equal(wh__otlp_grpc_unframe(all, true, 19, &room, &message), EMSGSIZE);
    assert_int_equal(wh__otlp_grpc_unframe(all, false, 100, &room, &message), EBADMSG);
    for (size_t len = 0; len < sizeof zipped_20; len++) {
        const struct wh_bytes cut = {body, frame_of(body, zipped_20, len)};
        assert_int_equal(wh__otlp_grpc_unframe(cut, true, 100, &room, &message), EBADMSG);
    }
    wh__otlp_room_free(&room);
}

static void a_frame_says_how_long_it_is(void **state)
{
    (void)state;
    uint8_t head[WH__OTLP_FRAME];
    wh__otlp_grpc_frame(head, false, 0x01020304);
    assert_memory_equal(head, "\0\1\2\3\4", 5);
    wh__otlp_grpc_frame(head, true, 0);
    assert_memory_equal(head, "\1\0\0\0\0", 5);
}

static void a_timeout_has_at_most_eight_digits(void **state)
{
    (void)state;
    static const struct { int64_t ns; const char *text; } cases[] = {
        {WH_SEC(10), "10000m"}, {1, "1m"}, {0, "1m"}, {-5, "1m"}, {WH_MS(99999999), "99999999m"},
        {WH_MS(100000000), "100000S"}, {WH_NEVER, "2562047H"}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[WH__OTLP_GRPC_TIMEOUT];
        wh__otlp_grpc_timeout(text, cases[i].ns);
        assert_string_equal(text, cases[i].text);
    }
}

/* ---- base64 ---- */

static void base64_is_undone(void **state)
{
    (void)state;
    static const struct { const char *text, *bytes; int len; } cases[] = {
        {"", "", 0}, {"Zg==", "f", 1}, {"Zg", "f", 1}, {"Zm8=", "fo", 2}, {"Zm8", "fo", 2}, {"Zm9v", "foo", 3},
        {"Zm9vYg==", "foob", 4}, {"Zm9vYmFy", "foobar", 6}, {"+/+/", "\xfb\xff\xbf", 3}, {"Z", "", -1}, {"Zm9vY", "", -1},
        {"Zg=", "", -1}, {"Z===", "", -1}, {"Zm9v====", "", -1}, {"-_-_", "", -1}, {"Zm 9", "", -1}, {"=", "", -1},
        {"====", "", -1}, {"Zg==Zg==", "", -1}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint8_t out[16];
        size_t len = 99;
        const bool good = wh__otlp_base64(cases[i].text, strlen(cases[i].text), out, &len);
        if (good != (cases[i].len >= 0)) fail_msg("%s", cases[i].text);
        if (!good) continue;
        assert_int_equal(len, cases[i].len);
        assert_memory_equal(out, cases[i].bytes, len);
    }
}

/* ---- without memory ---- */

static long allowed;

static bool allow_some(size_t size)
{
    (void)size;
    return allowed-- > 0;
}

static void without_memory_nothing_is_made_up(void **state)
{
    (void)state;
    static const char line[] =
        "grpc-status-details-bin: CAgSBHNsb3caNgoodHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLlJldHJ5SW5mbxIKCggIAhCAyrXuAQ";
    const char *lines[] = {line, NULL};
    uint8_t body[64];
    const struct wh_bytes all = {body, frame_of(body, zipped_20, sizeof zipped_20)};
    bool has = false;
    int rc = ENOMEM;
    wh__otlp_mem_gate = allow_some;
    for (long i = 0; !has; i++) {
        allowed = i;
        const struct wh__otlp_fields fields = take_lines(lines);
        has = fields.grpc.has_retry_info && fields.grpc.retry_delay == WH_MS(2500);
        assert_true(i < 100);
    }
    for (long i = 0; rc; i++) {
        struct wh__otlp_room room = {0};
        struct wh_bytes message;
        allowed = i;
        rc = wh__otlp_grpc_unframe(all, true, 100, &room, &message);
        assert_true(rc == 0 || rc == ENOMEM);
        wh__otlp_room_free(&room);
    }
    wh__otlp_mem_gate = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_may_be_sent_again_is_retried),
        cmocka_unit_test(an_http_status_without_grpc_stands_for_a_code),
        cmocka_unit_test(trailers_and_trailers_only_answers_have_a_status),
        cmocka_unit_test(the_kind_of_an_answer_is_known),
        cmocka_unit_test(retry_info_is_found_in_the_details),
        cmocka_unit_test(a_delay_has_limits),
        cmocka_unit_test(header_and_trailers_are_bounded),
        cmocka_unit_test(a_frame_is_undone),
        cmocka_unit_test(a_compressed_message_is_decompressed_up_to_the_limit),
        cmocka_unit_test(a_frame_says_how_long_it_is),
        cmocka_unit_test(a_timeout_has_at_most_eight_digits),
        cmocka_unit_test(base64_is_undone),
        cmocka_unit_test(without_memory_nothing_is_made_up),
    };
    return cmocka_run_group_tests_name("exporters/otlp_grpc", tests, NULL, NULL);
}
