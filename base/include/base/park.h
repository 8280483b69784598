/* Sleeping until a word changes. */
#ifndef BASE_PARK_H
#define BASE_PARK_H

#include <stdint.h>

/* Marks functions in which pthread_cancel() may end the thread: AddressSanitizer would not learn that their frames are gone. */
#define WH__MAY_VANISH __attribute__((no_sanitize("address")))

/* Sleeps while *word == expected, until wh__unpark() on it, until `deadline` (an instant of wh__now(), or WH_NEVER), or for
 * no reason: the caller looks again. */
void wh__park(const uint32_t *word, uint32_t expected, int64_t deadline);

/* Wakes everyone who sleeps on that word. Safe on a word whose memory was given back: at worst somebody looks again. */
void wh__unpark(const uint32_t *word);

#endif
