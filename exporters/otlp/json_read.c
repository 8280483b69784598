#include "otlp/json_read.h"

#include <string.h>

struct wh__otlp_json wh__otlp_json_of(const char *text, size_t len)
{
    return (struct wh__otlp_json){.at = text, .end = text + len, .due = true};
}

/* ---- characters ---- */

static bool fail(struct wh__otlp_json *json)
{
    json->broken = true;
    json->due = false;
    return false;
}

/* 0 at the end: a zero is nowhere allowed. */
static char look(const struct wh__otlp_json *json)
{
    return json->at < json->end ? *json->at : '\0';
}

static void skip_blanks(struct wh__otlp_json *json)
{
    while (json->at < json->end && (*json->at == ' ' || *json->at == '\t' || *json->at == '\n' || *json->at == '\r')) json->at++;
}

static bool take(struct wh__otlp_json *json, char c)
{
    if (look(json) != c) return fail(json);
    json->at++;
    return true;
}

static bool take_word(struct wh__otlp_json *json, const char *word)
{
    const size_t len = strlen(word);
    if ((size_t)(json->end - json->at) < len || memcmp(json->at, word, len)) return fail(json);
    json->at += len;
    return true;
}

/* ---- strings ---- */

/* What a string is decoded into. `size` 0: nowhere, it is only checked. */
struct text {
    char *out;
    size_t size, len; /* len: of the whole */
    bool full;        /* from the first character on that did not fit */
};

static void add(struct text *text, const char *bytes, size_t count)
{
    if (text->len + count >= text->size) text->full = true;
    if (!text->full) memcpy(text->out + text->len, bytes, count);
    text->len += count;
    if (!text->full) text->out[text->len] = '\0';
}

static void add_code_point(struct text *text, uint32_t c)
{
    char utf8[4];
    if (c == 0 || (c >= 0xd800 && c < 0xe000)) c = 0xfffd;
    if (c < 0x80) {
        utf8[0] = (char)c;
        add(text, utf8, 1);
        return;
    }
    const unsigned more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    const unsigned lead[] = {0, 0xc0, 0xe0, 0xf0};
    utf8[0] = (char)(lead[more] | c >> 6 * more);
    for (unsigned i = 1; i <= more; i++) utf8[i] = (char)(0x80 | (c >> 6 * (more - i) & 0x3f));
    add(text, utf8, more + 1);
}

static bool take_hex(struct wh__otlp_json *json, uint32_t *out)
{
    uint32_t value = 0;
    for (int i = 0; i < 4; i++) {
        const char c = look(json);
        const char *digits = "0123456789abcdef", *digit = c ? strchr(digits, c | (c >= 'A' && c <= 'F' ? 0x20 : 0)) : NULL;
        if (!digit) return fail(json);
        value = value << 4 | (uint32_t)(digit - digits);
        json->at++;
    }
    *out = value;
    return true;
}

/* After "\u". The second half of a pair is taken only if it is one. */
static bool take_code_point(struct wh__otlp_json *json, struct text *text)
{
    uint32_t high, low;
    if (!take_hex(json, &high)) return false;
    const char *after = json->at;
    if (high >= 0xd800 && high < 0xdc00 && json->end - after >= 2 && after[0] == '\\' && after[1] == 'u') {
        json->at += 2;
        if (!take_hex(json, &low)) return false;
        if (low >= 0xdc00 && low < 0xe000)
            high = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
        else
            json->at = after;
    }
    add_code_point(text, high);
    return true;
}

static bool take_escape(struct wh__otlp_json *json, struct text *text)
{
    static const char letters[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    const char c = look(json);
    const char *letter = c ? strchr(letters, c) : NULL;
    if (c != 'u' && !letter) return fail(json);
    json->at++;
    if (c == 'u') return take_code_point(json, text);
    add(text, &values[letter - letters], 1);
    return true;
}

/* The bytes of the character at `at`, by its first one; fewer if the text or the sequence ends before. */
static size_t character(const char *at, const char *end)
{
    const unsigned char lead = (unsigned char)*at;
    const size_t size = lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    size_t i = 1;
    while (i < size && at + i < end && ((unsigned char)at[i] & 0xc0) == 0x80) i++;
    return i;
}

static bool take_string(struct wh__otlp_json *json, struct text *text)
{
    if (text->size) text->out[0] = '\0';
    if (!take(json, '"')) return false;
    for (;;) {
        const char c = look(json);
        if (json->at == json->end || (unsigned char)c < 0x20) return fail(json);
        if (c == '\\' || c == '"') json->at++;
        if (c == '"') return true;
        if (c == '\\') {
            if (!take_escape(json, text)) return false;
            continue;
        }
        const size_t size = character(json->at, json->end);
        add(text, json->at, size);
        json->at += size;
    }
}

/* ---- numbers ---- */

struct number {
    uint64_t digits;   /* the first nineteen */
    int64_t exponent;  /* of ten */
    bool negative, whole;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* At least one. `step`: what each adds to the exponent, -1 after the point. */
static bool take_digits(struct wh__otlp_json *json, struct number *number, int step)
{
    if (!is_digit(look(json))) return fail(json);
    for (; is_digit(look(json)); json->at++) {
        const unsigned digit = (unsigned)(*json->at - '0');
        if (number->digits < UINT64_MAX / 10 - 1) {
            number->digits = number->digits * 10 + digit;
            number->exponent += step;
        } else {
            number->exponent += step + 1;
        }
    }
    return true;
}

static bool take_exponent(struct wh__otlp_json *json, struct number *number)
{
    const int64_t most = 100000;
    const bool negative = look(json) == '-';
    int64_t exponent = 0;
    if (negative || look(json) == '+') json->at++;
    if (!is_digit(look(json))) return fail(json);
    for (; is_digit(look(json)); json->at++)
        if (exponent < most) exponent = exponent * 10 + (*json->at - '0');
    number->exponent += negative ? -exponent : exponent;
    return true;
}

static bool take_number(struct wh__otlp_json *json, struct number *number)
{
    *number = (struct number){.whole = true};
    number->negative = look(json) == '-';
    if (number->negative) json->at++;
    if (look(json) == '0')
        json->at++;
    else if (!take_digits(json, number, 0))
        return false;
    if (look(json) == '.') {
        json->at++;
        number->whole = false;
        if (!take_digits(json, number, -1)) return false;
    }
    if (look(json) != 'e' && look(json) != 'E') return true;
    json->at++;
    number->whole = false;
    return take_exponent(json, number);
}

/* Up to 2^53 and 10^22 both factors are exact, and their product or quotient is rounded once. */
static double value_of(const struct number *number)
{
    double value = (double)number->digits, power = 1, ten = 10;
    int64_t exponent = number->exponent < 0 ? -number->exponent : number->exponent;
    if (number->digits == 0) exponent = 0;
    if (exponent > 300 && number->exponent < 0 && exponent < 400) { /* digits may bring back what is below the least power */
        value /= 1e100;
        exponent -= 100;
    }
    if (exponent > 400) exponent = 400;
    for (; exponent; exponent >>= 1, ten *= ten)
        if (exponent & 1) power *= ten;
    value = number->exponent < 0 ? value / power : value * power;
    return number->negative ? -value : value;
}

static int64_t saturated(const struct number *number)
{
    int64_t value;
    if (number->exponent > 0 || number->digits > INT64_MAX) return number->negative ? INT64_MIN : INT64_MAX;
    value = (int64_t)number->digits;
    return number->negative ? -value : value;
}

/* ---- values ---- */

enum wh__otlp_json_type wh__otlp_json_next(struct wh__otlp_json *json)
{
    if (!json->due) return WH__OTLP_JSON_NOTHING;
    skip_blanks(json);
    switch (look(json)) {
    case '{': return WH__OTLP_JSON_OBJECT;
    case '[': return WH__OTLP_JSON_ARRAY;
    case '"': return WH__OTLP_JSON_STRING;
    case 't': case 'f': return WH__OTLP_JSON_BOOL;
    case 'n': return WH__OTLP_JSON_NULL;
    case '-': return WH__OTLP_JSON_NUMBER;
    default: return is_digit(look(json)) ? WH__OTLP_JSON_NUMBER : WH__OTLP_JSON_NOTHING;
    }
}

static bool enter(struct wh__otlp_json *json, enum wh__otlp_json_type type)
{
    if (wh__otlp_json_next(json) != type) return false;
    if (json->depth == WH__OTLP_JSON_DEPTH) return fail(json);
    json->at++;
    json->objects = json->objects << 1 | (type == WH__OTLP_JSON_OBJECT);
    json->depth++;
    json->due = false;
    json->first = true;
    return true;
}

bool wh__otlp_json_object(struct wh__otlp_json *json)
{
    return enter(json, WH__OTLP_JSON_OBJECT);
}

bool wh__otlp_json_array(struct wh__otlp_json *json)
{
    return enter(json, WH__OTLP_JSON_ARRAY);
}

bool wh__otlp_json_bool(struct wh__otlp_json *json, bool *out)
{
    if (wh__otlp_json_next(json) != WH__OTLP_JSON_BOOL) return false;
    const bool value = look(json) == 't';
    if (!take_word(json, value ? "true" : "false")) return false;
    json->due = false;
    *out = value;
    return true;
}

bool wh__otlp_json_number(struct wh__otlp_json *json, double *out)
{
    struct number number;
    if (wh__otlp_json_next(json) != WH__OTLP_JSON_NUMBER || !take_number(json, &number)) return false;
    json->due = false;
    *out = value_of(&number);
    return true;
}

bool wh__otlp_json_string(struct wh__otlp_json *json, char *out, size_t size, size_t *len)
{
    struct text text = {.out = out, .size = size};
    if (wh__otlp_json_next(json) != WH__OTLP_JSON_STRING || !take_string(json, &text)) return false;
    json->due = false;
    if (len) *len = text.len;
    return true;
}

/* Digits in a string are read like a text of their own. */
bool wh__otlp_json_int(struct wh__otlp_json *json, int64_t *out)
{
    char digits[32];
    size_t len;
    struct number number;
    struct wh__otlp_json before = *json, inner;
    const bool quoted = wh__otlp_json_next(json) == WH__OTLP_JSON_STRING;
    if (quoted) {
        if (!wh__otlp_json_string(json, digits, sizeof digits, &len)) return false;
        inner = wh__otlp_json_of(digits, len < sizeof digits ? len : 0);
    } else if (wh__otlp_json_next(json) != WH__OTLP_JSON_NUMBER) {
        return false;
    }
    struct wh__otlp_json *from = quoted ? &inner : json;
    if (take_number(from, &number) && number.whole && (!quoted || from->at == from->end)) {
        json->due = false;
        *out = saturated(&number);
        return true;
    }
    if (quoted || !json->broken) *json = before;
    return false;
}

/* ---- from value to value ---- */

static bool leave(struct wh__otlp_json *json)
{
    json->at++;
    json->objects >>= 1;
    json->depth--;
    json->first = false;
    return false;
}

/* To the next value of the innermost object or array: false where that ends, or the text is broken. */
static bool advance(struct wh__otlp_json *json, struct text *key)
{
    const bool in_object = json->objects & 1;
    skip_blanks(json);
    if (look(json) == (in_object ? '}' : ']')) return leave(json);
    if (!json->first && !take(json, ',')) return false;
    json->first = false;
    skip_blanks(json);
    if (in_object) {
        if (!take_string(json, key)) return false;
        skip_blanks(json);
        if (!take(json, ':')) return false;
    }
    json->due = true;
    return true;
}

static void take_scalar(struct wh__otlp_json *json)
{
    struct text unread = {.full = true};
    struct number number;
    switch (wh__otlp_json_next(json)) {
    case WH__OTLP_JSON_STRING: take_string(json, &unread); break;
    case WH__OTLP_JSON_NUMBER: take_number(json, &number); break;
    case WH__OTLP_JSON_BOOL: take_word(json, look(json) == 't' ? "true" : "false"); break;
    case WH__OTLP_JSON_NULL: take_word(json, "null"); break;
    default: fail(json);
    }
    json->due = false;
}

/* However deep it is nested, no function calls itself. */
void wh__otlp_json_skip(struct wh__otlp_json *json)
{
    const unsigned floor = json->depth;
    if (!json->due) return;
    do {
        struct text unread = {.full = true};
        if (!wh__otlp_json_object(json) && !wh__otlp_json_array(json)) take_scalar(json);
        while (json->depth > floor && !json->broken && !advance(json, &unread)) continue;
    } while (json->depth > floor && !json->broken);
}

static bool step(struct wh__otlp_json *json, bool in_object, struct text *key)
{
    wh__otlp_json_skip(json);
    return !json->broken && json->depth && (json->objects & 1) == in_object && advance(json, key);
}

bool wh__otlp_json_key(struct wh__otlp_json *json, char *key, size_t size)
{
    struct text text = {.out = key, .size = size};
    if (!step(json, true, &text)) return false;
    if (text.full) key[0] = '\0';
    return true;
}

bool wh__otlp_json_item(struct wh__otlp_json *json)
{
    return step(json, false, NULL);
}

bool wh__otlp_json_end(struct wh__otlp_json *json)
{
    struct text unread = {.full = true};
    wh__otlp_json_skip(json);
    while (json->depth && !json->broken)
        if (advance(json, &unread)) wh__otlp_json_skip(json);
    skip_blanks(json);
    return !json->broken && json->at == json->end;
}
