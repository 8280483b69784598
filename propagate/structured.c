#include "propagate/structured.h"

#include <string.h>

#include "base/hex.h"
#include "base/utf8.h"
#include "propagate/percent.h"

/* ---- characters ---- */

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
static bool is_alpha(char c) { return is_lower(c) || (c >= 'A' && c <= 'Z'); }
static bool is_printable(char c) { return c >= ' ' && c <= '~'; }

static bool begins_token(char c) { return is_alpha(c) || c == '*'; }
static bool is_of_token(char c) { return wh__is(c, WH__TOKEN) || c == ':' || c == '/'; }
static bool is_of_key(char c) { return is_lower(c) || is_digit(c) || c == '_' || c == '-' || c == '.' || c == '*'; }
static bool is_of_base64(char c) { return is_alpha(c) || is_digit(c) || c == '+' || c == '/' || c == '='; }

bool wh__sf_is_token(const char *text, size_t len)
{
    if (len == 0 || !begins_token(*text)) return false;
    for (size_t i = 1; i < len; i++)
        if (!is_of_token(text[i])) return false;
    return true;
}

/* C0, delete, C1; line and paragraph separators; marks, embeddings, overrides and isolates of direction. */
bool wh__is_control(uint32_t character)
{
    return character < 0x20 || (character >= 0x7f && character <= 0x9f) || character == 0x61c || character == 0x200e ||
           character == 0x200f || (character >= 0x2028 && character <= 0x202e) || (character >= 0x2066 && character <= 0x2069);
}

/* ---- in: items ---- */

static bool is_at(const struct wh__sf *sf, char c)
{
    return sf->at < sf->end && *sf->at == c;
}

static bool ended(struct wh__sf *sf, struct wh__sf_item *item, char *out)
{
    *out = '\0';
    item->text = sf->room;
    item->len = (size_t)(out - sf->room);
    return true;
}

/* Section 4.2.4: an integer of at most 15 digits, or a decimal of at most 12 and 3. */
static bool read_number(struct wh__sf *sf, struct wh__sf_item *item)
{
    const bool negative = is_at(sf, '-');
    int64_t number = 0;
    int digits = 0, decimals = 0;
    if (negative) sf->at++;
    for (; sf->at < sf->end && is_digit(*sf->at) && digits < 16; sf->at++, digits++) number = number * 10 + *sf->at - '0';
    if (digits == 0 || digits > 15) return false;
    item->kind = WH__SF_INTEGER;
    item->number = negative ? -number : number;
    if (!is_at(sf, '.')) return true;
    for (sf->at++; sf->at < sf->end && is_digit(*sf->at) && decimals < 4; sf->at++) decimals++;
    item->kind = WH__SF_DECIMAL;
    return digits <= 12 && decimals >= 1 && decimals <= 3;
}

/* Copies what stands for itself: printable, no quote and no `special`. Returns where that ends in the room. */
static char *take_run(struct wh__sf *sf, char *out, char special)
{
    const char *at = sf->at, *end = sf->end;
    while (at < end && is_printable(*at) && *at != '"' && *at != special) at++;
    const size_t len = (size_t)(at - sf->at);
    memcpy(out, sf->at, len);
    sf->at = at;
    return out + len;
}

/* Section 4.2.5 */
static bool read_string(struct wh__sf *sf, struct wh__sf_item *item)
{
    char *out = sf->room;
    sf->at++;
    for (;;) {
        out = take_run(sf, out, '\\');
        if (sf->at == sf->end) return false;
        if (*sf->at == '"') break;
        if (*sf->at != '\\' || ++sf->at == sf->end || (*sf->at != '"' && *sf->at != '\\')) return false;
        *out++ = *sf->at++;
    }
    sf->at++;
    item->kind = WH__SF_STRING;
    return ended(sf, item, out);
}

/* Section 4.2.6 */
static bool read_token(struct wh__sf *sf, struct wh__sf_item *item)
{
    const char *at = sf->at, *end = sf->end;
    do at++;
    while (at < end && is_of_token(*at));
    const size_t len = (size_t)(at - sf->at);
    memcpy(sf->room, sf->at, len);
    sf->at = at;
    item->kind = WH__SF_TOKEN;
    return ended(sf, item, sf->room + len);
}

/* Section 4.2.7. Padding is not looked at, as there. */
static bool read_bytes(struct wh__sf *sf, struct wh__sf_item *item)
{
    do sf->at++;
    while (sf->at < sf->end && is_of_base64(*sf->at));
    item->kind = WH__SF_BYTES;
    return is_at(sf, ':') && sf->at++;
}

static bool read_boolean(struct wh__sf *sf, struct wh__sf_item *item)
{
    sf->at++;
    item->kind = WH__SF_BOOLEAN;
    return (is_at(sf, '0') || is_at(sf, '1')) && sf->at++;
}

static bool read_date(struct wh__sf *sf, struct wh__sf_item *item)
{
    sf->at++;
    const bool good = read_number(sf, item) && item->kind == WH__SF_INTEGER;
    item->kind = WH__SF_DATE;
    return good;
}

static bool is_utf8(const char *text, size_t len)
{
    for (const char *end = text + len; text < end;) {
        if (is_printable(*text)) text++;
        else if (wh__utf8_next(&text, end) == WH__MALFORMED) return false;
    }
    return true;
}

/* "%" and two lowercase digits. */
static bool read_code(struct wh__sf *sf, char *out)
{
    uint8_t byte;
    if (sf->end - sf->at < 3 || !wh__take_hex(&byte, sf->at + 1, 1)) return false;
    *out = (char)byte;
    sf->at += 3;
    return true;
}

/* Section 4.2.10 */
static bool read_display(struct wh__sf *sf, struct wh__sf_item *item)
{
    char *out = sf->room;
    if (sf->end - ++sf->at < 1 || *sf->at++ != '"') return false;
    for (;;) {
        out = take_run(sf, out, '%');
        if (sf->at == sf->end) return false;
        if (*sf->at == '"') break;
        if (*sf->at != '%' || !read_code(sf, out++)) return false;
    }
    sf->at++;
    item->kind = WH__SF_DISPLAY;
    return ended(sf, item, out) && is_utf8(item->text, item->len);
}

bool wh__sf_item(struct wh__sf *sf, struct wh__sf_item *item)
{
    *item = (struct wh__sf_item){.text = ""};
    if (sf->at == sf->end) return false;
    switch (*sf->at) {
    case '"': return read_string(sf, item);
    case '%': return read_display(sf, item);
    case ':': return read_bytes(sf, item);
    case '?': return read_boolean(sf, item);
    case '@': return read_date(sf, item);
    default: return begins_token(*sf->at) ? read_token(sf, item) : read_number(sf, item);
    }
}

/* ---- in: parameters and lists ---- */

bool wh__sf_at_parameter(const struct wh__sf *sf)
{
    return is_at(sf, ';');
}

bool wh__sf_parameter(struct wh__sf *sf, struct wh__part *key, struct wh__sf_item *value)
{
    do sf->at++;
    while (is_at(sf, ' '));
    key->text = sf->at;
    if (sf->at == sf->end || (!is_lower(*sf->at) && *sf->at != '*')) return false;
    while (sf->at < sf->end && is_of_key(*sf->at)) sf->at++;
    key->len = (size_t)(sf->at - key->text);
    *value = (struct wh__sf_item){.kind = WH__SF_BOOLEAN, .text = ""};
    if (!is_at(sf, '=')) return true;
    sf->at++;
    return wh__sf_item(sf, value);
}

static void skip_space(struct wh__sf *sf)
{
    while (is_at(sf, ' ') || is_at(sf, '\t')) sf->at++;
}

void wh__sf_begin(struct wh__sf *sf)
{
    while (is_at(sf, ' ')) sf->at++;
}

bool wh__sf_next(struct wh__sf *sf)
{
    skip_space(sf);
    if (sf->at == sf->end) return true;
    if (*sf->at++ != ',') return false;
    skip_space(sf);
    return sf->at < sf->end; /* no comma at the end */
}

/* ---- out ---- */

/* The next character of a string, escaped (section 4.1.6); how many bytes that is. */
static size_t take_of_string(char out[12], const char **at, const char *end)
{
    const uint32_t character = wh__utf8_next(at, end);
    if (character != '"' && character != '\\') {
        out[0] = character >= ' ' && character <= '~' ? (char)character : '?';
        return 1;
    }
    out[0] = '\\';
    out[1] = (char)character;
    return 2;
}

/* Of a display string (section 4.1.11). */
static size_t take_of_display(char out[12], const char **at, const char *end)
{
    const char *from = *at;
    const uint32_t character = wh__utf8_next(at, end);
    if (character == WH__MALFORMED) {
        memcpy(out, "%ef%bf%bd", 9);
        return 9;
    }
    if (wh__is_control(character) || (character <= '~' && character != '%' && character != '"')) {
        out[0] = wh__is_control(character) ? '?' : (char)character;
        return 1;
    }
    char *to = out;
    for (; from < *at; from++, to += 3) {
        *to = '%';
        wh__put_hex(to + 1, (const uint8_t *)from, 1);
    }
    return (size_t)(to - out);
}

/* Either: how a character that does not stand for itself is taken, and which printable one that is beside the quote. */
struct escapes {
    size_t (*take)(char out[12], const char **at, const char *end);
    char also;
};
static const struct escapes of_string = {take_of_string, '\\'}, of_display = {take_of_display, '%'};

static inline bool is_itself(char c, const struct escapes *escapes)
{
    return is_printable(c) && c != '"' && c != escapes->also;
}

static size_t fit(const struct escapes *escapes, const char *text, size_t len, size_t most)
{
    const char *at = text, *end = text + len;
    for (char one[12]; at < end;) {
        const char *before = at;
        const size_t takes = is_itself(*at, escapes) ? (size_t)(at++, 1) : escapes->take(one, &at, end);
        if (takes > most) return (size_t)(before - text);
        most -= takes;
    }
    return len;
}

static char *put(const struct escapes *escapes, char *out, const char *text, size_t len, size_t most)
{
    for (const char *end = text + len, *last = out + most; text < end;) {
        char one[12];
        if (is_itself(*text, escapes) && out < last) {
            *out++ = *text++;
            continue;
        }
        const size_t takes = escapes->take(one, &text, end);
        if (takes > (size_t)(last - out)) break;
        memcpy(out, one, takes);
        out += takes;
    }
    *out++ = '"';
    return out;
}

size_t wh__sf_fit_string(const char *text, size_t len, size_t most)
{
    return fit(&of_string, text, len, most);
}

size_t wh__sf_fit_display(const char *text, size_t len, size_t most)
{
    return fit(&of_display, text, len, most);
}

char *wh__sf_put_string(char *out, const char *text, size_t len, size_t most)
{
    *out++ = '"';
    return put(&of_string, out, text, len, most);
}

char *wh__sf_put_display(char *out, const char *text, size_t len, size_t most)
{
    *out++ = '%';
    *out++ = '"';
    return put(&of_display, out, text, len, most);
}
