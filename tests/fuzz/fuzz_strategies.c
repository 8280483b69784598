/* Any bytes as sampling strategies: what is taken is in order, and nothing in it is out of bounds. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "otlp/mem.h"
#include "otlp/strategies.h"

static void require(bool holds)
{
    if (!holds) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wh__strategies *strategies;
    if (wh__strategies_read((const char *)data, size, &strategies)) return 0;
    const uint64_t never = UINT64_C(1) << 56;
    require(strategies->threshold <= never && strategies->rate >= 0 && strategies->rate <= 1e9);
    require(strategies->count <= WH__MOST_OPERATIONS && (strategies->count == 0 || strategies->kind == WH__BY_OPERATION));
    for (size_t i = 0; i < strategies->count; i++) {
        const struct wh__operation *operation = &strategies->operations[i];
        require(operation->threshold <= never && strlen(operation->name) <= 2 * size);
        require(i == 0 || strcmp(operation[-1].name, operation->name) <= 0);
        require(wh__strategies_threshold(strategies, operation->name) <= never);
    }
    wh__otlp_mem_free(strategies);
    return 0;
}
