/* What becomes of the spans, by the answer: every status and every code, over both ways. */
#include <string.h>

#include "otlp/answer.h"
#include "test_otlp.h"

static struct wh__otlp_verdict judged(enum wh_otlp_protocol protocol, const struct wh__otlp_answer *answer)
{
    const struct wh__otlp_target target = {.protocol = protocol, .max_response = 1 << 20};
    struct wh__otlp_room room = {0};
    struct wh__otlp_verdict verdict;
    wh__otlp_judge(&target, answer, 10, &room, &verdict);
    wh__otlp_room_free(&room);
    return verdict;
}

static struct wh__otlp_answer http_answer(long status, const char *body, size_t len)
{
    struct wh__otlp_answer answer = {.status = status, .body = {body, len}};
    wh__otlp_fields_begin(&answer.fields);
    return answer;
}

/* ---- OTLP/HTTP ---- */

static void statuses_of_http_have_their_consequences(void **state)
{
    (void)state;
    for (long status = 300; status < 600; status++) {
        const struct wh__otlp_answer answer = http_answer(status, "", 0);
        const enum wh__otlp_fate fate = judged(WH_OTLP_HTTP_PROTOBUF, &answer).fate;
        const bool later = status == 429 || status == 502 || status == 503 || status == 504;
        assert_int_equal(fate, later ? WH__OTLP_LATER : status == 413 ? WH__OTLP_TOO_LARGE : WH__OTLP_REFUSED);
        assert_int_equal(judged(WH_OTLP_HTTP_JSON, &answer).fate, fate);
        assert_int_equal(judged(WH_OTLP_HTTP_JSON, &answer).error, EIO);
    }
}

/* The encoding is what the answer says; where it says nothing, that of the request. */
static void a_message_is_read_in_its_encoding(void **state)
{
    (void)state;
    static const struct {
        enum wh_otlp_protocol protocol;
        enum wh__otlp_content content;
        const char *body;
        const char *words;
    } cases[] = {
        {WH_OTLP_HTTP_PROTOBUF, WH__OTLP_UNSAID, "\x08\x03\x12\x03why", "why"},
        {WH_OTLP_HTTP_PROTOBUF, WH__OTLP_JSON, "{\"code\":3,\"message\":\"why\"}", "why"},
        {WH_OTLP_HTTP_JSON, WH__OTLP_UNSAID, "{\"message\":\"why\",\"details\":[{\"@type\":\"x\"}]}", "why"},
        {WH_OTLP_HTTP_JSON, WH__OTLP_JSON, "{\"message\":\"w\\u001b[31m\\u00e9\\n\"}", "w?[31m???"},
        {WH_OTLP_HTTP_JSON, WH__OTLP_PROTOBUF, "\x12\x03why", "why"},
        {WH_OTLP_HTTP_JSON, WH__OTLP_JSON, "{\"message\":\"why\"", ""},
        {WH_OTLP_HTTP_JSON, WH__OTLP_JSON, "{\"message\":7}", ""},
        {WH_OTLP_HTTP_JSON, WH__OTLP_JSON, "[]", ""},
        {WH_OTLP_HTTP_JSON, WH__OTLP_PLAIN, "404 page\x07 not found\nreally", "404 page? not found"},
        {WH_OTLP_HTTP_PROTOBUF, WH__OTLP_PLAIN, "404", "404"},
        {WH_OTLP_HTTP_PROTOBUF, WH__OTLP_ELSE, "<html>", ""},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct wh__otlp_answer answer = http_answer(400, cases[i].body, strlen(cases[i].body));
        answer.fields.content = cases[i].content;
        const struct wh__otlp_verdict verdict = judged(cases[i].protocol, &answer);
        assert_string_equal(verdict.words, cases[i].words);
        assert_string_equal(verdict.label, "HTTP 400");
        assert_int_equal(verdict.fate, WH__OTLP_REFUSED);
    }
}

static void a_400_that_tells_of_size_means_too_large(void **state)
{
    (void)state;
    static const char *const bodies[] = {"{\"code\":3,\"message\":\"http: request body too large\"}",
        "{\"message\":\"Message Larger Than max (5 vs 4)\"}"};
    for (size_t i = 0; i < COUNT(bodies); i++) {
        struct wh__otlp_answer answer = http_answer(400, bodies[i], strlen(bodies[i]));
        assert_int_equal(judged(WH_OTLP_HTTP_JSON, &answer).fate, WH__OTLP_TOO_LARGE);
        answer.status = 401;
        assert_int_equal(judged(WH_OTLP_HTTP_JSON, &answer).fate, WH__OTLP_REFUSED);
    }
}

static void partial_success_is_read_in_json(void **state)
{
    (void)state;
    static const struct { const char *body; size_t rejected; const char *words; bool is_nonsense; } cases[] = {
        {"", 0, "", false},
        {"{}", 0, "", false},
        {" {\"partialSuccess\":{}}\n", 0, "", false},
        {"{\"partialSuccess\":null}", 0, "", false},
        {"{\"partialSuccess\":{\"rejectedSpans\":\"3\",\"errorMessage\":\"bad \\\"ids\\\"\"}}", 3, "bad \"ids\"", false},
        {"{\"partialSuccess\":{\"errorMessage\":\"careful\",\"rejectedSpans\":0}}", 0, "careful", false},
        {"{\"new\":[1,{}],\"partialSuccess\":{\"new\":{\"rejectedSpans\":9},\"rejectedSpans\":2}}", 2, "", false},
        {"{\"partialSuccess\":{\"rejectedSpans\":\"9223372036854775807\"}}", 10, "", false},
        {"{\"partialSuccess\":{\"rejectedSpans\":1e30}}", 0, "", false},
        {"{\"partialSuccess\":{\"rejectedSpans\":-5}}", 0, "", false},
        {"{\"partialSuccess\":{\"rejectedSpans\":\"five\"}}", 0, "", false},
        {"{\"partialSuccess\":{\"rejectedSpans\":3}", 0, "", true},
        {"{\"partialSuccess\":{\"rejectedSpans\":3}}}", 0, "", true},
        {"[]", 0, "", true},
        {"ok", 0, "", true},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct wh__otlp_answer answer = http_answer(200, cases[i].body, strlen(cases[i].body));
        const struct wh__otlp_verdict verdict = judged(WH_OTLP_HTTP_JSON, &answer);
        if (verdict.rejected != cases[i].rejected || strcmp(verdict.words, cases[i].words) ||
            verdict.is_nonsense != cases[i].is_nonsense)
            fail_msg("%s: %zu, \"%s\", %d", cases[i].body, verdict.rejected, verdict.words, verdict.is_nonsense);
        assert_int_equal(verdict.fate, WH__OTLP_ACCEPTED);
    }
}

/* A status that came is worth more than that the rest did not; and without one, it depends on why. */
static void what_broke_off_is_judged_by_what_came(void **state)
{
    (void)state;
    static const struct { long status; bool transient; enum wh__otlp_fate fate; } cases[] = {
        {0, true, WH__OTLP_LATER}, {0, false, WH__OTLP_REFUSED}, {200, true, WH__OTLP_LATER},
        {200, false, WH__OTLP_REFUSED}, {503, true, WH__OTLP_LATER}, {503, false, WH__OTLP_REFUSED},
        {400, true, WH__OTLP_REFUSED}, {413, true, WH__OTLP_TOO_LARGE}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct wh__otlp_answer answer = http_answer(cases[i].status, "", 0);
        answer.error = ECONNRESET;
        answer.transient = cases[i].transient;
        const struct wh__otlp_verdict verdict = judged(WH_OTLP_HTTP_PROTOBUF, &answer);
        assert_int_equal(verdict.fate, cases[i].fate);
        assert_int_equal(verdict.error, ECONNRESET);
        assert_int_equal(verdict.was_answered, cases[i].status != 0);
    }
}

/* ---- OTLP/gRPC ---- */

static struct wh__otlp_answer grpc_answer(long status, int code, const char *body, size_t len)
{
    struct wh__otlp_answer answer = http_answer(status, body, len);
    answer.fields.content = WH__OTLP_FRAMES;
    answer.fields.grpc.code = code;
    return answer;
}

static void codes_of_grpc_have_their_consequences(void **state)
{
    (void)state;
    for (int code = 1; code < WH__GRPC_CODES; code++)
        for (int has_retry_info = 0; has_retry_info <= 1; has_retry_info++) {
            struct wh__otlp_answer answer = grpc_answer(200, code, "", 0);
            answer.fields.grpc.has_retry_info = has_retry_info;
            const struct wh__otlp_verdict verdict = judged(WH_OTLP_GRPC, &answer);
            const bool later = wh__otlp_grpc_may_try_again(code, has_retry_info);
            assert_int_equal(verdict.fate, later ? WH__OTLP_LATER : code == WH__GRPC_RESOURCE_EXHAUSTED
                                                                   ? WH__OTLP_TOO_LARGE : WH__OTLP_REFUSED);
            assert_int_equal(strncmp(verdict.label, "gRPC ", 5), 0);
            assert_string_equal(verdict.label + 5, wh__otlp_grpc_name(code));
        }
}

static void the_message_of_a_good_answer_is_read(void **state)
{
    (void)state;
    static const struct { struct wh_bytes body; size_t rejected; bool is_nonsense; } cases[] = {
        {{"\0\0\0\0\0", 5}, 0, false},
        {{"\0\0\0\0\4\x0a\2\x08\3", 9}, 3, false},
        {{"\0\0\0\0\4\x0a\2\x08\x7f", 9}, 10, false},
        {{"", 0}, 0, true},
        {{"\0\0\0\0\4\x0a\x7f\x08\3", 9}, 0, true},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct wh__otlp_answer answer = grpc_answer(200, 0, cases[i].body.ptr, cases[i].body.len);
        const struct wh__otlp_verdict verdict = judged(WH_OTLP_GRPC, &answer);
        assert_int_equal(verdict.fate, WH__OTLP_ACCEPTED);
        assert_int_equal(verdict.rejected, cases[i].rejected);
        assert_int_equal(verdict.is_nonsense, cases[i].is_nonsense);
    }
}

static void without_a_status_it_is_unknown_or_what_http_says(void **state)
{
    (void)state;
    static const struct { long status; enum wh__otlp_content content; enum wh__otlp_fate fate; const char *label, *words; }
    cases[] = {
        {200, WH__OTLP_FRAMES, WH__OTLP_REFUSED, "gRPC UNKNOWN", "the answer ends without a status"},
        {200, WH__OTLP_ELSE, WH__OTLP_REFUSED, "gRPC UNKNOWN", "the answer is not gRPC"},
        {404, WH__OTLP_ELSE, WH__OTLP_REFUSED, "HTTP 404", ""},
        {413, WH__OTLP_ELSE, WH__OTLP_TOO_LARGE, "HTTP 413", ""},
        {429, WH__OTLP_ELSE, WH__OTLP_LATER, "HTTP 429", ""},
        {502, WH__OTLP_ELSE, WH__OTLP_LATER, "HTTP 502", ""},
        {503, WH__OTLP_ELSE, WH__OTLP_LATER, "HTTP 503", ""},
        {504, WH__OTLP_ELSE, WH__OTLP_LATER, "HTTP 504", ""},
        {500, WH__OTLP_ELSE, WH__OTLP_REFUSED, "HTTP 500", ""},
        {302, WH__OTLP_ELSE, WH__OTLP_REFUSED, "HTTP 302", ""},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct wh__otlp_answer answer = grpc_answer(cases[i].status, -1, "", 0);
        answer.fields.content = cases[i].content;
        const struct wh__otlp_verdict verdict = judged(WH_OTLP_GRPC, &answer);
        assert_int_equal(verdict.fate, cases[i].fate);
        assert_string_equal(verdict.label, cases[i].label);
        assert_string_equal(verdict.words, cases[i].words);
    }
    /* A code that came counts before the status of HTTP; but that all is well takes both. */
    assert_int_equal(judged(WH_OTLP_GRPC, &(struct wh__otlp_answer){.status = 503, .fields.grpc.code = 3}).fate,
        WH__OTLP_REFUSED);
    assert_int_equal(judged(WH_OTLP_GRPC, &(struct wh__otlp_answer){.status = 500, .fields.grpc.code = 0}).fate,
        WH__OTLP_REFUSED);
}

static void a_pause_that_was_asked_for_is_handed_on(void **state)
{
    (void)state;
    struct wh__otlp_answer answer = grpc_answer(200, WH__GRPC_UNAVAILABLE, "", 0);
    assert_true(judged(WH_OTLP_GRPC, &answer).pause == -1);
    answer.fields.retry_after = WH_SEC(5);
    assert_true(judged(WH_OTLP_GRPC, &answer).pause == WH_SEC(5));
    answer.fields.grpc.retry_delay = WH_SEC(2);
    assert_true(judged(WH_OTLP_GRPC, &answer).pause == WH_SEC(2));
    answer.status = 503;
    assert_true(judged(WH_OTLP_HTTP_PROTOBUF, &answer).pause == WH_SEC(5));
}

static void a_stream_that_broke_off_is_judged_by_what_came(void **state)
{
    (void)state;
    static const struct { long status; int code; bool transient; enum wh__otlp_fate fate; } cases[] = {
        {0, -1, true, WH__OTLP_LATER}, {0, -1, false, WH__OTLP_REFUSED}, {200, -1, true, WH__OTLP_LATER},
        {200, WH__GRPC_INTERNAL, true, WH__OTLP_REFUSED}, {200, WH__GRPC_UNAVAILABLE, true, WH__OTLP_LATER},
        {200, WH__GRPC_OK, false, WH__OTLP_REFUSED}, {502, -1, true, WH__OTLP_LATER}, {403, -1, true, WH__OTLP_REFUSED}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct wh__otlp_answer answer = grpc_answer(cases[i].status, cases[i].code, "", 0);
        answer.error = ECONNRESET;
        answer.transient = cases[i].transient;
        assert_int_equal(judged(WH_OTLP_GRPC, &answer).fate, cases[i].fate);
    }
}

static void a_request_that_was_cut_short_is_too_large(void **state)
{
    (void)state;
    const struct wh__otlp_answer answer = {.error = EIO, .transient = true, .cut_short = true};
    for (int protocol = WH_OTLP_HTTP_PROTOBUF; protocol <= WH_OTLP_GRPC; protocol++) {
        const struct wh__otlp_verdict verdict = judged((enum wh_otlp_protocol)protocol, &answer);
        assert_int_equal(verdict.fate, WH__OTLP_TOO_LARGE);
        assert_true(verdict.was_answered);
    }
}

/* As libcurl 7.88 hands it over when GOAWAY comes before the trailers. */
static void trailers_that_were_lost_with_the_connection_are_not_missed(void **state)
{
    (void)state;
    static const struct { struct wh_bytes body; enum wh__otlp_fate fate; size_t rejected; } cases[] = {
        {{"\0\0\0\0\0", 5}, WH__OTLP_ACCEPTED, 0},
        {{"\0\0\0\0\4\x0a\2\x08\3", 9}, WH__OTLP_ACCEPTED, 3},
        {{"\0\0\0\0\4\x0a\2", 7}, WH__OTLP_LATER, 0},
        {{"", 0}, WH__OTLP_LATER, 0},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct wh__otlp_answer answer = grpc_answer(200, -1, cases[i].body.ptr, cases[i].body.len);
        answer.may_lack_trailers = true;
        const struct wh__otlp_verdict verdict = judged(WH_OTLP_GRPC, &answer);
        assert_int_equal(verdict.fate, cases[i].fate);
        assert_int_equal(verdict.rejected, cases[i].rejected);
        answer.fields.content = WH__OTLP_ELSE;
        assert_int_equal(judged(WH_OTLP_GRPC, &answer).fate, WH__OTLP_REFUSED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statuses_of_http_have_their_consequences),
        cmocka_unit_test(a_message_is_read_in_its_encoding),
        cmocka_unit_test(a_400_that_tells_of_size_means_too_large),
        cmocka_unit_test(partial_success_is_read_in_json),
        cmocka_unit_test(what_broke_off_is_judged_by_what_came),
        cmocka_unit_test(codes_of_grpc_have_their_consequences),
        cmocka_unit_test(the_message_of_a_good_answer_is_read),
        cmocka_unit_test(without_a_status_it_is_unknown_or_what_http_says),
        cmocka_unit_test(a_pause_that_was_asked_for_is_handed_on),
        cmocka_unit_test(a_stream_that_broke_off_is_judged_by_what_came),
        cmocka_unit_test(a_request_that_was_cut_short_is_too_large),
        cmocka_unit_test(trailers_that_were_lost_with_the_connection_are_not_missed),
    };
    return cmocka_run_group_tests_name("exporters/otlp_verdict", tests, NULL, NULL);
}
