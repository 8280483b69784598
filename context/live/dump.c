/* wh_dump(), and the text for people. */
#include <errno.h>

#include "base/clock.h"
#include "base/text.h"
#include "context/live.h"

int wh_dump(int fd, enum wh_dump_format format)
{
    static void (*const draw[])(struct wh__out *, const struct wh__snapshot *) = {
        [WH_DUMP_TEXT] = wh__dump_text, [WH_DUMP_JSON] = wh__dump_json, [WH_DUMP_DOT] = wh__dump_dot};
    struct wh__snapshot snapshot;
    if ((unsigned)format >= sizeof draw / sizeof *draw) return EINVAL;
    int rc = wh__snapshot_take(&snapshot);
    struct wh__out *out = rc ? NULL : wh__out_new(fd);
    if (out) {
        wh__snapshot_link(&snapshot);
        draw[format](out, &snapshot);
        rc = wh__out_end(out);
    } else {
        rc = ENOMEM;
    }
    wh__snapshot_free(&snapshot);
    return rc;
}

/* ---- text ---- */

enum { MOST_INDENT = 40 }; /* levels; deeper ones say how deep they are */

static void put_count(struct wh__out *out, uint64_t count, const char *what, const char *plural)
{
    if (count) wh__out_put(out, ", %llu %s%s", (unsigned long long)count, what, count == 1 ? "" : plural);
}

static void put_name(struct wh__out *out, const struct wh__snapshot *snapshot, const struct wh__seen *seen)
{
    wh__out_put(out, "#%llu %s", (unsigned long long)seen->id, wh__seen_kind(seen));
    if (seen->name) {
        wh__out_put(out, seen->has_span ? " \"" : " ");
        wh__out_plain(out, snapshot->texts + seen->name);
        if (seen->has_span) wh__out_put(out, "\"");
    }
    if (seen->flags & WH__VALUE) wh__out_put(out, " (%zu bytes)", seen->value_size);
    if (seen->made) {
        wh__out_put(out, " ");
        wh__out_site(out, seen->made);
    }
}

/* What was asked for here, and what is left of what holds. */
static void put_deadline(struct wh__out *out, const struct wh__snapshot *snapshot, const struct wh__seen *seen)
{
    if (seen->asked != WH_NEVER) {
        wh__out_put(out, ", asked for ");
        wh__out_duration(out, seen->asked);
    }
    if (seen->deadline == WH_NEVER || seen->err) return;
    const int64_t left = wh__sub(seen->deadline, snapshot->at);
    wh__out_put(out, ", %s", seen->asked != WH_NEVER && !(seen->flags & WH__TIMED) ? "has less: " : "");
    wh__out_duration(out, left < 0 ? -left : left);
    wh__out_put(out, left < 0 ? " over" : " left");
}

static void put_state(struct wh__out *out, const struct wh__snapshot *snapshot, const struct wh__seen *seen)
{
    if (seen->stage == WH__ENDING) {
        wh__out_put(out, ", just being ended");
        return;
    }
    if (!seen->err) {
        wh__out_put(out, ", open");
        return;
    }
    wh__out_put(out, ", %s: %s", seen->err == ETIMEDOUT ? "timed out" : "canceled", seen->reason->name);
    if (seen->text) {
        wh__out_put(out, " \"");
        wh__out_plain(out, snapshot->texts + seen->text);
        wh__out_put(out, "\"");
    }
    if (seen->cause_site) {
        wh__out_put(out, " at ");
        wh__out_site(out, seen->cause_site);
    }
    if (seen->done_at) {
        wh__out_put(out, " ");
        wh__out_duration(out, wh__sub(snapshot->at, seen->done_at));
        wh__out_put(out, " ago");
    }
    if (seen->origin && seen->origin != seen->id) wh__out_put(out, ", by #%llu", (unsigned long long)seen->origin);
}

static void put_parent(struct wh__out *out, const struct wh__seen *seen)
{
    const char *how = seen->flags & WH__DETACHED ? "detached from" : "below";
    if (seen->flags & WH__DETACHED && seen->parent)
        wh__out_put(out, ", %s #%llu", how, (unsigned long long)seen->parent);
    else if (seen->parent && seen->above == WH__NONE)
        wh__out_put(out, ", %s #%llu, gone by now", how, (unsigned long long)seen->parent);
    else if (!seen->parent && seen->parent_address)
        wh__out_put(out, ", %s %p, which was made before tracking", how, seen->parent_address);
}

static void put_seen(struct wh__out *out, const struct wh__snapshot *snapshot, const struct wh__seen *seen, uint32_t depth)
{
    wh__out_put(out, "%*s", 2 * (int)(depth < MOST_INDENT ? depth : MOST_INDENT), "");
    if (depth >= MOST_INDENT) wh__out_put(out, "(depth %u) ", depth);
    put_name(out, snapshot, seen);
    wh__out_put(out, ", ");
    wh__out_duration(out, wh__until(snapshot->at, seen->born));
    wh__out_put(out, " old");
    put_deadline(out, snapshot, seen);
    put_state(out, snapshot, seen);
    if (seen->stage == WH__HELD) wh__out_put(out, ", ended but held");
    put_count(out, seen->refs, "ref", "s");
    put_count(out, seen->children, "child", "ren");
    put_count(out, seen->waiters, "waiter", "s");
    if (seen->callbacks == WH__MOST_CALLBACKS) wh__out_put(out, ", at least");
    put_count(out, seen->callbacks, "callback", "s");
    if (seen->has_span) {
        char hex[17] = "";
        wh__hex(hex, seen->span.span_id, 8);
        wh__out_put(out, ", %sspan %s", seen->span.records ? "recording " : "", hex);
    }
    put_parent(out, seen);
    if (seen->is_inherited) wh__out_put(out, ", from before the fork");
    wh__out_put(out, "\n");
}

static void put_todos(struct wh__out *out)
{
    uint64_t count;
    const struct wh_site *site;
    for (size_t i = 0; (site = wh__todo_site(i, &count)); i++) {
        wh__out_put(out, "wh_todo() ");
        wh__out_site(out, site);
        wh__out_put(out, ", called %llu time%s\n", (unsigned long long)count, count == 1 ? "" : "s");
    }
    const uint64_t lost = wh__todo_lost();
    if (lost) wh__out_put(out, "wh_todo() at other places, called %llu times\n", (unsigned long long)lost);
}

void wh__dump_text(struct wh__out *out, const struct wh__snapshot *snapshot)
{
    uint32_t depth = 0;
    wh__out_put(out, "%zu context%s alive%s\n", snapshot->count, snapshot->count == 1 ? " is" : "s are",
        snapshot->count || wh__is_tracking() ? "" : ": nothing is tracked (wh_track())");
    for (int32_t i = snapshot->roots; i != WH__NONE; i = wh__snapshot_next(snapshot, i, &depth))
        put_seen(out, snapshot, &snapshot->list[i], depth);
    if (wh__live_unlisted()) wh__out_put(out, "%zu more could not be listed: no memory\n", wh__live_unlisted());
    put_todos(out);
}
