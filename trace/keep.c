#include "trace/keep.h"

#include <errno.h>
#include <string.h>
#include <whence/names.h>

#include "base/clock.h"
#include "base/lock.h"
#include "base/slab.h"
#include "base/text.h"
#include "trace/begin.h"
#include "trace/own.h"

enum { KEEP_BLOCK = 128 };

static bool is_ours(const struct wh__keep *keep)
{
    return keep->forks == wh__forks;
}

static void miss(struct wh__keep *keep)
{
    __atomic_fetch_add(&keep->missing, 1, __ATOMIC_RELAXED);
}

/* ---- a span begins ---- */

/* Charged before it is made, and given back if it cannot be. `record`: what the sampler wanted, or NULL. False: it cannot wait. */
static bool charge(struct wh__trace_node *trace, const struct wh__trace_node *parent, const struct wh_start_opts *opts,
                   const struct wh__scope *scope, struct wh__counts *counts, struct wh__record **record)
{
    struct wh__keeping *keeping = trace->provider->keeping;
    if (!counts || !wh__keeping_charge(keeping, counts, WH__RECORD_BLOCK)) return false;
    if (!*record) {
        *record = wh__begin_record(trace, parent, opts, scope, wh__now());
        trace->flags |= WH__UNASKED;
    }
    if (*record)
        (*record)->charged = 1;
    else
        wh__keeping_discharge(keeping, counts, WH__RECORD_BLOCK);
    return *record;
}

static struct wh__keep *keep_new(const struct wh__trace_node *root, struct wh__counts *counts)
{
    struct wh__keeping *keeping = root->provider->keeping;
    if (!counts || !wh__keeping_charge(keeping, counts, KEEP_BLOCK)) return NULL;
    struct wh__keep *keep = wh__slab_get(WH__128);
    if (keep)
        *keep = (struct wh__keep){.forks = wh__forks, .root = root};
    else
        wh__keeping_discharge(keeping, counts, KEEP_BLOCK);
    return keep;
}

/* Where a sampled root decides for all, there is nothing to decide later. */
static void begin(struct wh__trace_node *trace, const struct wh__trace_node *parent, const struct wh_start_opts *opts,
                  const struct wh__scope *scope, struct wh__record **record)
{
    struct wh__keeping *keeping = trace->provider->keeping;
    const bool sampled = trace->flags & WH_SAMPLED;
    if (sampled && !trace->provider->asks_for_children) return;
    struct wh__counts *counts = wh__counts_own(trace->provider);
    struct wh__keep *keep = keep_new(trace, counts);
    if (keep && (sampled || charge(trace, parent, opts, scope, counts, record))) {
        trace->keep = keep;
        trace->flags |= WH__KEEPS;
        trace->node.flags |= WH__DISPOSES;
        return;
    }
    wh__slab_put_if(keep);
    if (keep) wh__keeping_discharge(keeping, counts, KEEP_BLOCK);
    if (counts)
        wh__count(&counts->keep_skipped);
    else
        __atomic_fetch_add(&keeping->homeless_skipped, 1, __ATOMIC_RELAXED);
}

/* In the child of a fork a span of the parent process is a remote one. */
struct wh__record *wh__keep_join(struct wh__trace_node *trace, const struct wh__trace_node *parent, const struct wh_start_opts *opts,
                                 const struct wh__scope *scope, struct wh__record *record)
{
    struct wh__keep *keep = parent && !parent->remote && parent->flags & WH__KEEPS ? parent->keep : NULL;
    if (!parent || parent->remote || (keep && !is_ours(keep))) {
        begin(trace, parent, opts, scope, &record);
    } else if (keep) {
        const bool full = __atomic_load_n(&keep->spans, __ATOMIC_RELAXED) >= trace->provider->keeping->trace_spans;
        if (!(trace->flags & WH_SAMPLED) &&
            (full || !charge(trace, parent, opts, scope, wh__counts_own(trace->provider), &record)))
            miss(keep);
        trace->keep = keep;
        trace->flags |= WH__KEEPS;
    }
    return record;
}

/* ---- what it would be kept for ---- */

/* What comes first in enum wh_keep_because says most. */
void wh__keep_note(const struct wh__trace_node *trace, unsigned because, const char *reason, const struct wh_site *site)
{
    struct wh__keep *keep = trace->keep;
    because &= trace->provider->keeping->because;
    if (!keep || !because || __atomic_load_n(&keep->because, __ATOMIC_RELAXED) & because || !is_ours(keep)) return;
    wh__lock(&keep->lock);
    if (!(keep->because & (because | (because - 1)))) {
        keep->site = site;
        const size_t len = strnlen(reason, sizeof keep->reason);
        const size_t cut = len == sizeof keep->reason ? wh__utf8_cut(reason, len - 1) : len;
        memcpy(keep->reason, reason, cut);
        keep->reason[cut] = '\0';
    }
    __atomic_store_n(&keep->because, keep->because | because, __ATOMIC_RELAXED);
    wh__unlock(&keep->lock);
}

/* Who was stopped by a sibling's failure says that something failed. */
static void note_cancelled(const struct wh__trace_node *trace)
{
    struct wh_cause cause = {.size = sizeof cause};
    if (wh_cause_info(&trace->node, &cause))
        wh__keep_note(trace, cause.reason == WH_SIBLING_FAILED ? WH_KEEP_FAILED : WH_KEEP_CANCELLED, cause.reason->name, cause.site);
}

/* A cancel in the course of things may be an ERROR by the provider's policy, and is nothing to keep. */
static void note_end(const struct wh__trace_node *trace, const struct wh__record *record)
{
    const wh_ctx *node = &trace->node;
    const bool cancelled = record->marks & WH__WAS_DONE;
    const bool in_the_course_of_things = wh__unlikely(cancelled) && wh_log_level(node) == WH_LOG_DEBUG;
    if (wh__unlikely(cancelled && !in_the_course_of_things)) note_cancelled(trace);
    if (wh__unlikely(record->status == WH_STATUS_ERROR) && !(in_the_course_of_things && trace->provider->cancelled_is_error))
        wh__keep_note(trace, WH_KEEP_FAILED, "failed", node->made);
    if (record->marks & WH__WAS_LATE) wh__keep_note(trace, WH_KEEP_LATE, "late", node->made);
}

/* ---- waiting ---- */

static uint64_t size_of(const struct wh__record *record)
{
    return sizeof *record + record->capacity;
}

static void discharge(struct wh__keeping *keeping, struct wh__counts *counts, int64_t size)
{
    if (wh__likely(counts))
        wh__keeping_discharge(keeping, counts, size);
    else
        __atomic_fetch_sub(&keeping->taken, (uint64_t)size, __ATOMIC_RELAXED);
}

static void free_record(struct wh__keeping *keeping, struct wh__counts *counts, struct wh__record *record)
{
    const int64_t size = record->charged * WH__RECORD_BLOCK;
    wh__record_free(record);
    discharge(keeping, counts, size);
}

static void forget(struct wh__keeping *keeping, struct wh__counts *counts, struct wh__record *record)
{
    if (wh__likely(counts))
        wh__count(&counts->keep_forgotten);
    else
        __atomic_fetch_add(&keeping->homeless_forgotten, 1, __ATOMIC_RELAXED);
    free_record(keeping, counts, record);
}

static void let_go(const wh_provider *provider, struct wh__counts *counts, struct wh__record *record, enum wh__fate fate)
{
    if (fate == WH__TO_BE_KEPT && counts) {
        wh__process_kept(provider, counts, record);
        free_record(provider->keeping, counts, record);
    } else {
        forget(provider->keeping, counts, record);
    }
}

/* What it has grown by is charged when it begins to wait. */
static bool pay_for_growth(struct wh__keeping *keeping, struct wh__counts *counts, struct wh__record *record)
{
    const uint64_t blocks = (size_of(record) + WH__RECORD_BLOCK - 1) / WH__RECORD_BLOCK;
    if (wh__likely(blocks == record->charged)) return true;
    if (!counts || !wh__keeping_charge(keeping, counts, (int64_t)(blocks - record->charged) * WH__RECORD_BLOCK)) return false;
    record->charged = (uint16_t)blocks;
    return true;
}

/* WH__UNDECIDED: it waits now. Otherwise what it is to follow. */
static enum wh__fate wait_for_verdict(struct wh__keep *keep, const struct wh__keeping *keeping, struct wh__record *record, bool paid)
{
    wh__lock(&keep->lock);
    enum wh__fate fate = keep->fate;
    const bool fits = paid && keep->spans < keeping->trace_spans && keep->bytes + size_of(record) <= keeping->trace_memory;
    if (wh__likely(fate == WH__UNDECIDED && fits)) {
        record->next = keep->waiting;
        keep->waiting = record;
        keep->bytes += size_of(record);
        __atomic_store_n(&keep->spans, keep->spans + 1, __ATOMIC_RELAXED);
    }
    wh__unlock(&keep->lock);
    if (fate != WH__UNDECIDED || fits) return fate;
    miss(keep);
    return WH__TO_BE_FORGOTTEN;
}

/* ---- the verdict ---- */

/* In a log, and in one line: a name may be a stranger's. */
static void copy_clean(char *to, size_t size, const char *from)
{
    const size_t len = strnlen(from, size), cut = len == size ? wh__utf8_cut(from, size - 1) : len;
    for (size_t i = 0; i < cut; i++) to[i] = (unsigned char)from[i] < ' ' || from[i] == 0x7f ? '?' : from[i];
    to[cut] = '\0';
}

static void describe(struct wh__kind *kind, struct wh__keep *keep, unsigned because)
{
    char reason[sizeof keep->reason];
    wh__lock(&keep->lock);
    kind->site = keep->site;
    memcpy(reason, keep->reason, sizeof reason);
    wh__unlock(&keep->lock);
    kind->because = because & -because;
    copy_clean(kind->reason, sizeof kind->reason, reason);
    copy_clean(kind->operation, sizeof kind->operation, wh__name_of(keep->root));
    wh__kind_settle(kind);
}

static const char *word_of(unsigned because)
{
    return because == WH_KEEP_CANCELLED ? "cancelled" : because == WH_KEEP_FAILED ? "failed" : "late";
}

static void say(struct wh__record **record, const struct wh__keep *keep, const struct wh__kind *kind, uint64_t alike)
{
    const uint32_t missing = __atomic_load_n(&keep->missing, __ATOMIC_RELAXED);
    wh__own_attr(record, wh_attr(WH_ATTR_KEPT, (bool)true));
    wh__own_text(record, WH_ATTR_KEPT_BECAUSE, word_of(kind->because));
    wh__own_attr(record, wh_attr(WH_ATTR_KEPT_ALIKE, (int64_t)alike));
    if (missing) wh__own_attr(record, wh_attr(WH_ATTR_KEPT_MISSING, (int64_t)missing));
}

static enum wh__fate judge(struct wh__keep *keep, struct wh__keeping *keeping, struct wh__counts *counts, struct wh__record **record)
{
    struct wh__kind kind;
    uint64_t alike;
    const unsigned because = __atomic_load_n(&keep->because, __ATOMIC_RELAXED);
    if (wh__likely(!because) || !counts) return WH__TO_BE_FORGOTTEN;
    describe(&kind, keep, because);
    const int rc = wh__keeping_ask(keeping, &kind, wh__now(), &alike);
    wh__count(rc == 0 ? &counts->kept_traces : rc == EEXIST ? &counts->keep_alike : &counts->keep_limited);
    if (rc) return WH__TO_BE_FORGOTTEN;
    say(record, keep, &kind, alike);
    return WH__TO_BE_KEPT;
}

/* In the order in which they have ended. */
static struct wh__record *reversed(struct wh__record *list)
{
    struct wh__record *first = NULL;
    for (struct wh__record *next; list; list = next) {
        next = list->next;
        list->next = first;
        first = list;
    }
    return first;
}

static void give_verdict(struct wh__keep *keep, const wh_provider *provider, struct wh__counts *counts, enum wh__fate fate)
{
    wh__lock(&keep->lock);
    struct wh__record *waiting = keep->waiting;
    keep->waiting = NULL;
    keep->fate = fate;
    wh__unlock(&keep->lock);
    for (struct wh__record *record = reversed(waiting), *next; record; record = next) {
        next = record->next;
        let_go(provider, counts, record, fate);
    }
}

/* ---- a span ends ---- */

static enum wh__fate end_root(struct wh__trace_node *trace, struct wh__counts *counts, struct wh__record **record)
{
    wh_provider *provider = trace->provider;
    const enum wh__fate fate = judge(trace->keep, provider->keeping, counts, record);
    give_verdict(trace->keep, provider, counts, fate);
    return fate;
}

/* One that is sampled, or for which there was no memory, goes its own way. */
struct wh__record *wh__keep_end(struct wh__trace_node *trace, struct wh__record *record)
{
    struct wh__keep *keep = trace->keep;
    wh_provider *provider = trace->provider;
    struct wh__counts *counts = wh__counts_own(provider);
    enum wh__fate fate = WH__UNDECIDED;
    note_end(trace, record);
    if (keep->root == trace) fate = end_root(trace, counts, &record);
    if (!record->charged) {
        wh__process_end(trace, record);
        return record;
    }
    if (counts)
        wh__count(&counts->ended);
    else
        __atomic_fetch_add(&provider->keeping->homeless_ended, 1, __ATOMIC_RELAXED);
    if (!(trace->flags & WH__UNASKED)) wh__process_seen(trace, record);
    if (fate == WH__UNDECIDED) fate = wait_for_verdict(keep, provider->keeping, record, pay_for_growth(provider->keeping, counts, record));
    if (fate != WH__UNDECIDED) let_go(provider, counts, record, fate);
    return NULL;
}

void wh__keep_lose(struct wh__trace_node *trace, struct wh__record *record)
{
    if (record->charged)
        forget(trace->provider->keeping, wh__counts_own(trace->provider), record);
    else
        wh__record_free(record);
}

/* What waits in the child of a fork is the parent's; and a root that was never ended has no verdict. */
void wh__keep_dispose(struct wh__trace_node *trace)
{
    struct wh__keep *keep = trace->keep;
    if (!keep || keep->root != trace) return;
    if (is_ours(keep)) {
        struct wh__counts *counts = wh__counts_own(trace->provider);
        if (keep->fate == WH__UNDECIDED) give_verdict(keep, trace->provider, counts, WH__TO_BE_FORGOTTEN);
        discharge(trace->provider->keeping, counts, KEEP_BLOCK);
    }
    for (struct wh__record *record = keep->waiting, *next; record; record = next) {
        next = record->next;
        wh__record_free(record);
    }
    wh__slab_put(keep);
}
