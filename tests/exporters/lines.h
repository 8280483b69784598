/* What the tests of the file exporter share: spans to export, a folder for its files, and a reader that knows the
 * encoding by heart. */
#ifndef LINES_H
#define LINES_H

#include <sys/resource.h>

#include "bytes.h"

/* ---- exporting ---- */

/* The ids of a span, the least that makes one. */
void put_ids(struct bytes *b);

int export_spans(struct wh_exporter *file, const struct wh_bytes *spans, size_t count, int64_t deadline,
    size_t *rejected);

/* One small span; while no file may grow beyond `size`. */
int export_small(struct wh_exporter *file, int64_t deadline);
int export_small_below(struct wh_exporter *file, rlim_t size);

/* A line of about `size` bytes. */
int export_large(struct wh_exporter *file, size_t size, int64_t deadline);

/* ---- files ---- */

/* For cmocka: a folder of this program's, which may hold "lines", "fifo" and "shared". */
extern char folder[];
int make_folder(void **state);
int remove_folder(void **state);

/* The path of a file in the folder, of which there is none yet; remembered in `path`. */
extern char path[64];
const char *in_folder(const char *name);

/* Reads a file into `content`. */
extern char content[8 << 20];
const char *read_file(const char *name);

/* Fails unless every line of a file is OTLP JSON, and there are so many lines and spans. */
void assert_readable(const char *name, long lines, long spans);

#endif
