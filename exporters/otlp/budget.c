#include "otlp/budget.h"

#include "otlp/mem.h"

static void *spend(void *arg, size_t size)
{
    struct wh__otlp_budget *budget = arg;
    if (size > budget->left) return NULL;
    budget->left -= size;
    void *ptr = wh__otlp_mem_get(size);
    budget->no_memory |= ptr == NULL;
    return ptr;
}

static void give_back(void *arg, void *ptr)
{
    (void)arg;
    wh__otlp_mem_free(ptr);
}

/* Small messages may cost many times their bytes; large ones not. */
ProtobufCAllocator *wh__otlp_budget_begin(struct wh__otlp_budget *budget, size_t bytes)
{
    const size_t most = 8 << 20, small = most / 16;
    const size_t size = bytes < small ? 16 * bytes + 4096 : bytes < most / 2 ? most : 2 * bytes;
    *budget = (struct wh__otlp_budget){{spend, give_back, budget}, size, false};
    return &budget->allocator;
}
