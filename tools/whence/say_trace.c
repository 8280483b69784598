/* What is told once of a whole trace, after its incidents; and what a trace of any SDK shows without saying it. */
#include <string.h>
#include <time.h>

#include <whence/names.h>

#include "ids.h"
#include "say.h"

enum { MOST = 4, MILLISECOND = 1000000 };

/* ---- Whence's own ---- */

static void say_nearly_late(struct text *text, const struct span *span)
{
    const struct facts *facts = span->facts;
    text_put(text, "Nearly late: ");
    text_name(text, span);
    if (facts->left != UNTOLD) text_put(text, " had "), text_duration(text, facts->left), text_put(text, " left");
    else if (facts->budget != UNTOLD) text_put(text, " had little left");
    if (facts->budget != UNTOLD) text_put(text, " of "), text_duration(text, facts->budget);
    text_put(text, ".\n");
}

static void say_age(struct text *text, const struct facts *facts)
{
    if (facts->leaked_age != UNTOLD) text_put(text, "; it was "), text_duration(text, facts->leaked_age), text_put(text, " old at shutdown");
    text_put(text, ".");
}

static void say_leaked(struct text *text, const struct span *span)
{
    const struct facts *facts = span->facts;
    text_put(text, "Leaked: ");
    text_name(text, span);
    if (facts->leaked_site) text_put(text, ", started at "), text_stranger(text, facts->leaked_site, 100), text_put(text, ",");
    text_put(text, " was never ended");
    say_age(text, facts);
    text_put(text, "\n");
}

static void say_child(struct text *text, const struct span *span)
{
    const struct facts *facts = span->facts;
    const char *status = attribute_text(&span->attributes, WH_ATTR_PROCESS_EXIT_CODE);
    text_put(text, "Child process: ");
    text_name(text, span);
    if (strcmp(facts->child_ended_by, "signal") == 0) {
        text_put(text, " was ended by ");
        text_stranger(text, facts->child_signal ? facts->child_signal : "a signal", 30);
    } else {
        text_put(text, " exited");
        if (status) text_put(text, " with "), text_stranger(text, status, 20);
    }
    if (facts->child_stopped_for) text_put(text, ", stopped for "), text_stranger(text, facts->child_stopped_for, 60);
    text_put(text, ".\n");
}

static void say_kept(struct text *text, const struct span *span)
{
    const struct facts *facts = span->facts;
    text_put(text, "Kept: although it was not sampled, because it ");
    if (facts->kept_because && strcmp(facts->kept_because, "late") == 0) text_put(text, "was nearly late");
    else if (facts->kept_because && strcmp(facts->kept_because, "failed") == 0) text_put(text, "failed");
    else text_put(text, "was cancelled");
    text_put(text, " in %s", *span->resource->service ? "" : "its service");
    text_stranger(text, span->resource->service, 40);
    if (facts->kept_alike) text_put(text, "; %lld more like it were only counted", (long long)facts->kept_alike);
    text_put(text, ".\n");
}

static void say_facts(struct text *text, const struct trace *trace, const struct span *above)
{
    struct { size_t nearly_late, leaked, child, kept; } told = {0};
    for (size_t i = 0; i < trace->count; i++) {
        const struct span *span = trace->spans[i];
        const struct facts *facts = span->facts;
        if (!facts) continue;
        if (facts->nearly_late && told.nearly_late++ < MOST) say_nearly_late(text, span);
        if (facts->leaked && span != above && told.leaked++ < MOST) say_leaked(text, span);
        if (facts->child_ended_by && told.child++ < MOST) say_child(text, span);
        if (facts->kept && told.kept++ < MOST) say_kept(text, span);
    }
    if (told.nearly_late > MOST) text_put(text, "Nearly late: and %zu more.\n", told.nearly_late - MOST);
    if (told.leaked > MOST) text_put(text, "Leaked: and %zu more.\n", told.leaked - MOST);
}

/* ---- a leak above all ---- */

/* What ends in this way hurts nobody; a leaked span ends so because nobody has ended it before. */
static bool is_in_course(const struct span *span)
{
    static const char *const reasons[] = {"ended", "group_done", "race_lost", "handler_returned"};
    if (!was_cancelled(span) || !span->facts->reason || (span->status == STATUS_ERROR && !span->facts->leaked)) return false;
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (strcmp(span->facts->reason, reasons[i]) == 0) return true;
    return false;
}

const struct span *leak_above_all(const struct trace *trace)
{
    const struct span *first = NULL;
    for (size_t i = 0; i < trace->count; i++) {
        const struct span *span = trace->spans[i];
        if (is_troubled(span) && !is_in_course(span)) return NULL;
        if (!first && span->facts && span->facts->leaked) first = span;
    }
    return first;
}

void say_leak(struct text *text, const struct span *span)
{
    const struct facts *facts = span->facts;
    text_name(text, span);
    text_put(text, " leaked: it was ");
    if (facts->leaked_site) text_put(text, "started at "), text_stranger(text, facts->leaked_site, 100), text_put(text, " and ");
    text_put(text, "never ended");
    say_age(text, facts);
}

/* ---- what any trace shows ---- */

static bool is_asynchronous(const struct span *span)
{
    return span->kind == KIND_CONSUMER || span->kind == KIND_PRODUCER || (span->up && span->up->kind == KIND_PRODUCER);
}

/* A child that went on after its parent: what it did then nobody waited for. Of spans that say themselves what stopped them that is
 * told already. A millisecond is nothing, and clocks of two processes may differ. */
static void say_work_for_nobody(struct text *text, const struct trace *trace)
{
    size_t told = 0;
    for (size_t i = 0; i < trace->count; i++) {
        const struct span *span = trace->spans[i], *up = span->up;
        if (!up || was_cancelled(span) || is_asynchronous(span) || span->end < up->end + MILLISECOND) continue;
        if (told++ >= MOST) continue;
        text_put(text, "Work for nobody: ");
        text_name(text, span);
        text_put(text, " ran on for ");
        text_since(text, up->end, span->end);
        text_put(text, " after its caller ");
        text_name(text, up);
        text_put(text, span->parent_is_remote ? " had ended, if their clocks agree.\n" : " had ended.\n");
    }
    if (told > MOST) text_put(text, "Work for nobody: and %zu more.\n", told - MOST);
}

/* The longest time in which a span that failed had children, and none of them ran. Children come in the order of their starts. */
static void say_gap(struct text *text, const struct span *span)
{
    uint64_t at = span->start, from = 0, longest = 0;
    for (const struct span *child = span->down; child; child = child->next) {
        if (child->start > at && child->start - at > longest && child->start <= span->end) longest = child->start - at, from = at;
        if (child->end > at) at = child->end;
    }
    if (span->end > at && span->end - at > longest) longest = span->end - at, from = at;
    if (!span->down || longest < (span->end - span->start) / 5 || longest < MILLISECOND) return;
    text_put(text, "Gap: nothing ran below ");
    text_name(text, span);
    text_put(text, " for ");
    text_since(text, 0, longest);
    text_put(text, ", from ");
    text_since(text, span->start, from);
    text_put(text, " on.\n");
}

/* ---- what is not known ---- */

static bool is_whences(const struct span *span)
{
    const char *sdk = attribute_text(&span->resource->attributes, "telemetry.sdk.name");
    return span->facts || (sdk && strcmp(sdk, "whence") == 0);
}

static void say_strangers(struct text *text, const struct trace *trace)
{
    const struct span *first = NULL;
    size_t count = 0;
    for (size_t i = 0; i < trace->count; i++) {
        const struct span *span = trace->spans[i];
        if (is_whences(span)) continue;
        if (!first || span->status == STATUS_ERROR) first = first && first->status == STATUS_ERROR ? first : span;
        count++;
    }
    if (!count) return;
    const char *language = attribute_text(&first->resource->attributes, "telemetry.sdk.language");
    text_put(text, "Not known: %zu of %zu spans are not Whence's", count, trace->count);
    if (language) text_put(text, " (SDK for "), text_stranger(text, language, 20), text_put(text, ")");
    text_put(text, "; by whom and where one of them was stopped, they do not say.\n");
}

static void say_orphans(struct text *text, const struct trace *trace)
{
    char hex[SPAN_HEX];
    size_t told = 0;
    for (size_t i = 0; i < trace->count; i++) {
        const struct span *span = trace->spans[i];
        if (!span->is_orphan || told++ >= MOST) continue;
        text_put(text, "Not known: span %s, the parent of ", id_hex(hex, span->parent_id, 8));
        text_name(text, span);
        text_put(text, ", is not here.\n");
    }
    if (told > MOST) text_put(text, "Not known: and the parents of %zu more.\n", told - MOST);
}

static void say_id(struct text *text, const struct trace *trace)
{
    char hex[TRACE_HEX], when[40] = "";
    struct tm at;
    const time_t seconds = (time_t)(trace->start / 1000000000);
    if (gmtime_r(&seconds, &at)) strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S", &at);
    text_put(text, "Trace: %s, %zu span%s in %zu service%s, ", id_hex(hex, trace->id, 16), trace->count, trace->count == 1 ? "" : "s",
        trace->services, trace->services == 1 ? "" : "s");
    text_since(text, trace->start, trace->end);
    text_put(text, ", %s.%03u UTC.\n", when, (unsigned)(trace->start / MILLISECOND % 1000));
}

void say_trace(struct text *text, const struct trace *trace, const struct incidents *incidents, const struct span *above)
{
    say_facts(text, trace, above);
    say_work_for_nobody(text, trace);
    for (size_t i = 0; i < incidents->count && i < MOST; i++)
        if (!was_cancelled(incidents->list[i].subject)) say_gap(text, incidents->list[i].subject);
    say_strangers(text, trace);
    say_orphans(text, trace);
    say_id(text, trace);
}
