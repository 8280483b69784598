#include "exporters/sheet.h"

enum {
    INK = 1, LAST_INK = INK + WH__BLUE, /* INK + enum wh__ink: from here on */
    HARD_SPACE = 0x1f                   /* keeps words together */
};

/* ---- putting together ---- */

void wh__note_begin(struct wh__note *note, const struct wh__sheet *sheet)
{
    note->sheet = sheet;
    note->text = (struct wh__text){.buf = note->buf, .size = sizeof note->buf};
    note->buf[0] = '\0';
}

void wh__note_ink(struct wh__note *note, enum wh__ink ink)
{
    wh__put(&note->text, "%c", INK + (int)ink);
}

void wh__note_put(struct wh__note *note, const char *utf8, const char *ascii)
{
    wh__put(&note->text, "%s", note->sheet->utf8 ? utf8 : ascii);
}

/* The number and its unit stay together. */
void wh__note_duration(struct wh__note *note, int64_t ns)
{
    char buf[WH__DURATION_SIZE];
    wh__duration_text(buf, ns);
    for (char *p = buf; *p; p++)
        if (*p == ' ') *p = HARD_SPACE;
    wh__put(&note->text, "%s", buf);
}

static void put_text(struct wh__note *note, struct wh_str text, unsigned room, bool together)
{
    unsigned columns = 0;
    for (const char *at = text.ptr, *end = at + text.len; at < end;) {
        const struct wh__glyph glyph = wh__glyph_next(&at, end, note->sheet->utf8);
        columns += glyph.columns;
        if (columns >= room && (columns > room || at < end)) {
            wh__note_put(note, "…", "~");
            return;
        }
        if (together && glyph.bytes[0] == ' ')
            wh__put(&note->text, "%c", HARD_SPACE);
        else
            wh__put(&note->text, "%s", glyph.bytes);
    }
}

void wh__note_text(struct wh__note *note, struct wh_str text, unsigned room)
{
    put_text(note, text, room, false);
}

void wh__note_name(struct wh__note *note, struct wh_str text, unsigned room)
{
    put_text(note, text, room, true);
}

/* ---- flowing ---- */

struct flow {
    struct wh__sheet *sheet;
    void (*margin)(struct wh__sheet *sheet, const void *arg);
    const void *arg;
    unsigned lines;  /* that may still be begun */
    unsigned begin;  /* the column after the margin */
    enum wh__ink ink;
};

/* Takes one character or one change of ink off *at. */
static struct wh__glyph next(const char **at, const char *end, enum wh__ink *ink)
{
    const int code = (unsigned char)**at;
    if (code >= INK && code <= LAST_INK) {
        ++*at;
        *ink = (enum wh__ink)(code - INK);
        return (struct wh__glyph){.columns = 0};
    }
    if (code == HARD_SPACE) {
        ++*at;
        return (struct wh__glyph){.bytes = " ", .columns = 1};
    }
    return wh__glyph_next(at, end, true);
}

static unsigned word_width(const char *at, const char *end)
{
    unsigned columns = 0;
    enum wh__ink ink;
    while (at < end) columns += next(&at, end, &ink).columns;
    return columns;
}

static bool next_line(struct flow *flow)
{
    if (flow->lines == 0) {
        wh__sheet_put(flow->sheet, "…", "~");
        return false;
    }
    flow->lines--;
    wh__sheet_line(flow->sheet);
    flow->margin(flow->sheet, flow->arg);
    flow->begin = flow->sheet->column;
    return true;
}

/* A word that is longer than a line is broken. The last column stays free for the sign that there is more. */
static bool put_word(struct flow *flow, const char *at, const char *end)
{
    struct wh__sheet *sheet = flow->sheet;
    const bool fits = sheet->column + word_width(at, end) < sheet->columns;
    if (!fits && sheet->column > flow->begin && !next_line(flow)) return false;
    while (at < end) {
        const struct wh__glyph glyph = next(&at, end, &flow->ink);
        if (sheet->column + glyph.columns >= sheet->columns && !next_line(flow)) return false;
        wh__sheet_ink(sheet, flow->ink);
        wh__sheet_glyph(sheet, &glyph);
    }
    return true;
}

void wh__sheet_flow(struct wh__sheet *sheet, const struct wh__note *note, unsigned lines,
                    void (*margin)(struct wh__sheet *sheet, const void *arg), const void *arg)
{
    struct flow flow = {.sheet = sheet, .margin = margin, .arg = arg, .lines = lines - 1, .begin = sheet->column};
    for (const char *at = note->buf, *end = at + strlen(at); at < end;) {
        const char *space = memchr(at, ' ', (size_t)(end - at));
        if (!put_word(&flow, at, space ? space : end)) return;
        if (space && sheet->column > flow.begin && sheet->column + 1 < sheet->columns) wh__sheet_put(sheet, " ", " ");
        at = space ? space + 1 : end;
    }
}
