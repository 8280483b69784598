#include "trace/keeping.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/lock.h"
#include "base/mem.h"
#include "base/text.h"

static const unsigned all = WH_KEEP_CANCELLED | WH_KEEP_FAILED | WH_KEEP_LATE;

/* One trace takes an eighth of what there is for all. */
static void configure(struct wh__keeping *keeping, const struct wh_keep *opts)
{
    const uint64_t memory = opts->memory ? opts->memory : 16 << 20;
    keeping->memory = memory < 4 * WH__KEEP_STEP ? 4 * WH__KEEP_STEP : memory;
    keeping->trace_memory = keeping->memory / 8;
    keeping->trace_spans = opts->spans ? opts->spans : 1024;
    keeping->because = opts->because & all ? opts->because & all : all;
    keeping->every = opts->every > 0 ? opts->every : WH_SEC(1);
    keeping->cost = WH__SECOND / (opts->per_second ? opts->per_second : 10);
    keeping->credit = WH__SECOND;
}

struct wh__keeping *wh__keeping_new(const struct wh_keep *opts)
{
    struct wh__keeping *keeping = wh__mem_zero(sizeof *keeping);
    if (keeping) configure(keeping, opts);
    return keeping;
}

/* ---- memory ---- */

/* Whoever finds nothing only reads: in a flood nobody fights for the line. */
bool wh__keeping_stock_up(struct wh__keeping *keeping, struct wh__counts *counts)
{
    const uint64_t needed = (uint64_t)(-counts->keep_stock);
    const uint64_t step = (needed + WH__KEEP_STEP - 1) / WH__KEEP_STEP * WH__KEEP_STEP;
    uint64_t taken = __atomic_load_n(&keeping->taken, __ATOMIC_RELAXED);
    while (taken + step <= keeping->memory) {
        if (!__atomic_compare_exchange_n(&keeping->taken, &taken, taken + step, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) continue;
        counts->keep_stock += (int64_t)step;
        return true;
    }
    return false;
}

void wh__keeping_return(struct wh__keeping *keeping, struct wh__counts *counts)
{
    const int64_t surplus = (counts->keep_stock - WH__KEEP_STEP) / WH__KEEP_STEP * WH__KEEP_STEP;
    counts->keep_stock -= surplus;
    __atomic_fetch_sub(&keeping->taken, (uint64_t)surplus, __ATOMIC_RELAXED);
}

/* ---- kinds ---- */

static uint64_t add_text(uint64_t hash, const char *text)
{
    for (; *text; text++) hash = (hash ^ (uint8_t)*text) * UINT64_C(0x100000001b3);
    return (hash ^ 0xff) * UINT64_C(0x100000001b3);
}

/* A line has one site for each place where the compiler puts it. */
void wh__kind_settle(struct wh__kind *kind)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ kind->because;
    hash = add_text(hash, kind->reason);
    if (kind->site) hash = add_text(hash, kind->site->file) ^ (unsigned)kind->site->line;
    hash = add_text(hash, kind->operation);
    hash ^= hash >> 32;
    kind->key = hash ? hash : 1;
}

/* Its place, or the one that it is to take: of those in its row the one that has not been seen for the longest time. */
static struct wh__kind_seen *place_of(struct wh__keeping *keeping, uint64_t key)
{
    struct wh__kind_seen *row = keeping->kinds + key % (WH__KINDS / WH__KINDS_IN_A_ROW) * WH__KINDS_IN_A_ROW, *oldest = row;
    for (size_t i = 0; i < WH__KINDS_IN_A_ROW; i++) {
        if (row[i].kind.key == key) return &row[i];
        if (!row[i].kind.key || (oldest->kind.key && row[i].seen < oldest->seen)) oldest = &row[i];
        if (!oldest->kind.key) break;
    }
    return oldest;
}

static bool pay(struct wh__keeping *keeping, int64_t now)
{
    if (now > keeping->credited) {
        const int64_t more = wh__add(keeping->credit, wh__sub(now, keeping->credited));
        keeping->credit = more < WH__SECOND ? more : WH__SECOND;
        keeping->credited = now;
    }
    if (keeping->credit < keeping->cost) return false;
    keeping->credit -= keeping->cost;
    return true;
}

static int ask(struct wh__keeping *keeping, struct wh__kind_seen *seen, int64_t now)
{
    seen->seen = now;
    if (seen->kept != INT64_MIN && wh__sub(now, seen->kept) < keeping->every) return EEXIST;
    return pay(keeping, now) ? 0 : EAGAIN;
}

int wh__keeping_ask(struct wh__keeping *keeping, const struct wh__kind *kind, int64_t now, uint64_t *alike)
{
    wh__lock(&keeping->lock);
    struct wh__kind_seen *seen = place_of(keeping, kind->key);
    if (seen->kind.key != kind->key) *seen = (struct wh__kind_seen){.kind = *kind, .kept = INT64_MIN};
    const int rc = ask(keeping, seen, now);
    if (rc) {
        seen->alike++;
        keeping->untold++;
    } else {
        *alike = seen->alike;
        keeping->untold -= seen->alike;
        seen->alike = 0;
        seen->kept = now;
    }
    wh__unlock(&keeping->lock);
    return rc;
}

uint64_t wh__keeping_untold(struct wh__keeping *keeping)
{
    wh__lock(&keeping->lock);
    const uint64_t untold = keeping->untold;
    wh__unlock(&keeping->lock);
    return untold;
}

/* ---- at the end ---- */

enum { SAID = 4 };

/* Those with the highest numbers, highest first; one lock for each, none while something is said. */
static size_t most_frequent(struct wh__keeping *keeping, struct wh__kind_seen found[SAID])
{
    size_t count = 0;
    for (size_t i = 0; i < WH__KINDS; i++) {
        wh__lock(&keeping->lock);
        const struct wh__kind_seen seen = keeping->kinds[i];
        wh__unlock(&keeping->lock);
        size_t at = count;
        while (at > 0 && seen.alike > found[at - 1].alike) at--;
        if (!seen.alike || at == SAID) continue;
        if (count < SAID) count++;
        memmove(found + at + 1, found + at, (count - at - 1) * sizeof *found);
        found[at] = seen;
    }
    return count;
}

static void put_kind(struct wh__text *text, const struct wh__kind_seen *seen)
{
    const struct wh__kind *kind = &seen->kind;
    const char *slash = kind->site ? strrchr(kind->site->file, '/') : NULL;
    wh__put(text, "%s%llu %s", text->len ? ", " : "", (unsigned long long)seen->alike, kind->reason);
    if (kind->site) wh__put(text, " at %s:%d %s", slash ? slash + 1 : kind->site->file, kind->site->line, kind->site->func);
    wh__put(text, " in \"%s\"", kind->operation);
}

void wh__keeping_report(struct wh__keeping *keeping)
{
    char buf[400];
    struct wh__text text = {.buf = buf, .size = sizeof buf};
    struct wh__kind_seen found[SAID + 1];
    const uint64_t untold = wh__keeping_untold(keeping);
    if (!untold) return;
    const size_t count = most_frequent(keeping, found);
    for (size_t i = 0; i < count; i++) put_kind(&text, &found[i]);
    wh_report(WH_INFO, "%llu traces that ended badly were not kept, but only counted: %s%s", (unsigned long long)untold, buf,
              count == SAID ? ", ..." : "");
}

void wh__keeping_forget(struct wh__keeping *keeping)
{
    keeping->taken = keeping->homeless_skipped = keeping->homeless_ended = keeping->homeless_forgotten = keeping->untold = 0;
    keeping->credit = WH__SECOND;
    memset(keeping->kinds, 0, sizeof keeping->kinds);
}
