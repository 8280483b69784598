#include "otlp/limiter.h"

#include <whence/base.h>

/* A bucket that will be full at `full` lacks (full - now) / interval. It holds as many as come in a second, but at least one.
 * Slower than one in a thousand years is never. */
bool wh__limiter_take(int64_t *bucket, double rate, int64_t now)
{
    const double second = 1e9;
    if (!(rate > 1e-10)) return false;
    const int64_t interval = rate >= second ? 1 : (int64_t)(second / rate), most = rate >= 1 ? (int64_t)second : interval;
    int64_t full = __atomic_load_n(bucket, __ATOMIC_RELAXED), next;
    do {
        if (__builtin_add_overflow(full > now ? full : now, interval, &next) || next - now > most) return false;
    } while (!__atomic_compare_exchange_n(bucket, &full, next, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    return true;
}

/* FNV-1a, and a last stir: two names that have the same share a bucket. */
static uint64_t hash_of(const char *name)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (; *name; name++) hash = (hash ^ (unsigned char)*name) * UINT64_C(0x100000001b3);
    hash = (hash ^ hash >> 32) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ? hash : 1;
}

int64_t *wh__limiters_of(struct wh__limiters *limiters, const char *operation)
{
    const uint64_t hash = hash_of(operation);
    for (uint64_t at = hash >> 40;; at++) {
        uint64_t *slot = &limiters->slots[at % WH__LIMITERS].hash, found = __atomic_load_n(slot, __ATOMIC_RELAXED);
        if (found == 0) {
            if (__atomic_fetch_add(&limiters->used, 1, __ATOMIC_RELAXED) >= WH__LIMITERS / 2) {
                __atomic_fetch_sub(&limiters->used, 1, __ATOMIC_RELAXED);
                return NULL;
            }
            if (__atomic_compare_exchange_n(slot, &found, hash, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) found = hash;
            else __atomic_fetch_sub(&limiters->used, 1, __ATOMIC_RELAXED);
        }
        if (found == hash) return &limiters->slots[at % WH__LIMITERS].bucket;
    }
}
