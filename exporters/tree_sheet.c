#include "exporters/sheet.h"

#include <stdlib.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/mem.h"

enum { LEAST_COLUMNS = 60, MOST_COLUMNS = 160, USUAL_COLUMNS = 100, FIRST_CAPACITY = 8192, MOST_CAPACITY = 16 << 20 };

/* ---- the terminal ---- */

static const char *variable(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

/* The program may not have called setlocale(), and need not: the environment says what the terminal shows. */
static bool shows_utf8(void)
{
    const char *locale = variable("LC_ALL");
    if (!locale) locale = variable("LC_CTYPE");
    if (!locale) locale = variable("LANG");
    const char *codeset = locale ? strchr(locale, '.') : NULL;
    return codeset && (strncasecmp(codeset, ".utf-8", 6) == 0 || strncasecmp(codeset, ".utf8", 5) == 0);
}

static unsigned bounded(unsigned long columns)
{
    return columns < LEAST_COLUMNS ? LEAST_COLUMNS : columns > MOST_COLUMNS ? MOST_COLUMNS : (unsigned)columns;
}

void wh__sheet_measure(struct wh__sheet *sheet, int fd)
{
    struct winsize size;
    if (fd >= 0 && ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col) sheet->columns = bounded(size.ws_col);
}

void wh__sheet_begin(struct wh__sheet *sheet, int fd)
{
    const char *term = variable("TERM"), *columns = variable("COLUMNS");
    const unsigned long asked = columns ? strtoul(columns, NULL, 10) : 0;
    *sheet = (struct wh__sheet){.utf8 = shows_utf8(), .columns = bounded(asked ? asked : USUAL_COLUMNS)};
    sheet->colour = fd >= 0 && isatty(fd) && !variable("NO_COLOR") && term && strcmp(term, "dumb") != 0;
    sheet->more_colours = variable("COLORTERM") || (term && strstr(term, "256color"));
    wh__sheet_measure(sheet, fd);
}

/* ---- growing ---- */

void wh__sheet_free(struct wh__sheet *sheet)
{
    wh__mem_free(sheet->buf);
    sheet->buf = NULL;
    sheet->len = sheet->capacity = 0;
    sheet->column = 0;
    sheet->ink = sheet->wanted = WH__PLAIN;
    sheet->failed = false;
}

static bool grow(struct wh__sheet *sheet, size_t len)
{
    size_t capacity = sheet->capacity ? sheet->capacity : FIRST_CAPACITY;
    while (capacity < sheet->len + len) capacity *= 2;
    char *buf = capacity > MOST_CAPACITY ? NULL : wh__mem_resize(sheet->buf, capacity);
    if (!buf) return false;
    sheet->buf = buf;
    sheet->capacity = capacity;
    return true;
}

static void append(struct wh__sheet *sheet, const char *text, size_t len)
{
    if (sheet->failed || len == 0) return;
    if (sheet->capacity - sheet->len < len && !grow(sheet, len)) {
        sheet->failed = true;
        return;
    }
    memcpy(sheet->buf + sheet->len, text, len);
    sheet->len += len;
}

static void change_ink(struct wh__sheet *sheet)
{
    static const char *const few[] = {"", "\033[2m", "\033[1m", "\033[31m", "\033[33m", "\033[36m"};
    static const char *const more[] = {"", "\033[2m", "\033[1m", "\033[31m", "\033[38;5;172m", "\033[38;5;67m"};
    const char *code = (sheet->more_colours ? more : few)[sheet->wanted];
    if (sheet->ink != WH__PLAIN) append(sheet, "\033[0m", 4);
    append(sheet, code, strlen(code));
    sheet->ink = sheet->wanted;
}

/* Spaces have no colour. */
static void put(struct wh__sheet *sheet, const char *text)
{
    if (sheet->colour && sheet->ink != sheet->wanted && strspn(text, " ") < strlen(text)) change_ink(sheet);
    append(sheet, text, strlen(text));
}

/* ---- lines ---- */

void wh__sheet_ink(struct wh__sheet *sheet, enum wh__ink ink)
{
    sheet->wanted = ink;
}

void wh__sheet_put(struct wh__sheet *sheet, const char *utf8, const char *ascii)
{
    const char *text = sheet->utf8 ? utf8 : ascii;
    put(sheet, text);
    for (; *text; text++) sheet->column += ((unsigned char)*text & 0xc0) != 0x80;
}

void wh__sheet_glyph(struct wh__sheet *sheet, const struct wh__glyph *glyph)
{
    put(sheet, glyph->bytes);
    sheet->column += glyph->columns;
}

void wh__sheet_pad(struct wh__sheet *sheet, unsigned column)
{
    for (; sheet->column < column; sheet->column++) append(sheet, " ", 1);
}

/* Spaces at the end of a line are of no use to anybody. */
void wh__sheet_line(struct wh__sheet *sheet)
{
    while (sheet->len && sheet->buf[sheet->len - 1] == ' ') sheet->len--;
    wh__sheet_ink(sheet, WH__PLAIN);
    put(sheet, "\n");
    sheet->column = 0;
}

/* ---- durations ---- */

size_t wh__duration_text(char buf[WH__DURATION_SIZE], int64_t ns)
{
    struct wh__text text = {.buf = buf, .size = WH__DURATION_SIZE};
    wh__put_duration(&text, ns);
    return text.len;
}

/* ---- strangers' text ---- */

unsigned wh__sheet_width(const struct wh__sheet *sheet, struct wh_str text)
{
    unsigned columns = 0;
    for (const char *at = text.ptr, *end = at + text.len; at < end;)
        columns += wh__glyph_next(&at, end, sheet->utf8).columns;
    return columns;
}

void wh__sheet_text(struct wh__sheet *sheet, struct wh_str text, unsigned room)
{
    const bool fits = wh__sheet_width(sheet, text) <= room;
    const unsigned limit = sheet->column + (fits ? room : room - 1);
    if (room == 0) return;
    for (const char *at = text.ptr, *end = at + text.len; at < end;) {
        const struct wh__glyph glyph = wh__glyph_next(&at, end, sheet->utf8);
        if (sheet->column + glyph.columns > limit) break;
        wh__sheet_glyph(sheet, &glyph);
    }
    if (!fits) wh__sheet_put(sheet, "…", "~");
}
