/* What went wrong with a span, in words: its failure, why it was cancelled and by whom, and its deadline. */
#include "exporters/draw.h"

#include "base/clock.h"

enum { NAME_ROOM = 48, TEXT_ROOM = 120, SITE_ROOM = 80 };

static void quote(struct wh__note *note, struct wh_str text)
{
    wh__note_put(note, "«", "\"");
    wh__note_name(note, text, NAME_ROOM);
    wh__note_put(note, "»", "\"");
}

static void put(struct wh__note *note, const char *text)
{
    wh__note_put(note, text, text);
}

/* ---- the failure ---- */

/* A status code of HTTP is an error.type of its own, but nobody would know what a bare number is. */
static bool is_http_status(struct wh_str type)
{
    for (size_t i = 0; i < type.len; i++)
        if (type.ptr[i] < '0' || type.ptr[i] > '9') return false;
    return type.len == 3 && type.ptr[0] >= '1' && type.ptr[0] <= '5';
}

static bool ends_with(struct wh_str text, struct wh_str end)
{
    return text.len >= end.len && memcmp(text.ptr + text.len - end.len, end.ptr, end.len) == 0;
}

void wh__say_error_type(struct wh__note *note, const struct wh__tree_span *span, unsigned room)
{
    const struct wh_str type = wh__tree_text(span, WH__TREE_ERROR_TYPE);
    if (is_http_status(type)) put(note, "HTTP\037");
    wh__note_text(note, type, room);
}

void wh__say_failure(struct wh__note *note, const struct wh__tree_span *span)
{
    const struct wh_str type = wh__tree_text(span, WH__TREE_ERROR_TYPE), text = wh__tree_text(span, WH__TREE_STATUS);
    const bool says_more = text.len && !(is_http_status(type) && ends_with(text, type));
    if (span->status != WH_STATUS_ERROR) return;
    wh__note_ink(note, WH__RED);
    wh__note_put(note, "✗ ", "failed: ");
    wh__say_error_type(note, span, NAME_ROOM);
    if (type.len && says_more) put(note, ": ");
    if (says_more) wh__note_text(note, text, TEXT_ROOM);
    if (!type.len && !text.len) wh__note_put(note, "failed", "no reason given");
}

/* ---- the cancel ---- */

static bool same_cause(const struct wh__tree_span *a, const struct wh__tree_span *b)
{
    static const enum wh__tree_text parts[] = {WH__TREE_REASON, WH__TREE_MESSAGE, WH__TREE_SITE};
    if (memcmp(a->origin, b->origin, 8)) return false;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (!wh__tree_same(wh__tree_text(a, parts[i]), wh__tree_text(b, parts[i]))) return false;
    return true;
}

/* Once is enough: a cause that has been written out is only named from then on. */
static bool is_told(struct wh__drawing *drawing, const struct wh__tree_span *span)
{
    for (size_t i = 0; i < drawing->told_count; i++)
        if (same_cause(drawing->told[i], span)) return true;
    if (drawing->told_count < WH__MOST_TOLD) drawing->told[drawing->told_count++] = span;
    return false;
}

static bool is_deadline(const struct wh__tree_span *span)
{
    const struct wh_str reason = wh__tree_text(span, WH__TREE_REASON);
    return wh__tree_same(reason, (struct wh_str){"deadline_exceeded", 17});
}

/* The origin is the caller, in another process, of what this span is part of. */
static bool is_remote_caller(const struct wh__tree_span *span)
{
    const struct wh__tree_span *root = span;
    while (root->up && !root->parent_is_remote) root = root->up;
    return root->parent_is_remote && memcmp(root->parent, span->origin, 8) == 0;
}

static void put_origin(struct wh__note *note, const struct wh__drawing *drawing, const struct wh__tree_span *span)
{
    const struct wh__tree_span *origin = span->origin_is_elsewhere ? NULL : wh__tree_find(drawing->tree, span->origin);
    const struct wh_str name = wh__tree_text(origin ? origin : span, origin ? WH__TREE_NAME : WH__TREE_ORIGIN_NAME);
    if (!wh__tree_has_id(span->origin)) return;
    if (origin == span) {
        put(note, is_deadline(span) ? ", its own deadline" : ", began here");
        return;
    }
    put(note, is_deadline(span) ? ", the deadline of " : ", by ");
    if (name.len)
        quote(note, name);
    else
        put(note, is_remote_caller(span) ? "the remote caller" : "a span that is not here");
    if (origin && !wh__tree_same(wh__service_of(origin), wh__service_of(span))) {
        put(note, " of ");
        wh__note_name(note, wh__service_of(origin), NAME_ROOM);
    }
}

static void put_message(struct wh__note *note, const struct wh__tree_span *span)
{
    const struct wh_str message = wh__tree_text(span, WH__TREE_MESSAGE);
    if (message.len == 0) return;
    put(note, " \"");
    wh__note_text(note, message, TEXT_ROOM);
    put(note, "\"");
}

static void put_site(struct wh__note *note, const struct wh__tree_span *span)
{
    const struct wh_str site = wh__tree_text(span, WH__TREE_SITE);
    if (site.len == 0) return;
    put(note, is_deadline(span) ? ", set\037at\037" : ", at\037");
    wh__note_name(note, site, SITE_ROOM);
}

static void put_overrun(struct wh__note *note, const struct wh__tree_span *span)
{
    const uint64_t overrun = wh__overrun(span);
    const bool went_on = overrun >= WH__AT_ONCE;
    wh__note_ink(note, went_on ? WH__AMBER : WH__DIM);
    put(note, went_on ? "; ran\037on\037" : "; stopped within\037");
    wh__note_duration(note, overrun < INT64_MAX ? (int64_t)overrun : INT64_MAX - 1);
    if (went_on) put(note, " for nobody");
}

void wh__say_cause(struct wh__note *note, struct wh__drawing *drawing, const struct wh__tree_span *span)
{
    const struct wh_str reason = wh__tree_text(span, WH__TREE_REASON);
    if (!span->cancelled) return;
    const bool told = is_told(drawing, span);
    wh__note_ink(note, WH__AMBER);
    wh__note_put(note, "⊘ ", "cancelled: ");
    wh__note_text(note, reason, NAME_ROOM);
    if (reason.len == 0) wh__note_put(note, "cancelled", "no reason given");
    if (!told) put_message(note, span);
    put_origin(note, drawing, span);
    if (!told) put_site(note, span);
    put_overrun(note, span);
}

/* ---- the deadline ---- */

static bool differ(int64_t asked, int64_t budget)
{
    const int64_t nothing = asked / 1000;
    return wh__sub(asked, budget) > nothing || wh__sub(budget, asked) > nothing;
}

/* Where it comes into the tree, set here or brought by a caller, and where a caller's may have been the cause. All
 * others have what is left of it. */
void wh__say_deadline(struct wh__note *note, const struct wh__tree_span *span)
{
    const bool inherits = span->up && !(span->parent_is_remote && span->cancelled);
    if (span->budget == WH_NEVER || (span->asked == WH_NEVER && inherits)) return;
    wh__note_ink(note, WH__DIM);
    wh__note_put(note, "\037\037deadline ", "deadline ");
    wh__note_duration(note, span->budget);
    if (span->asked == WH_NEVER) put(note, span->parent_is_remote ? ", its caller's" : ", from above");
    if (span->asked != WH_NEVER && differ(span->asked, span->budget)) {
        put(note, " (");
        wh__note_duration(note, span->asked);
        put(note, " asked)");
    }
    if (span->left == WH_NEVER) return;
    put(note, span->left < 0 ? ", over by " : ", ");
    wh__note_duration(note, span->left < 0 ? wh__sub(0, span->left) : span->left);
    if (span->left >= 0) put(note, " left");
}

/* ---- the parent ---- */

void wh__say_parent(struct wh__note *note, const struct wh__tree_span *span)
{
    char hex[17] = "";
    if (span->up || !wh__tree_has_id(span->parent)) return;
    wh__hex(hex, span->parent, 8);
    wh__note_ink(note, WH__DIM);
    wh__note_put(note, "\037\037", "");
    put(note, span->is_orphan ? "its parent " : "its caller ");
    put(note, hex);
    put(note, span->is_orphan ? " has not been seen" : " is in another process");
}
