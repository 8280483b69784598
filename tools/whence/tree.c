/* whence tree: traces, drawn. */
#include <stdio.h>
#include <stdlib.h>

#include "commands.h"

int command_tree(const struct options *options, const struct model *model)
{
    size_t count;
    struct trace **traces = options_traces(options, model, &count);
    if (!traces) return NOTHING;
    for (size_t i = 0; i < count; i++)
        for (size_t s = 0; s < traces[i]->count; s++) {
            const struct span *span = traces[i]->spans[s];
            printf("%*s%s (%s)\n", 2 * (int)span->depth, "", span->name, span->resource->service);
        }
    free(traces);
    return FOUND;
}
