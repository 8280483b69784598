/* What is said below a span: how it failed, what stopped it, what began there, its deadline, and whatever else is known. */
#include <stdio.h>

#include <whence/names.h>

#include "ids.h"
#include "say.h"
#include "tree.h"

enum { NAME_ROOM = 48, TEXT_ROOM = 120, SITE_ROOM = 80, AT_ONCE = 1000000 };

static void put(struct wh__note *note, const char *text)
{
    wh__note_put(note, text, text);
}

static void put_text(struct wh__note *note, const char *text, unsigned room)
{
    wh__note_text(note, str_of(text), room);
}

static void put_site(struct wh__note *note, const char *before, const char *site)
{
    if (!site) return;
    put(note, before);
    wh__note_name(note, str_of(site), SITE_ROOM);
}

static void put_span(struct wh__note *note, const struct drawing *drawing, const struct span *span)
{
    wh__note_put(note, "«", "\"");
    wh__note_name(note, str_of(span->name), NAME_ROOM);
    wh__note_put(note, "»", "\"");
    if (drawing->trace->services < 2 && span->trace == drawing->trace) return;
    put(note, " of ");
    wh__note_name(note, str_of(span->resource->service), NAME_ROOM);
    if (span->trace != drawing->trace) put(note, " in another trace");
}

/* ---- each of them ---- */

/* As whence why says it, without the name. */
static void say_failed(struct wh__note *note, const struct span *span)
{
    struct text text = {.ascii = !note->sheet->utf8};
    const bool gave_up = span->facts && span->facts->gave_up;
    const bool by_cancel = was_cancelled(span) && !gave_up && !span->facts->failure_site;
    if ((span->status != STATUS_ERROR && !gave_up) || by_cancel) return;
    say_failure(&text, span);
    wh__note_ink(note, WH__RED);
    wh__note_put(note, "✗", "failed:");
    put_text(note, text.buf, 400);
    text_free(&text);
}

static void put_origin(struct wh__note *note, const struct drawing *drawing, const struct span *span)
{
    char hex[SPAN_HEX];
    const struct culprit *origin = &span->facts->origin;
    const bool is_deadline = span->facts->reason && strcmp(span->facts->reason, "deadline_exceeded") == 0;
    if (is_zero(origin->span_id, 8)) return;
    if (origin->span == span) {
        put(note, is_deadline ? ", its own deadline" : ", began here");
        return;
    }
    put(note, is_deadline ? ", the deadline of " : ", by ");
    if (origin->span) {
        put_span(note, drawing, origin->span);
    } else if (origin->span_name) {
        put_text(note, origin->span_name, NAME_ROOM);
        put(note, ", which is not here");
    } else {
        put(note, "span ");
        put(note, id_hex(hex, origin->span_id, 8));
        put(note, ", which is not here");
    }
}

/* A cause is written out where it began; whom it reached is told of whom. */
static void say_cancelled(struct wh__note *note, const struct drawing *drawing, const struct span *span)
{
    const struct facts *facts = span->facts;
    if (!was_cancelled(span)) return;
    const bool whole = !facts->origin.span || facts->origin.span == span || !was_cancelled(facts->origin.span);
    const bool went_on = overrun_of(span) >= AT_ONCE;
    wh__note_ink(note, WH__AMBER);
    wh__note_put(note, "⊘ ", "cancelled: ");
    put_text(note, facts->reason ? facts->reason : "no reason given", NAME_ROOM);
    if (whole && facts->message) {
        put(note, " \"");
        put_text(note, facts->message, TEXT_ROOM);
        put(note, "\"");
    }
    put_origin(note, drawing, span);
    if (whole) put_site(note, ", at\037", facts->site);
    wh__note_ink(note, went_on ? WH__AMBER : WH__DIM);
    put(note, went_on ? "; ran\037on\037" : "; stopped within\037");
    wh__note_duration(note, overrun_of(span));
    if (went_on) put(note, " for nobody");
}

static void put_count(struct wh__note *note, size_t count, const char *of)
{
    char text[64];
    snprintf(text, sizeof text, "%zu%s", count, of);
    put(note, text);
}

static void say_began(struct wh__note *note, const struct drawing *drawing, const struct span *span)
{
    const struct incident *incident = drawing->of[span->index];
    if (!incident || incident->hit_count == 0) return;
    wh__note_ink(note, WH__BOLD);
    wh__note_put(note, "◎ ", "* ");
    put(note, "it began here: ");
    if (incident->stopped) put_count(note, incident->stopped, " stopped");
    if (incident->stopped && incident->failed) put(note, " and ");
    if (incident->failed) put_count(note, incident->failed, " failed");
    put(note, " because of it, in ");
    put_count(note, incident->services, incident->services == 1 ? " service" : " services");
    if (incident->wasted < AT_ONCE) return;
    put(note, "; ");
    wh__note_duration(note, incident->wasted);
    put(note, " of work for nobody");
}

/* To a thousandth. */
static bool is_about(int64_t a, int64_t b)
{
    int64_t apart;
    return !__builtin_sub_overflow(a, b, &apart) && apart <= a / 1000 && apart >= -(a / 1000);
}

/* Where it comes into the tree, set here or brought by a caller: all others have what is left of it. */
static void say_deadline(struct wh__note *note, const struct span *span)
{
    const struct facts *facts = span->facts;
    if (!facts || facts->budget == UNTOLD) return;
    if (facts->asked == UNTOLD && span->up && !(span->parent_is_remote && was_cancelled(span)) && !facts->nearly_late) return;
    wh__note_ink(note, facts->nearly_late ? WH__AMBER : WH__DIM);
    wh__note_put(note, "╎\037", "deadline ");
    wh__note_duration(note, facts->budget);
    if (facts->source) put(note, strcmp(facts->source, "own") == 0 ? ", its own" : strcmp(facts->source, "caller") == 0 ? ", its caller's" : ", from above");
    if (facts->asked != UNTOLD && !is_about(facts->asked, facts->budget)) {
        put(note, " (");
        wh__note_duration(note, facts->asked);
        put(note, " asked)");
    }
    if (facts->left == UNTOLD) return;
    put(note, facts->left < 0 ? ", over by " : ", ");
    wh__note_duration(note, facts->left < 0 ? -facts->left : facts->left);
    if (facts->left >= 0) put(note, facts->nearly_late ? " left: nearly late" : " left");
}

static void say_suppressed(struct wh__note *note, const struct span *span)
{
    char text[64];
    const struct facts *facts = span->facts;
    if (!facts || !facts->suppressed) return;
    snprintf(text, sizeof text, "%lld more came too late: ", (long long)(facts->suppressed_count > 0 ? facts->suppressed_count : 1));
    wh__note_ink(note, WH__DIM);
    put(note, text);
    put_text(note, facts->suppressed, TEXT_ROOM);
}

static void say_callee(struct wh__note *note, const struct span *span)
{
    const struct facts *facts = span->facts;
    if (!facts || !facts->callee.reason) return;
    wh__note_ink(note, WH__DIM);
    put(note, "its callee said: ");
    put_text(note, facts->callee.reason, NAME_ROOM);
    if (facts->callee.message) {
        put(note, " \"");
        put_text(note, facts->callee.message, TEXT_ROOM);
        put(note, "\"");
    }
    put_site(note, " at\037", facts->callee.site);
}

static void say_left_behind(struct wh__note *note, const struct span *span)
{
    const struct facts *facts = span->facts;
    if (!facts || (!facts->leaked && !facts->child_ended_by)) return;
    wh__note_ink(note, WH__AMBER);
    if (facts->leaked) {
        put(note, "leaked: nobody has ended it");
        put_site(note, ", started at\037", facts->leaked_site);
        return;
    }
    put(note, "child process: ended by ");
    put_text(note, facts->child_signal ? facts->child_signal : facts->child_ended_by, NAME_ROOM);
    if (facts->child_stopped_for) {
        put(note, ", stopped for ");
        put_text(note, facts->child_stopped_for, NAME_ROOM);
    }
}

static void say_kept(struct wh__note *note, const struct span *span)
{
    char text[80];
    const struct facts *facts = span->facts;
    if (!facts || !facts->kept) return;
    wh__note_ink(note, WH__DIM);
    put(note, "kept although not sampled: ");
    put_text(note, facts->kept_because ? facts->kept_because : "no reason given", NAME_ROOM);
    if (!facts->kept_alike) return;
    snprintf(text, sizeof text, "; %lld more like it", (long long)facts->kept_alike);
    put(note, text);
}

static void say_parent(struct wh__note *note, const struct span *span)
{
    char hex[SPAN_HEX];
    if (!span->is_orphan) return;
    wh__note_ink(note, WH__DIM);
    put(note, "its parent ");
    put(note, id_hex(hex, span->parent_id, 8));
    put(note, span->flags & 0x200 ? ", in another process, is not here" : " is not here");
}

void say_note(struct wh__note *note, const struct drawing *drawing, const struct span *span, unsigned which)
{
    switch (which) {
    case 0: say_failed(note, span); break;
    case 1: say_cancelled(note, drawing, span); break;
    case 2: say_began(note, drawing, span); break;
    case 3: say_deadline(note, span); break;
    case 4: say_suppressed(note, span); break;
    case 5: say_callee(note, span); break;
    case 6: say_left_behind(note, span); break;
    case 7: say_kept(note, span); break;
    default: say_parent(note, span);
    }
}

/* The link to the origin says what the cancel says already. */
void say_link(struct wh__note *note, const struct drawing *drawing, const struct span *span, size_t which)
{
    char hex[TRACE_HEX];
    const struct link *link = &span->links[which];
    if (was_cancelled(span) && memcmp(link->span_id, span->facts->origin.span_id, 8) == 0) return;
    wh__note_ink(note, WH__DIM);
    wh__note_put(note, "→ ", "-> ");
    if (link->to) {
        put_span(note, drawing, link->to);
        return;
    }
    put(note, "span\037");
    put(note, id_hex(hex, link->span_id, 8));
    if (memcmp(link->trace_id, span->trace->id, 16) == 0) return;
    put(note, " of trace\037");
    put(note, id_hex(hex, link->trace_id, 16));
}
