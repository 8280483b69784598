#include "base/mem.h"

#include <stdlib.h>

_Thread_local bool (*wh__mem_gate)(size_t size);

static bool allowed(size_t size)
{
    return !wh__mem_gate || wh__mem_gate(size);
}

void *wh__mem_get(size_t size)
{
    return allowed(size) ? malloc(size) : NULL;
}

void *wh__mem_zero(size_t size)
{
    return allowed(size) ? calloc(1, size) : NULL;
}

void *wh__mem_resize(void *old, size_t size)
{
    return allowed(size) ? realloc(old, size) : NULL;
}

void *wh__mem_aligned(size_t alignment, size_t size)
{
    void *ptr = NULL;
    return allowed(size) && posix_memalign(&ptr, alignment, size) == 0 ? ptr : NULL;
}

void wh__mem_free(void *ptr)
{
    free(ptr);
}
