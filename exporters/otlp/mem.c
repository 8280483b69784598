#include "otlp/mem.h"

#include <stdlib.h>

bool (*wh__otlp_mem_gate)(size_t size);

static bool allowed(size_t size)
{
    return !wh__otlp_mem_gate || wh__otlp_mem_gate(size);
}

void *wh__otlp_mem_get(size_t size)
{
    return allowed(size) ? malloc(size) : NULL;
}

void *wh__otlp_mem_zero(size_t size)
{
    return allowed(size) ? calloc(1, size) : NULL;
}

void wh__otlp_mem_free(void *ptr)
{
    free(ptr);
}
