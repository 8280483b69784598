/* The dump for programs. Every member is always there, null where there is nothing to say. */
#include <errno.h>
#include <inttypes.h>

#include "base/clock.h"
#include "base/text.h"
#include "context/live.h"

static void put_text(struct wh__out *out, const char *name, const char *text)
{
    wh__out_put(out, "\"%s\":", name);
    if (!text) {
        wh__out_put(out, "null");
        return;
    }
    wh__out_put(out, "\"");
    wh__out_quoted(out, text);
    wh__out_put(out, "\"");
}

static void put_site(struct wh__out *out, const char *name, const struct wh_site *site)
{
    wh__out_put(out, "\"%s\":", name);
    if (!site) {
        wh__out_put(out, "null");
        return;
    }
    wh__out_put(out, "{");
    put_text(out, "file", site->file);
    wh__out_put(out, ",");
    put_text(out, "function", site->func);
    wh__out_put(out, ",\"line\":%d}", site->line);
}

static void put_id(struct wh__out *out, const char *name, uint64_t id)
{
    if (id)
        wh__out_put(out, ",\"%s\":%" PRIu64, name, id);
    else
        wh__out_put(out, ",\"%s\":null", name);
}

static void put_time(struct wh__out *out, const char *name, bool there, int64_t ns)
{
    if (there)
        wh__out_put(out, ",\"%s\":%" PRId64, name, ns);
    else
        wh__out_put(out, ",\"%s\":null", name);
}

static void put_cause(struct wh__out *out, const struct wh__snapshot *snapshot, const struct wh__seen *seen)
{
    if (!seen->reason) {
        wh__out_put(out, ",\"cause\":null");
        return;
    }
    wh__out_put(out, ",\"cause\":{\"error\":\"%s\",", seen->err == ETIMEDOUT ? "ETIMEDOUT" : "ECANCELED");
    put_text(out, "reason", seen->reason->name);
    wh__out_put(out, ",");
    put_text(out, "text", seen->text ? snapshot->texts + seen->text : NULL);
    wh__out_put(out, ",");
    put_site(out, "site", seen->cause_site);
    put_id(out, "origin", seen->origin);
    put_time(out, "ago_ns", seen->done_at != 0, wh__sub(snapshot->at, seen->done_at));
    wh__out_put(out, "}");
}

static void put_span(struct wh__out *out, const struct wh__seen *seen)
{
    char trace_id[33] = "", span_id[17] = "";
    if (!seen->has_span) {
        wh__out_put(out, ",\"span\":null");
        return;
    }
    wh__hex(trace_id, seen->span.trace_id, 16);
    wh__hex(span_id, seen->span.span_id, 8);
    wh__out_put(out, ",\"span\":{\"trace_id\":\"%s\",\"span_id\":\"%s\",\"remote\":%s,\"recording\":%s}", trace_id, span_id,
        seen->span.is_remote ? "true" : "false", seen->span.records ? "true" : "false");
}

static void put_seen(struct wh__out *out, const struct wh__snapshot *snapshot, const struct wh__seen *seen)
{
    const char *state = seen->stage == WH__ENDING ? "ending" : seen->err ? "done" : "open";
    wh__out_put(out, "{\"id\":%" PRIu64 ",\"address\":\"%p\"", seen->id, seen->address);
    put_id(out, "parent", seen->parent);
    wh__out_put(out, ",\"parent_address\":");
    wh__out_put(out, seen->parent_address ? "\"%p\"" : "null", seen->parent_address);
    wh__out_put(out, ",\"kind\":\"%s\",", wh__seen_kind(seen));
    put_text(out, "name", seen->name ? snapshot->texts + seen->name : NULL);
    wh__out_put(out, ",");
    put_site(out, "site", seen->made);
    put_time(out, "value_size", seen->flags & WH__VALUE, (int64_t)seen->value_size);
    wh__out_put(out, ",\"thread\":%u,\"level\":%u,\"age_ns\":%" PRId64, seen->thread, seen->level,
        wh__until(snapshot->at, seen->born));
    put_time(out, "asked_ns", seen->asked != WH_NEVER, seen->asked);
    put_time(out, "left_ns", seen->deadline != WH_NEVER, wh__sub(seen->deadline, snapshot->at));
    wh__out_put(out, ",\"state\":\"%s\",\"ended\":%s", state, seen->stage == WH__OWNED ? "false" : "true");
    put_cause(out, snapshot, seen);
    wh__out_put(out, ",\"refs\":%u,\"children\":%u,\"waiters\":%u,\"callbacks\":%u", seen->refs, seen->children,
        seen->waiters, seen->callbacks);
    put_span(out, seen);
    put_id(out, "detached_from", seen->flags & WH__DETACHED ? seen->parent : 0);
    wh__out_put(out, ",\"inherited\":%s}", seen->is_inherited ? "true" : "false");
}

void wh__dump_json(struct wh__out *out, const struct wh__snapshot *snapshot)
{
    uint64_t count;
    const struct wh_site *site;
    wh__out_put(out, "{\"tracking\":%s,\"contexts\":[", wh__is_tracking() ? "true" : "false");
    for (size_t i = 0; i < snapshot->count; i++) {
        wh__out_put(out, i ? ",\n" : "\n");
        put_seen(out, snapshot, &snapshot->list[i]);
    }
    wh__out_put(out, "],\n\"todo\":[");
    for (size_t i = 0; (site = wh__todo_site(i, &count)); i++) {
        wh__out_put(out, i ? ",\n{" : "\n{");
        put_site(out, "site", site);
        wh__out_put(out, ",\"calls\":%" PRIu64 "}", count);
    }
    wh__out_put(out, "],\n\"todo_elsewhere\":%" PRIu64 ",\"unlisted\":%zu}\n", wh__todo_lost(), wh__live_unlisted());
}
