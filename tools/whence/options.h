/* What was asked for on the command line; the same for every command, though not every command uses all of it. */
#ifndef TOOLS_WHENCE_OPTIONS_H
#define TOOLS_WHENCE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model.h"

enum { FOUND = 0, NOTHING = 1, TROUBLE = 2 }; /* exit statuses */

struct options {
    const char **files, **traces; /* "-" is standard input; traces by the first digits of their ids */
    size_t file_count, trace_count;
    const char *jaeger;           /* its address; NULL: none is asked */
    const char *service;          /* NULL: all */
    uint64_t since;               /* how far back a search goes, in ns */
    unsigned limit;               /* traces that a search may find */
    const char *by;               /* what top groups by */
    const char *output;           /* a file to write; NULL: standard output */
    const char *title;            /* of a page; NULL: what is in it */
    bool json, ascii, colour, no_colour;
    unsigned width;               /* 0: the terminal's */
};

/* False, after a word on standard error: there is something wrong with them. The strings stay those of `argv`. */
bool options_read(struct options *options, int argc, char **argv);
void options_free(struct options *options);

/* Reads what they name, and joins it. NULL, after a word on standard error: nothing could be read. */
struct model *options_load(const struct options *options);

/* The traces that were asked for, or all: *count of them, to be freed. NULL, after a word on standard error: one is not there,
 * or there are none at all. */
struct trace **options_traces(const struct options *options, const struct model *model, size_t *count);

/* Asks a Jaeger for the traces that were named, or for those that were cancelled. How many spans; -1 after a word. */
long jaeger_ask(struct model *model, const struct options *options);

#endif
