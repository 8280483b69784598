/* What the tests of the console share: spans encoded as a collector would get them, drawings on paper, and those in
 * golden/ to compare them with. Paper is a file: no terminal, and never slow. */
#ifndef DRAWING_H
#define DRAWING_H

#include <stdio.h>

#include "bytes.h"
#include "scenes.h"

extern const char the_trace[]; /* an id for whoever needs only one: 16 bytes */

void encode_span(struct bytes *b, const struct span *span, const char trace_id[16]);

/* One batch of at most 1024; returns how many were refused. */
size_t export_in(struct wh_exporter *exporter, const struct span *spans, size_t count, const char trace_id[16]);

/* A batch for each stretch of spans of one service. */
void export_scene(struct wh_exporter *exporter, const struct scene *scene);

/* columns NULL: COLUMNS is not set. */
void set_environment(const char *locale, const char *columns);

/* For cmocka: ASCII, 80 columns. */
int set_plain_environment(void **state);

/* The last thing that was drawn and read. */
extern char drawn[4 << 20];

/* Reads what is on the paper into `drawn`; read_back() closes it, too. */
const char *read_paper(FILE *paper);
const char *read_back(FILE *paper);

const char *draw_on_paper(const struct scene *scene, const char *locale, const char *columns);

/* A drawing that is made batch by batch, in the plain environment. */
struct paper {
    FILE *out;
    struct wh_exporter *console;
};
struct paper paper_begin(void);
long paper_size(const struct paper *paper);
const char *paper_end(struct paper *paper);

/* Fails unless the text is that in golden/<golden>.txt. With WHENCE_GOLDEN_WRITE set, it is written there instead and
 * counted: a program that has written any is to fail. Look at them, then run again. */
void compare(const char *golden, const char *text);
extern int goldens_written;

/* In UTF-8 at 120 columns and in ASCII at 80. */
void compare_both(const struct scene *scene);

/* Every character of more than one byte counts as one column. */
void assert_lines_fit(const char *text, unsigned columns);

#endif
