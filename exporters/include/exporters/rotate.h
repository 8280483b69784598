/* Files that do not grow for ever: when one is full it gets a number, "spans.1.jsonl" or, without that extension, "spans.1", and
 * those that have one get the next. Every step is a rename() in one folder, so a reader finds each file whole at any time. */
#ifndef EXPORTERS_ROTATE_H
#define EXPORTERS_ROTATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WH__PATH = 4096, WH__NUMBERED = WH__PATH + 16 };

/* The name of the file with that number, 0 being path itself; path is shorter than WH__PATH. */
void wh__numbered(char out[WH__NUMBERED], const char *path, uint32_t number);

/* Whether that is the name of the open file, or of another one by now: a process that shares it may have been here first. */
bool wh__is_file_at(int fd, const char *path);

/* Makes room at `path` if it is still the name of the open file: of at most `files` the one with the highest number goes. 0, also
 * where another process has been first; EWOULDBLOCK: one is at it just now; or another errno value. */
int wh__rotate(int fd, const char *path, uint32_t files);

#endif
