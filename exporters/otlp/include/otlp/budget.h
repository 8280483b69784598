/* Decoding what may be hostile: every unknown field costs the decoder far more memory than it has bytes. Whoever decodes
 * gets so much, and no more. */
#ifndef OTLP_BUDGET_H
#define OTLP_BUDGET_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>

struct wh__otlp_budget {
    ProtobufCAllocator allocator;
    size_t left;
    bool no_memory;              /* the system had none; within the budget */
};

/* For so many bytes of input; the allocator is valid as long as *budget, for both ways. */
ProtobufCAllocator *wh__otlp_budget_begin(struct wh__otlp_budget *budget, size_t bytes);

#endif
