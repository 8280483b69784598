/* How long stopping takes: a histogram for each place and kind, without a lock. */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "context/live.h"

enum { ROWS = 256, BUCKETS = WH_STOP_BUCKETS };

struct row {
    uintptr_t key;      /* the place, and the kind in its lowest bits; 0: free. Once it is taken, for ever */
    uint64_t count, total, longest;
    uint64_t buckets[BUCKETS];
};
_Static_assert(_Alignof(struct wh_site) > WH_STOP_OWNER, "the kind fits below the address of a place");

static struct row rows[ROWS];
static uint64_t lost_count;

static struct row *row_of(uintptr_t key)
{
    size_t at = (size_t)((key >> 3) * UINT64_C(0x9e3779b97f4a7c15) >> 32) % ROWS;
    for (size_t tries = 0; tries < ROWS; tries++, at = (at + 1) % ROWS) {
        uintptr_t there = __atomic_load_n(&rows[at].key, __ATOMIC_ACQUIRE);
        if (!there && __atomic_compare_exchange_n(&rows[at].key, &there, key, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
            return &rows[at];
        if (there == key) return &rows[at];
    }
    return NULL;
}

/* 0 up to 1 us, i up to 2^i us, the last: everything else. */
static size_t bucket_of(uint64_t ns)
{
    const uint64_t us = (ns + 999) / 1000;
    const size_t bucket = us <= 1 ? 0 : 64 - (size_t)__builtin_clzll(us - 1);
    return bucket < BUCKETS - 1 ? bucket : BUCKETS - 1;
}

static void count_more(uint64_t *counter, uint64_t more)
{
    __atomic_fetch_add(counter, more, __ATOMIC_RELAXED);
}

static void raise_to(uint64_t *most, uint64_t value)
{
    uint64_t now = __atomic_load_n(most, __ATOMIC_RELAXED);
    while (value > now && !__atomic_compare_exchange_n(most, &now, value, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) continue;
}

void wh__live_measured(const wh_ctx *ctx, enum wh_stop what)
{
    const wh_ctx *node = wh__live(ctx);
    if (!node || node->flags & WH__IMMORTAL || wh__state(node) < WH_NOT_OPEN_) return;
    const wh_ctx *origin = wh__origin(node);
    if (origin->flags & WH__IMMORTAL || !origin->made) return;
    const int64_t took = wh__until(wh__now(), origin->at);
    struct row *row = row_of((uintptr_t)origin->made | (uintptr_t)what);
    if (!row) {
        count_more(&lost_count, 1);
        return;
    }
    const uint64_t ns = (uint64_t)took;
    raise_to(&row->longest, ns);
    count_more(&row->total, ns);
    count_more(&row->buckets[bucket_of(ns)], 1);
    count_more(&row->count, 1);
}

/* ---- reading ---- */

static bool read_row(const struct row *row, struct wh_latency *out)
{
    const uintptr_t key = __atomic_load_n(&row->key, __ATOMIC_ACQUIRE), kind = 3;
    if (!key) return false;
    *out = (struct wh_latency){
        .site = (const struct wh_site *)(key & ~kind),
        .what = (enum wh_stop)(key & kind),
        .count = __atomic_load_n(&row->count, __ATOMIC_RELAXED),
        .total = (int64_t)__atomic_load_n(&row->total, __ATOMIC_RELAXED),
        .longest = (int64_t)__atomic_load_n(&row->longest, __ATOMIC_RELAXED),
    };
    for (size_t i = 0; i < BUCKETS; i++) out->buckets[i] = __atomic_load_n(&row->buckets[i], __ATOMIC_RELAXED);
    return out->count > 0;
}

size_t wh_latency(struct wh_latency *list, size_t max, uint64_t *lost)
{
    size_t count = 0;
    struct wh_latency one;
    for (size_t i = 0; i < ROWS; i++) {
        if (!read_row(&rows[i], &one)) continue;
        if (count < max) list[count] = one;
        count++;
    }
    if (lost) *lost = __atomic_load_n(&lost_count, __ATOMIC_RELAXED);
    return count;
}

/* ---- the report ---- */

static int longest_first(const void *a, const void *b, const void *unused)
{
    const struct wh_latency *one = a, *other = b;
    (void)unused;
    return one->longest > other->longest ? -1 : one->longest < other->longest;
}

/* In what time that many of a hundred had stopped: the upper end of a bucket, or the longest if that is less. */
static int64_t within(const struct wh_latency *row, unsigned percent)
{
    uint64_t all = 0, seen = 0;
    for (size_t i = 0; i < BUCKETS; i++) all += row->buckets[i];
    const uint64_t wanted = (all * percent + 99) / 100;
    for (size_t i = 0; i < BUCKETS - 1; i++) {
        seen += row->buckets[i];
        if (seen >= wanted) return WH_US(INT64_C(1) << i) < row->longest ? WH_US(INT64_C(1) << i) : row->longest;
    }
    return row->longest;
}

static void put_row(struct wh__out *out, const struct wh_latency *row)
{
    static const char *const kinds[] = {[WH_STOP_WAITER] = "waiter awake", [WH_STOP_GROUP] = "group empty",
        [WH_STOP_OWNER] = "owner ended it"};
    wh__out_put(out, "  ");
    wh__out_site(out, row->site);
    wh__out_put(out, ": %s, %llu time%s, half within ", kinds[row->what], (unsigned long long)row->count,
        row->count == 1 ? "" : "s");
    wh__out_duration(out, within(row, 50));
    wh__out_put(out, ", 99 %% within ");
    wh__out_duration(out, within(row, 99));
    wh__out_put(out, ", the longest ");
    wh__out_duration(out, row->longest);
    wh__out_put(out, "\n");
}

int wh_report_latency(int fd)
{
    uint64_t lost;
    struct wh_latency *list = wh__mem_get(ROWS * sizeof *list);
    struct wh__out *out = list ? wh__out_new(fd) : NULL;
    if (!out) {
        wh__mem_free(list);
        return ENOMEM;
    }
    const size_t count = wh_latency(list, ROWS, &lost);
    wh__sort(list, count, sizeof *list, longest_first, NULL);
    wh__out_put(out, "from the cancel until it stopped, by the place where the context was made%s\n",
        count ? "" : ": nothing was measured");
    for (size_t i = 0; i < count; i++) put_row(out, &list[i]);
    if (lost) wh__out_put(out, "  at other places: %llu times\n", (unsigned long long)lost);
    wh__mem_free(list);
    return wh__out_end(out);
}
