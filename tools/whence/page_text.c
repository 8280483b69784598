#include "page_text.h"

#include <base/utf8.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "store.h"

/* ---- numbers ---- */

static size_t slot_of(const struct texts *texts, const char *text)
{
    const uint64_t hash = (uint64_t)(uintptr_t)text * UINT64_C(0x9e3779b97f4a7c15);
    size_t slot = (size_t)(hash >> 32) & (texts->slot_count - 1);
    while (texts->slots[slot] && texts->list[texts->slots[slot] - 1] != text) slot = (slot + 1) & (texts->slot_count - 1);
    return slot;
}

static void grow(struct texts *texts)
{
    texts->capacity = texts->capacity ? 2 * texts->capacity : 256;
    texts->list = must_resize(texts->list, texts->capacity, sizeof *texts->list);
    free(texts->slots);
    texts->slot_count = 2 * texts->capacity;
    texts->slots = must_get(texts->slot_count * sizeof *texts->slots);
    for (size_t i = 0; i < texts->count; i++) texts->slots[slot_of(texts, texts->list[i])] = (uint32_t)i + 1;
}

uint32_t texts_number(struct texts *texts, const char *text)
{
    static const char empty[] = "";
    if (!text || !*text) text = empty;
    if (texts->count == texts->capacity) grow(texts);
    const size_t slot = slot_of(texts, text);
    if (!texts->slots[slot]) {
        texts->list[texts->count++] = text;
        texts->slots[slot] = (uint32_t)texts->count;
    }
    return texts->slots[slot] - 1;
}

void texts_free(struct texts *texts)
{
    free(texts->list);
    free(texts->slots);
}

/* ---- as text ---- */

static bool is_plain(uint32_t c)
{
    return c >= 0x20 && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&' && c != '\'' && c != 0x7f && c != 0x2028 && c != 0x2029;
}

/* Calls of fwrite() are for runs of what may stand as it is. */
static void write_escaped(FILE *out, const char *text, const char *form)
{
    const char *end = text + strlen(text), *run = text;
    for (const char *at = text; at < end;) {
        const char *begin = at;
        const uint32_t c = wh__utf8_next(&at, end);
        if (c != WH__MALFORMED && is_plain(c)) continue;
        fwrite(run, 1, (size_t)(begin - run), out);
        fprintf(out, form, (unsigned)(c == WH__MALFORMED ? 0xfffd : c));
        run = at;
    }
    fwrite(run, 1, (size_t)(end - run), out);
}

void write_json_text(FILE *out, const char *text)
{
    putc('"', out);
    write_escaped(out, text, "\\u%04x");
    putc('"', out);
}

void write_html_text(FILE *out, const char *text)
{
    write_escaped(out, text, "&#%u;");
}
