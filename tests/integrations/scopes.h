/* Which scopes the spans of a provider were of, in the order in which they ended. */
#ifndef INTEGRATIONS_SCOPES_H
#define INTEGRATIONS_SCOPES_H

#include <stdio.h>
#include <string.h>

#include "test.h"

static struct {
    uint32_t count;      /* atomic */
    char names[16][40];
} scopes;

/* The name is the first field of an InstrumentationScope: tag, length, text. */
static void note_scope(struct wh_processor *self, const struct wh_ended *span)
{
    const unsigned char *bytes = span->scope.ptr;
    const uint32_t i = __atomic_fetch_add(&scopes.count, 1, __ATOMIC_RELAXED);
    (void)self;
    if (i < 16 && span->scope.len > 2 && bytes[0] == 0x0a && bytes[1] < sizeof scopes.names[i])
        snprintf(scopes.names[i], sizeof scopes.names[i], "%.*s", bytes[1], (const char *)bytes + 2);
}

static struct spans spans_with_scopes(void)
{
    static struct wh_processor noting = {.size = sizeof noting, .name = "scopes", .on_end = note_scope};
    static struct wh_processor *const processors[] = {&noting};
    memset(&scopes, 0, sizeof scopes);
    return spans_begin_with((struct wh_provider_opts){.processors = processors, .processor_count = 1});
}

static bool was_of_scope(const char *name)
{
    for (int i = 0; i < 16; i++)
        if (strcmp(scopes.names[i], name) == 0) return true;
    return false;
}

#endif
