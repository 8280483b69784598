/* What is drawn for people, before it is written out: text in columns of a terminal, with or without colour, in
 * UTF-8 or ASCII. Text of strangers comes in by wh__sheet_text() and wh__note_text() only, which let nothing through
 * that a terminal would obey. */
#ifndef EXPORTERS_SHEET_H
#define EXPORTERS_SHEET_H

#include <whence/exporters.h>

#include "base/text.h"
#include "exporters/glyph.h"

enum wh__ink { WH__PLAIN, WH__DIM, WH__BOLD, WH__RED, WH__AMBER, WH__BLUE };

struct wh__sheet {
    bool utf8, colour, more_colours; /* more: of 256 */
    unsigned columns;
    char *buf;                       /* from wh__mem_get() */
    size_t len, capacity;
    bool failed;                     /* without memory, or beyond 16 MiB: the rest is missing */
    unsigned column;                 /* of the line, so far */
    enum wh__ink ink, wanted;        /* what the terminal was told, and what the next sign is to have */
};

/* How the terminal `fd` (-1: none) and the environment want it; the width, each time anew. */
void wh__sheet_begin(struct wh__sheet *sheet, int fd);
void wh__sheet_measure(struct wh__sheet *sheet, int fd);
void wh__sheet_free(struct wh__sheet *sheet);

/* From here on; the end of a line makes it plain. */
void wh__sheet_ink(struct wh__sheet *sheet, enum wh__ink ink);

/* Our own words, in one of two spellings. */
void wh__sheet_put(struct wh__sheet *sheet, const char *utf8, const char *ascii);

/* A stranger's: at most `room` columns of it, the last of them a sign that there is more. */
void wh__sheet_text(struct wh__sheet *sheet, struct wh_str text, unsigned room);

/* One that wh__glyph_next() has made. */
void wh__sheet_glyph(struct wh__sheet *sheet, const struct wh__glyph *glyph);

void wh__sheet_pad(struct wh__sheet *sheet, unsigned column);
void wh__sheet_line(struct wh__sheet *sheet);

/* How many columns wh__sheet_text() would take with room enough. */
unsigned wh__sheet_width(const struct wh__sheet *sheet, struct wh_str text);

/* A duration as people say it, in ASCII: with a point, whatever the program's locale has. Returns its length. */
enum { WH__DURATION_SIZE = 32 };
size_t wh__duration_text(char buf[WH__DURATION_SIZE], int64_t ns);

/* ---- A note: words that are put together first and then flow over several lines ---- */

struct wh__note {
    const struct wh__sheet *sheet;
    struct wh__text text;   /* safe; below 0x20: the inks */
    char buf[2048];
};
void wh__note_begin(struct wh__note *note, const struct wh__sheet *sheet);
void wh__note_ink(struct wh__note *note, enum wh__ink ink);
void wh__note_put(struct wh__note *note, const char *utf8, const char *ascii);
void wh__note_duration(struct wh__note *note, int64_t ns);
void wh__note_text(struct wh__note *note, struct wh_str text, unsigned room);
void wh__note_name(struct wh__note *note, struct wh_str text, unsigned room); /* in one line, if a line can hold it */

/* Writes it out from the column where the sheet stands. `margin` draws what stands before each further line. Beyond
 * `lines` the rest is dropped, with a sign that there is more. */
void wh__sheet_flow(struct wh__sheet *sheet, const struct wh__note *note, unsigned lines,
                    void (*margin)(struct wh__sheet *sheet, const void *arg), const void *arg);

#endif
