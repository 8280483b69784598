/* Why a callee gave up, from one process to another: what is said and heard, and how often. */
#include <string.h>

#include "propagate/cause.h"
#include "trace/callee.h"

/* ---- what one wants of it ---- */

static bool may_send = true, may_accept = true; /* atomic */

void wh__set_cause_send(bool send)
{
    __atomic_store_n(&may_send, send, __ATOMIC_RELAXED);
}

void wh__set_cause_accept(bool accept)
{
    __atomic_store_n(&may_accept, accept, __ATOMIC_RELAXED);
}

void wh_set_cause_policy(bool send, bool accept)
{
    wh__set_cause_send(send);
    wh__set_cause_accept(accept);
}

WH_KEY(silence, bool)

wh_ctx *wh_with_hidden_cause(const wh_ctx *parent)
{
    return wh_with_silence(parent, true);
}

/* ---- how often ---- */

static struct wh_cause_stats counted; /* atomic, each by itself */

static void count(uint64_t *counter)
{
    __atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

static uint64_t count_of(const uint64_t *counter)
{
    return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

void wh_cause_stats(struct wh_cause_stats *stats)
{
    const struct wh_cause_stats now = {stats->size, count_of(&counted.sent), count_of(&counted.accepted), count_of(&counted.refused),
        count_of(&counted.hidden), count_of(&counted.unwanted)};
    memcpy(stats, &now, stats->size < sizeof now ? stats->size : sizeof now);
}

/* ---- out and in ---- */

size_t wh_cause_write(const wh_ctx *ctx, char *buf, size_t size)
{
    struct wh_because list[WH_CAUSES_MAX];
    if (size) *buf = '\0';
    const size_t links = wh_causes(ctx, list, WH_CAUSES_MAX);
    if (links == 0) return 0;
    if (!__atomic_load_n(&may_send, __ATOMIC_RELAXED) || wh_silence(ctx)) {
        count(&counted.hidden);
        return 0;
    }
    const size_t len = wh__cause_write(buf, size, list, links);
    if (len) count(&counted.sent);
    return len;
}

void wh_callee_vanished(const wh_ctx *ctx)
{
    const struct wh_because vanished = {.size = sizeof vanished, .reason = "unknown", .text = "peer vanished"};
    wh__note_callee(ctx, &vanished, 1);
}

bool wh_cause_read(const wh_ctx *ctx, const char *value)
{
    struct wh__causes causes;
    if (!__atomic_load_n(&may_accept, __ATOMIC_RELAXED)) {
        count(&counted.unwanted);
        return false;
    }
    if (!wh__cause_read(value, strnlen(value, WH_CAUSE_SIZE), &causes)) {
        count(&counted.refused);
        return false;
    }
    count(&counted.accepted);
    wh__note_callee(ctx, causes.list, causes.count);
    return true;
}
