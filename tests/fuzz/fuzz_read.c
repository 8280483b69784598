/* Any bytes as a span, and as a whole request: read to the last field, by the views, the JSON writer and the terminal
 * tree. Whatever they were, what comes out is one line of JSON, and text that a terminal does not obey. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <whence/exporters.h>

#include "exporters/json.h"
#include "base/utf8.h"

static void require(bool holds)
{
    if (!holds) abort();
}

/* ---- the views ---- */

enum { ENOUGH = 300 }; /* levels: more than anything here follows */

static const char *value_end(const char *p);

/* Every part of a value; and as text, which of an array or a map is JSON. */
static void read_value(const struct wh_attr_view *value, int levels)
{
    struct wh_attr_view item;
    if (value->type != WH_ARRAY && value->type != WH_MAP) return;
    for (struct wh_cursor c = {value->as.bytes}; levels < ENOUGH && wh_next_item(&c, &item);) {
        require(c.rest.len <= value->as.bytes.len);
        read_value(&item, levels + 1);
    }
}

static void read_attr(const struct wh_attr_view *attr)
{
    static char text[1 << 20];
    const size_t len = wh_value_text(attr, text, sizeof text);
    read_value(attr, 0);
    if ((attr->type == WH_ARRAY || attr->type == WH_MAP) && len < sizeof text) require(value_end(text) == text + len);
}

static void read_span(struct wh_bytes bytes)
{
    struct wh_span_view span;
    struct wh_attr_view attr;
    struct wh_event_view event;
    struct wh_link_view link;
    if (!wh_span_read(bytes, &span)) return;
    wh_span_attr(&span, "whence.cancelled", &attr);
    for (struct wh_cursor c = {bytes}; wh_next_span_attr(&c, &attr);) read_attr(&attr);
    for (struct wh_cursor c = {bytes}; wh_next_event(&c, &event);)
        for (struct wh_cursor inner = {event.raw}; wh_next_event_attr(&inner, &attr);) read_attr(&attr);
    for (struct wh_cursor c = {bytes}; wh_next_link(&c, &link);)
        for (struct wh_cursor inner = {link.raw}; wh_next_link_attr(&inner, &attr);) read_attr(&attr);
}

/* ---- JSON ---- */

/* `text` ends with a zero, which is in no JSON: nothing here reads beyond it. */
static const char *string_end(const char *p)
{
    require(*p++ == '"');
    for (; *p != '"'; p++) {
        require((unsigned char)*p >= 0x20 && *p != 0x7f);
        if (*p != '\\') continue;
        p++;
        require(*p && strchr("\"\\bfnrtu", *p));
        for (int i = 0; *p == 'u' && i < 4; i++) require(p[1 + i] && strchr("0123456789abcdef", p[1 + i]));
    }
    return p + 1;
}

static const char *list_end(const char *p, char close)
{
    if (*++p == close) return p + 1;
    for (;; p++) {
        if (close == '}') {
            p = string_end(p);
            require(*p++ == ':');
        }
        p = value_end(p);
        if (*p == close) return p + 1;
        require(*p == ',');
    }
}

static const char *number_end(const char *p)
{
    char *end;
    const size_t len = strspn(p, "0123456789+-.e");
    require(len > 0 && (*p == '-' || (*p >= '0' && *p <= '9')));
    strtod(p, &end);
    require(end == p + len);
    return end;
}

static const char *value_end(const char *p)
{
    if (*p == '{') return list_end(p, '}');
    if (*p == '[') return list_end(p, ']');
    if (*p == '"') return string_end(p);
    if (strncmp(p, "true", 4) == 0) return p + 4;
    if (strncmp(p, "false", 5) == 0) return p + 5;
    if (strncmp(p, "null", 4) == 0) return p + 4;
    return number_end(p);
}

static void write_json(const struct wh_batch *batch)
{
    static struct wh__json json;
    json.len = 0;
    json.error = 0;
    const size_t count = wh__json_batch(&json, batch);
    require(json.error == 0 && (count > 0) == (json.len > 0));
    if (count == 0) return;
    for (const char *at = json.buf, *end = at + json.len; at < end;) require(wh__utf8_next(&at, end) != WH__MALFORMED);
    wh__json_text(&json, (struct wh_bytes){"", 0});
    require(json.error == 0);
    json.buf[json.len - 2] = '\0';
    require(value_end(json.buf) == json.buf + json.len - 2);
}

/* ---- the terminal ---- */

enum { COLUMNS = 100 };

static bool is_obeyed(uint32_t c)
{
    return (c < 0x20 && c != '\n') || (c >= 0x7f && c < 0xa0) || c == 0x61c || (c >= 0x200b && c <= 0x200f) ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || c == WH__MALFORMED;
}

static ssize_t see_utf8(void *cookie, const char *text, size_t len)
{
    (void)cookie;
    for (const char *at = text, *end = at + len; at < end;) require(!is_obeyed(wh__utf8_next(&at, end)));
    return (ssize_t)len;
}

static ssize_t see_ascii(void *cookie, const char *text, size_t len)
{
    unsigned columns = 0;
    (void)cookie;
    for (size_t i = 0; i < len; i++) {
        require(text[i] == '\n' || (text[i] >= 0x20 && text[i] < 0x7f));
        columns = text[i] == '\n' ? 0 : columns + 1;
        require(columns <= COLUMNS);
    }
    return (ssize_t)len;
}

/* Without a buffer: each trace comes as a whole. */
static struct wh_exporter *open_console(const char *locale, cookie_write_function_t *see)
{
    FILE *out = fopencookie(NULL, "w", (cookie_io_functions_t){.write = see});
    require(out);
    setvbuf(out, NULL, _IONBF, 0);
    setenv("LC_ALL", locale, 1);
    unsetenv("COLUMNS");
    return wh_console_exporter_new(out);
}

/* ---- all of them ---- */

static struct wh_exporter *utf8, *ascii;

static int read_batch(const struct wh_batch *batch, void *arg)
{
    struct wh_attr_view attr;
    size_t rejected = 0;
    (void)arg;
    for (struct wh_cursor c = {batch->resource}; wh_next_resource_attr(&c, &attr);) continue;
    for (size_t s = 0; s < batch->scope_count; s++)
        for (size_t i = 0; i < batch->scopes[s].count; i++) read_span(batch->scopes[s].spans[i]);
    write_json(batch);
    require(utf8->export_batch(utf8, batch, WH_NEVER, &rejected) == 0 && rejected <= batch->count);
    require(ascii->export_batch(ascii, batch, WH_NEVER, &rejected) == 0 && rejected <= batch->count);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct wh_bytes bytes = {data, size};
    if (!utf8) utf8 = open_console("C.UTF-8", see_utf8);
    if (!ascii) ascii = open_console("C", see_ascii);
    read_span(bytes);
    wh_read_request(bytes, read_batch, NULL);
    const struct wh_scope_spans spans = {.scope = bytes, .schema_url = {(const char *)data, size}, .spans = &bytes, .count = 1};
    const struct wh_scope_spans scopes[] = {spans, spans};
    read_batch(&(struct wh_batch){.size = sizeof(struct wh_batch), .resource = bytes, .schema_url = spans.schema_url, .scopes = scopes,
        .scope_count = 2, .count = 2}, NULL);
    require(utf8->flush(utf8, WH_NEVER) == 0 && ascii->flush(ascii, WH_NEVER) == 0);
    return 0;
}
