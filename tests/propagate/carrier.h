/* A carrier for tests: fields in lines, as HTTP has them. */
#ifndef CARRIER_H
#define CARRIER_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "test.h"

enum { LINES = 200 };

struct carrier {
    struct {
        char *name, *value;
    } lines[LINES];
    int count;
    int joined_gets; /* how often one was asked for by get */
};

static inline void carrier_add(struct carrier *carrier, const char *name, const char *value)
{
    assert_in_range(carrier->count, 0, LINES - 1);
    carrier->lines[carrier->count].name = strdup(name);
    carrier->lines[carrier->count++].value = strdup(value);
}

static inline const char *carrier_get(void *arg, const char *name)
{
    struct carrier *carrier = arg;
    carrier->joined_gets++;
    for (int i = 0; i < carrier->count; i++)
        if (strcasecmp(carrier->lines[i].name, name) == 0) return carrier->lines[i].value;
    return NULL;
}

static inline void carrier_get_all(void *arg, const char *name, wh_each_fn *each, void *each_arg)
{
    const struct carrier *carrier = arg;
    for (int i = 0; i < carrier->count; i++) {
        if (strcasecmp(carrier->lines[i].name, name)) continue;
        char *copy = strdup(carrier->lines[i].value); /* valid during the call only */
        const bool more = each(each_arg, copy);
        memset(copy, '!', strlen(copy));
        free(copy);
        if (!more) return;
    }
}

static inline void carrier_keys(void *arg, wh_each_fn *each, void *each_arg)
{
    const struct carrier *carrier = arg;
    for (int i = 0; i < carrier->count; i++)
        if (!each(each_arg, carrier->lines[i].name)) return;
}

static inline void carrier_set(void *arg, const char *name, const char *value)
{
    struct carrier *carrier = arg;
    for (int i = 0; i < carrier->count; i++) {
        if (strcmp(carrier->lines[i].name, name)) continue;
        free(carrier->lines[i].value);
        carrier->lines[i].value = strdup(value);
        return;
    }
    carrier_add(carrier, name, value);
}

static inline void carrier_clear(struct carrier *carrier)
{
    while (carrier->count) {
        free(carrier->lines[--carrier->count].name);
        free(carrier->lines[carrier->count].value);
    }
}

/* The functions of a carrier that can do all; and of one that can only be asked for one value. */
static const struct wh_carrier in_lines = {sizeof(struct wh_carrier), carrier_get, carrier_get_all, carrier_keys, carrier_set};
static const struct wh_carrier plain = {.size = sizeof(struct wh_carrier), .get = carrier_get, .set = carrier_set};

/* A context extracted from one field by one propagator. */
static inline wh_ctx *extract_one(const struct wh_propagator *propagator, const char *name, const char *value)
{
    struct carrier carrier = {0};
    carrier_add(&carrier, name, value);
    wh_ctx *ctx = wh_extract_with(NULL, propagator, &in_lines, &carrier);
    carrier_clear(&carrier);
    return ctx;
}

#endif
