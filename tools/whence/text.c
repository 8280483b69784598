#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exporters/glyph.h"
#include "exporters/sheet.h"
#include "store.h"

enum { NAME_ROOM = 80, SERVICE_ROOM = 40, QUOTE_ROOM = 160 };

static char *room_for(struct text *text, size_t len)
{
    if (text->capacity - text->len < len + 1) {
        text->capacity = 2 * text->capacity + len + 256;
        text->buf = must_resize(text->buf, text->capacity, 1);
    }
    return text->buf + text->len;
}

static void add(struct text *text, const char *bytes)
{
    const size_t len = strlen(bytes);
    memcpy(room_for(text, len), bytes, len + 1);
    text->len += len;
}

void text_put(struct text *text, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (len < 0) return;
    va_start(args, format);
    vsnprintf(room_for(text, (size_t)len), (size_t)len + 1, format, args);
    va_end(args);
    text->len += (size_t)len;
}

void text_stranger(struct text *text, const char *words, unsigned room)
{
    unsigned columns = 0;
    for (const char *at = words, *end = at + strlen(at); at < end;) {
        const struct wh__glyph glyph = wh__glyph_next(&at, end, !text->ascii);
        columns += glyph.columns;
        if (columns >= room && (columns > room || at < end)) {
            add(text, text->ascii ? "~" : "…");
            return;
        }
        add(text, glyph.bytes);
    }
}

void text_name(struct text *text, const struct span *span)
{
    if (*span->name) text_stranger(text, span->name, NAME_ROOM);
    else add(text, "a span without a name");
    if (!*span->resource->service) return;
    add(text, " (");
    text_stranger(text, span->resource->service, SERVICE_ROOM);
    add(text, ")");
}

void text_quoted(struct text *text, const char *words)
{
    add(text, "\"");
    text_stranger(text, words, QUOTE_ROOM);
    add(text, "\"");
}

void text_duration(struct text *text, int64_t ns)
{
    char buf[WH__DURATION_SIZE];
    wh__duration_text(buf, ns);
    add(text, buf);
}

void text_since(struct text *text, uint64_t from, uint64_t to)
{
    const uint64_t ns = to > from ? to - from : 0;
    text_duration(text, ns < INT64_MAX ? (int64_t)ns : INT64_MAX - 1);
}

void text_free(struct text *text)
{
    free(text->buf);
    text->buf = NULL;
    text->len = text->capacity = 0;
}
