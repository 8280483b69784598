#include "trace/ids.h"

#include <string.h>

#include "base/random.h"

static bool is_zero(const uint8_t *id, size_t size)
{
    while (size && id[size - 1] == 0) size--;
    return size == 0;
}

static void say_once(void)
{
    static bool said;
    if (!__atomic_exchange_n(&said, true, __ATOMIC_RELAXED))
        wh_report(WH_WARNING, "the id generator gives ids of zeros, which are none: random ones are taken in their place");
}

/* Words that are not zero. */
static void random_id(uint8_t *out, size_t size)
{
    for (size_t at = 0; at < size; at += sizeof(uint64_t)) {
        uint64_t word;
        do {
            word = wh__random();
        } while (word == 0);
        memcpy(out + at, &word, sizeof word);
    }
}

void wh__ids_trace(struct wh_id_generator *ids, uint8_t out[16])
{
    if (ids && ids->trace_id) {
        memset(out, 0, 16);
        ids->trace_id(ids, out);
        if (!is_zero(out, 16)) return;
        say_once();
    }
    random_id(out, 16);
}

void wh__ids_span(struct wh_id_generator *ids, uint8_t out[8])
{
    if (ids && ids->span_id) {
        memset(out, 0, 8);
        ids->span_id(ids, out);
        if (!is_zero(out, 8)) return;
        say_once();
    }
    random_id(out, 8);
}
