/* A carrier for fuzz targets: fields by name, each at most once, or in the lines they came in. */
#ifndef FIELDS_H
#define FIELDS_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <whence/whence.h>

#include "base/mem.h"

enum { MOST_FIELDS = 256 };

struct fields {
    struct {
        const char *name;
        char *value;
    } list[MOST_FIELDS];
    int count;
};

static inline void require(bool holds)
{
    if (!holds) abort();
}

static inline const char *fields_get(void *arg, const char *name)
{
    const struct fields *fields = arg;
    for (int i = 0; i < fields->count; i++)
        if (strcasecmp(fields->list[i].name, name) == 0) return fields->list[i].value;
    return NULL;
}

/* In memory of exactly its size, and only during the call. */
static inline void fields_get_all(void *arg, const char *name, wh_each_fn *each, void *each_arg)
{
    const struct fields *fields = arg;
    for (int i = 0; i < fields->count; i++) {
        if (strcasecmp(fields->list[i].name, name)) continue;
        char *copy = strdup(fields->list[i].value);
        const bool more = each(each_arg, copy);
        free(copy);
        if (!more) return;
    }
}

static inline void fields_keys(void *arg, wh_each_fn *each, void *each_arg)
{
    const struct fields *fields = arg;
    for (int i = 0; i < fields->count; i++)
        if (!each(each_arg, fields->list[i].name)) return;
}

/* What goes out is a header that everyone may send. */
static inline void fields_set(void *arg, const char *name, const char *value)
{
    struct fields *fields = arg;
    require(fields->count < MOST_FIELDS && strlen(value) <= 8192);
    for (const char *p = name; *p; p++) require(*p > ' ' && *p < 0x7f);
    for (const char *p = value; *p; p++) require((*p >= ' ' && *p < 0x7f) || *p == '\t');
    fields->list[fields->count].name = strdup(name);
    fields->list[fields->count++].value = strdup(value);
}

/* Of what fields_set() has made. */
static inline void fields_clear(struct fields *fields)
{
    while (fields->count) {
        free((char *)fields->list[--fields->count].name);
        free(fields->list[fields->count].value);
    }
}

static inline bool fields_same(const struct fields *a, const struct fields *b)
{
    if (a->count != b->count) return false;
    for (int i = 0; i < a->count; i++)
        if (strcmp(a->list[i].name, b->list[i].name) || strcmp(a->list[i].value, b->list[i].value)) return false;
    return true;
}

static const struct wh_carrier by_line = {sizeof(struct wh_carrier), fields_get, fields_get_all, fields_keys, fields_set};
static const struct wh_carrier by_name = {.size = sizeof(struct wh_carrier), .get = fields_get, .keys = fields_keys, .set = fields_set};

static _Thread_local size_t fields_allocations;
static inline bool fields_count(size_t size)
{
    (void)size;
    fields_allocations++;
    return true;
}

/* What comes in goes out, comes in again and goes out the same; if nothing goes out, nothing was allocated for it, and never more
 * than a block for each kind of thing that a context keeps. Returns the context, to be ended. */
static inline wh_ctx *fields_round(const struct wh_propagator *by, const struct wh_carrier *carrier, struct fields *in, struct fields *out)
{
    struct fields again = {.count = 0};
    static bool warm;
    if (!warm) wh_end(wh_extract_with(NULL, by, carrier, in)); /* whatever the first use needs */
    warm = true;
    fields_allocations = 0;
    wh__mem_gate = fields_count;
    wh_ctx *first = wh_extract_with(NULL, by, carrier, in);
    wh__mem_gate = NULL;
    out->count = 0;
    wh_inject_with(first, by, carrier, out);
    require(fields_allocations <= (out->count ? 3 : 0));
    wh_ctx *second = wh_extract_with(NULL, by, carrier, out);
    wh_inject_with(second, by, carrier, &again);
    require(fields_same(out, &again));
    wh_end(second);
    fields_clear(&again);
    return first;
}

/* Cuts text into lines in place; each becomes a field: "name: value", or a value of the name by which that line goes. */
static inline void fields_cut(struct fields *fields, char *text, const char *const *names, int name_count)
{
    fields->count = 0;
    for (char *line; (line = strsep(&text, "\n")) && fields->count < MOST_FIELDS; fields->count++) {
        char *colon = strstr(line, ": ");
        fields->list[fields->count].name = colon ? line : names[fields->count % name_count];
        fields->list[fields->count].value = colon ? colon + 2 : line;
        if (colon) *colon = '\0';
    }
}

#endif
