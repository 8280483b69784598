/* The dump as a picture, for Graphviz. What is done is grey, what has timed out red; a dashed line: detached. */
#include <errno.h>
#include <inttypes.h>

#include "base/clock.h"
#include "context/live.h"

static void put_site(struct wh__out *out, const struct wh_site *site)
{
    wh__out_put(out, "\\n");
    wh__out_quoted(out, site->file);
    wh__out_put(out, ":%d ", site->line);
    wh__out_quoted(out, site->func);
}

static void put_label(struct wh__out *out, const struct wh__snapshot *snapshot, const struct wh__seen *seen)
{
    wh__out_put(out, "#%" PRIu64 " %s ", seen->id, wh__seen_kind(seen));
    if (seen->name) wh__out_quoted(out, snapshot->texts + seen->name);
    if (seen->made) put_site(out, seen->made);
    wh__out_put(out, "\\n");
    wh__out_duration(out, wh__until(snapshot->at, seen->born));
    wh__out_put(out, " old");
    if (seen->deadline != WH_NEVER && !seen->err) {
        wh__out_put(out, ", ");
        wh__out_duration(out, wh__until(seen->deadline, snapshot->at));
        wh__out_put(out, " left");
    }
    if (seen->err) {
        wh__out_put(out, "\\n");
        wh__out_quoted(out, seen->reason->name);
    }
}

static void put_seen(struct wh__out *out, const struct wh__snapshot *snapshot, const struct wh__seen *seen)
{
    wh__out_put(out, "  n%" PRIu64 " [label=\"", seen->id);
    put_label(out, snapshot, seen);
    wh__out_put(out, "\"%s];\n", !seen->err ? "" : seen->err == ETIMEDOUT ? ", color=red" : ", color=grey");
    const bool detached = seen->flags & WH__DETACHED;
    if (seen->above != WH__NONE) {
        wh__out_put(out, "  n%" PRIu64 " -> n%" PRIu64 "%s;\n", seen->parent, seen->id, detached ? " [style=dashed]" : "");
    } else if (seen->parent_address) {
        wh__out_put(out, "  \"%p\" [style=dotted];\n", seen->parent_address);
        wh__out_put(out, "  \"%p\" -> n%" PRIu64 "%s;\n", seen->parent_address, seen->id,
            detached ? " [style=dashed]" : "");
    }
}

void wh__dump_dot(struct wh__out *out, const struct wh__snapshot *snapshot)
{
    wh__out_put(out, "digraph contexts {\n  rankdir=LR;\n  node [shape=box, fontname=\"monospace\"];\n");
    for (size_t i = 0; i < snapshot->count; i++) put_seen(out, snapshot, &snapshot->list[i]);
    wh__out_put(out, "}\n");
}
