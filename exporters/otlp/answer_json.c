#include "otlp/answer.h"

#include <errno.h>
#include <string.h>

#include "otlp/json_read.h"

enum { KEY = 24 };

static void take_words(struct wh__otlp_json *json, char words[WH__OTLP_WORDS])
{
    char text[WH__OTLP_WORDS];
    if (wh__otlp_json_string(json, text, sizeof text, NULL)) wh__otlp_copy_words(words, text, strlen(text));
}

static void take_partial_success(struct wh__otlp_json *json, int64_t *rejected, char words[WH__OTLP_WORDS])
{
    char key[KEY];
    if (!wh__otlp_json_object(json)) return;
    while (wh__otlp_json_key(json, key, sizeof key)) {
        if (strcmp(key, "rejectedSpans") == 0)
            wh__otlp_json_int(json, rejected);
        else if (strcmp(key, "errorMessage") == 0)
            take_words(json, words);
    }
}

/* Unknown members are passed over (OTLP/JSON), and what is no JSON to its end has said nothing. */
int wh__otlp_read_json_success(struct wh_bytes body, size_t count, size_t *rejected, char words[WH__OTLP_WORDS])
{
    struct wh__otlp_json json = wh__otlp_json_of(body.len ? body.ptr : "", body.len);
    int64_t said = 0;
    char key[KEY];
    *rejected = 0;
    words[0] = '\0';
    if (body.len == 0) return 0;
    const bool is_object = wh__otlp_json_object(&json);
    while (is_object && wh__otlp_json_key(&json, key, sizeof key))
        if (strcmp(key, "partialSuccess") == 0) take_partial_success(&json, &said, words);
    if (!wh__otlp_json_end(&json) || !is_object) {
        words[0] = '\0';
        return EBADMSG;
    }
    if (said > 0) *rejected = (uint64_t)said < count ? (size_t)said : count;
    return 0;
}

void wh__otlp_read_json_refusal(struct wh_bytes body, char words[WH__OTLP_WORDS])
{
    struct wh__otlp_json json = wh__otlp_json_of(body.len ? body.ptr : "", body.len);
    char key[KEY];
    words[0] = '\0';
    if (wh__otlp_json_object(&json))
        while (wh__otlp_json_key(&json, key, sizeof key))
            if (strcmp(key, "message") == 0) take_words(&json, words);
    if (!wh__otlp_json_end(&json)) words[0] = '\0';
}
