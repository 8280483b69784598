/* Any bytes as JSON. The whole is passed over, and walked through with every question asked of every value: both must come to
 * the same judgement of it, and nothing may be read beyond its end. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "otlp/json_read.h"

static void require(bool holds)
{
    if (!holds) abort();
}

/* Asks for all that a value may be; at most one answers, and it is the one that was announced. */
static bool ask(struct wh__otlp_json *json)
{
    char text[16];
    size_t len;
    double number;
    int64_t whole;
    bool truth;
    const enum wh__otlp_json_type type = wh__otlp_json_next(json);
    const struct wh__otlp_json before = *json;
    if (wh__otlp_json_int(json, &whole)) {
        require(type == WH__OTLP_JSON_NUMBER || type == WH__OTLP_JSON_STRING);
        *json = before;
    }
    if (wh__otlp_json_string(json, text, sizeof text, &len)) {
        require(type == WH__OTLP_JSON_STRING && strlen(text) <= len && (len >= sizeof text || strlen(text) == len));
        return true;
    }
    if (wh__otlp_json_number(json, &number)) {
        require(type == WH__OTLP_JSON_NUMBER && number == number);
        return true;
    }
    if (wh__otlp_json_bool(json, &truth)) {
        require(type == WH__OTLP_JSON_BOOL);
        return true;
    }
    return false;
}

static void walk(struct wh__otlp_json *json)
{
    char key[8];
    if (ask(json)) return;
    if (wh__otlp_json_object(json)) {
        while (wh__otlp_json_key(json, key, sizeof key)) walk(json);
    } else if (wh__otlp_json_array(json)) {
        while (wh__otlp_json_item(json)) walk(json);
    } else {
        wh__otlp_json_skip(json);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wh__otlp_json whole = wh__otlp_json_of((const char *)data, size), walked = whole;
    const bool is_json = wh__otlp_json_end(&whole);
    walk(&walked);
    require(wh__otlp_json_end(&walked) == is_json);
    require(whole.depth <= WH__OTLP_JSON_DEPTH && walked.depth <= WH__OTLP_JSON_DEPTH);
    require(!is_json || walked.depth == 0);
    return 0;
}
