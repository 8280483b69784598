/* Reading what another thread replaces: readers come and go without waiting, and without writing to a cache line that all of
 * them share; the one who replaces waits until nobody can still see the old one (sleepable RCU, with counters in two phases). */
#ifndef OTLP_READERS_H
#define OTLP_READERS_H

#include <stdint.h>

enum { WH__READER_SHARDS = 16 };
struct wh__readers {
    uint32_t phase;           /* atomic */
    struct {
        uint32_t inside[2];   /* atomic, by phase */
        char apart[56];       /* a cache line each */
    } shards[WH__READER_SHARDS];
};

/* Returns what wh__readers_leave() wants. */
unsigned wh__readers_enter(struct wh__readers *readers);
void wh__readers_leave(struct wh__readers *readers, unsigned ticket);

/* After the new one was published: returns once every reader that came before has left. One thread at a time. */
void wh__readers_wait(struct wh__readers *readers);

#endif
