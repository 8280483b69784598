/* Any text as a tracestate, for those who read and write the entry `ot` in it: what is written is a list, has the threshold
 * that was to be there, and has lost nothing else. The first 8 bytes are a threshold. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "trace/ot.h"
#include "trace/tracestate.h"

static void require(bool holds)
{
    if (!holds) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char room[WH_TRACESTATE_SIZE], list[WH_TRACESTATE_SIZE], *scratch = room;
    size_t left = sizeof room;
    uint64_t threshold = WH_NO_THRESHOLD;
    struct wh__ot before, after;
    if (size >= 8) memcpy(&threshold, data, 8);
    if (threshold >> 56) threshold = WH_NO_THRESHOLD;
    const size_t from = size < 8 ? size : 8;
    char *text = calloc(1, size - from + 1);
    if (!text) return 0;
    memcpy(text, data + from, size - from);
    if (wh__tracestate_read(text, list, sizeof list)) {
        wh__ot_read(list, &before);
        require(!before.has_threshold || before.threshold >> 56 == 0);
        const char *written = wh__ot_write(list, &before, threshold, NULL, &scratch, &left);
        char again[WH_TRACESTATE_SIZE];
        require(wh__tracestate_read(written, again, sizeof again) && strcmp(written, again) == 0);
        wh__ot_read(written, &after);
        require(after.has_randomness == before.has_randomness && after.randomness == before.randomness);
        if (written != list) require(threshold == WH_NO_THRESHOLD ? !after.names_threshold : after.threshold == threshold);
    }
    free(text);
    return 0;
}
