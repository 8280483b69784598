/* Traces for people, in a terminal: collecting the spans of each until it can be drawn.
 *
 * Spans come as they end, children before parents. Those of a provider of this process are drawn when their local root
 * is here: nothing of other processes will come. Spans from elsewhere may be those of several services, in any order:
 * then a trace is drawn when its root is here and a batch has passed without news of it; at once, if nothing in it says
 * that another process has a part in it. In any case all are drawn at a flush. Who gives us the spans of several
 * services has no local roots, and waits for the only one. Memory is bounded: what does not fit is drawn as it is, or
 * left out and counted. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/mem.h"
#include "exporters/draw.h"
#include "exporters/stream.h"
#include "trace/provider.h"
#include "trace/wire.h"

enum {
    MOST_TRACES = 64,
    MOST_SPANS = 500,    /* of one trace */
    MOST_IN_ALL = 8192,
    FIRST_SPANS = 16,
    PATIENCE = 8,        /* batches without news, for a trace whose root does not come */
    WHOLE_BATCH = 128,   /* one with fewer spans was not cut: it holds everything that had ended */
    CANDIDATES = 16      /* that are looked at to find one that can be done without */
};

struct trace {
    struct wh__tree tree;
    size_t capacity;
    size_t cursor;       /* where to look next for a span to do without */
    uint64_t seen;       /* the batch that had the last of it */
    bool is_own;         /* all of it is of this process */
    bool has_root;       /* a span without a parent */
    bool has_entry;      /* one whose parent is in another process */
    bool has_exit;       /* one that may have children in another */
};

struct console {
    struct wh_exporter exporter;
    struct wh__stream out;
    pid_t process;       /* whose spans these are */
    bool is_busy;        /* in a call; also in the child of a fork that came into one */
    struct wh__sheet sheet;
    struct trace traces[MOST_TRACES];
    size_t count, spans; /* of traces; of spans in all */
    uint64_t batches;
    bool is_own;         /* the last batch is of this process */
    bool gathers;        /* spans of several services */
    size_t service_len;
    char service[64];    /* of the last batch, as much as fits */
    int64_t deadline;    /* of the call */
    size_t lost;         /* spans that could not be written, and have not been told */
    int error;           /* of the call */
    int why;             /* they are lost */
    bool shut_down;      /* nothing is drawn any more */
    char text[128];
};

/* ---- writing ---- */

static int draw(struct console *console, struct wh__tree *tree)
{
    if (!wh__tree_link(tree)) return ENOMEM;
    wh__sheet_measure(&console->sheet, fileno(console->out.file));
    wh__draw_trace(&console->sheet, tree);
    const int rc = console->sheet.failed ? ENOMEM : wh__stream_write(&console->out, console->sheet.buf,
        console->sheet.len, console->deadline);
    wh__sheet_free(&console->sheet);
    return rc;
}

static void lose(struct console *console, size_t spans, int why)
{
    console->lost += spans;
    console->error = console->why = why;
}

/* Draws a trace and forgets it. A time limit that has passed once in a call has passed for all of them. */
static void let_go(struct console *console, size_t i)
{
    struct trace *trace = &console->traces[i];
    const size_t all = trace->tree.count + trace->tree.left_out;
    const bool in_time = console->error != ETIMEDOUT;
    const int rc = trace->tree.count == 0 ? 0 : in_time ? draw(console, &trace->tree) : ETIMEDOUT;
    if (rc) lose(console, all, rc);
    console->spans -= trace->tree.count;
    wh__tree_clear(&trace->tree);
    console->count--;
    for (; i < console->count; i++) console->traces[i] = console->traces[i + 1];
    console->traces[console->count] = (struct trace){0};
}

static void let_oldest_go(struct console *console)
{
    size_t oldest = 0;
    for (size_t i = 1; i < console->count; i++)
        if (console->traces[i].seen < console->traces[oldest].seen) oldest = i;
    let_go(console, oldest);
}

static bool is_complete(const struct console *console, const struct trace *trace, bool whole)
{
    const uint64_t quiet = console->batches - trace->seen;
    const bool is_alone = trace->has_root && !trace->has_entry && !trace->has_exit && !console->gathers;
    const bool has_ended = trace->is_own && (trace->has_root || trace->has_entry);
    if (whole && (is_alone || has_ended)) return true;
    return trace->has_root || (trace->has_entry && !console->gathers) ? quiet > 0 : quiet >= PATIENCE;
}

static void let_complete_go(struct console *console, bool whole)
{
    for (size_t i = 0; i < console->count;)
        if (is_complete(console, &console->traces[i], whole))
            let_go(console, i);
        else
            i++;
}

/* ---- collecting ---- */

static struct trace *trace_of(struct console *console, const uint8_t trace_id[16])
{
    for (size_t i = 0; i < console->count; i++)
        if (memcmp(console->traces[i].tree.trace_id, trace_id, 16) == 0) return &console->traces[i];
    if (console->count == MOST_TRACES) let_oldest_go(console);
    struct trace *trace = &console->traces[console->count++];
    memcpy(trace->tree.trace_id, trace_id, 16);
    trace->is_own = true;
    return trace;
}

static bool is_parent(const struct wh__tree *tree, const uint8_t id[8])
{
    for (size_t i = 0; i < tree->count; i++)
        if (memcmp(tree->spans[i]->parent, id, 8) == 0) return true;
    return false;
}

/* A full trace gives up a leaf with which all is well, for a span that holds others together. NULL: none was found. */
static struct wh__tree_span **dispensable(struct trace *trace)
{
    for (int i = 0; i < CANDIDATES; i++) {
        struct wh__tree_span **span = &trace->tree.spans[trace->cursor++ % trace->tree.count];
        const bool well = (*span)->status != WH_STATUS_ERROR && !(*span)->cancelled;
        if (well && !is_parent(&trace->tree, (*span)->id)) return span;
    }
    return NULL;
}

static bool make_capacity(struct trace *trace)
{
    if (trace->tree.count < trace->capacity) return true;
    const size_t capacity = trace->capacity ? 2 * trace->capacity : FIRST_SPANS;
    struct wh__tree_span **spans = wh__mem_resize(trace->tree.spans, capacity * sizeof(struct wh__tree_span *));
    if (!spans) return false;
    trace->tree.spans = spans;
    trace->capacity = capacity;
    return true;
}

static bool append(struct console *console, struct trace *trace, struct wh__tree_span *span)
{
    if (!span || !make_capacity(trace)) {
        wh__mem_free(span);
        return false;
    }
    trace->tree.spans[trace->tree.count++] = span;
    console->spans++;
    return true;
}

static bool add_to_full(struct trace *trace, const struct wh_span_view *view, struct wh_str service, bool is_root)
{
    trace->tree.left_out++;
    if (!is_root && !is_parent(&trace->tree, view->span_id)) return true;
    struct wh__tree_span **place = dispensable(trace);
    if (!place && is_root) place = &trace->tree.spans[trace->cursor % trace->tree.count];
    struct wh__tree_span *span = place ? wh__tree_span_new(view, service) : NULL;
    if (place && !span) return false;
    if (!place) return true;
    wh__mem_free(*place);
    *place = span;
    return true;
}

static bool add_span(struct console *console, const struct wh_span_view *view, struct wh_str service)
{
    if (console->spans >= MOST_IN_ALL) let_oldest_go(console);
    struct trace *trace = trace_of(console, view->trace_id);
    const bool is_remote = view->flags & WH__IS_REMOTE;
    const bool is_root = is_remote || !wh__tree_has_id(view->parent_span_id);
    trace->seen = console->batches;
    trace->is_own &= console->is_own;
    trace->has_root |= is_root && !is_remote;
    trace->has_entry |= is_remote;
    trace->has_exit |= view->kind == WH_CLIENT || view->kind == WH_PRODUCER;
    if (trace->tree.count >= MOST_SPANS) return add_to_full(trace, view, service, is_root);
    struct wh__tree_span *span = wh__tree_span_new(view, service);
    if (span) span->arrival = trace->tree.count;
    return append(console, trace, span);
}

static struct wh_str service_of(struct wh_bytes resource)
{
    static const char key[] = "service.name";
    struct wh_cursor cursor = {resource};
    struct wh_attr_view attr;
    while (wh_next_resource_attr(&cursor, &attr))
        if (attr.type == WH_STRING && attr.key.len == sizeof key - 1 && memcmp(attr.key.ptr, key, sizeof key - 1) == 0)
            return attr.as.string;
    return (struct wh_str){0};
}

static void note_service(struct console *console, struct wh_str service)
{
    const size_t len = service.len < sizeof console->service ? service.len : sizeof console->service;
    const bool same = len == console->service_len && (len == 0 || memcmp(service.ptr, console->service, len) == 0);
    if (console->batches > 1 && !same) console->gathers = true;
    if (len) memcpy(console->service, service.ptr, len);
    console->service_len = len;
}

static bool has_ids(const struct wh_span_view *view)
{
    return wh__tree_has_id(view->span_id) && (wh__tree_has_id(view->trace_id) || wh__tree_has_id(view->trace_id + 8));
}

/* ---- the exporter ---- */

static void forget(struct console *console)
{
    for (size_t i = 0; i < console->count; i++) wh__tree_clear(&console->traces[i].tree);
    console->count = console->spans = console->lost = 0;
    memset(console->traces, 0, sizeof console->traces);
    wh__sheet_free(&console->sheet);
}

/* What a process had collected before it forked, it will draw itself. If it was in the middle of something, nothing is
 * as it should be here, and not even freed. */
static void begin_in_child(struct console *console)
{
    if (console->is_busy) {
        console->count = 0;
        console->sheet.buf = NULL;
    }
    forget(console);
    console->process = getpid();
}

static void begin_call(struct console *console, int64_t deadline)
{
    if (console->process != getpid()) begin_in_child(console);
    console->is_busy = true;
    __atomic_signal_fence(__ATOMIC_SEQ_CST); /* first that, then the rest: a fork may come at any moment */
    console->deadline = deadline;
    console->error = 0;
}

static void end_call(struct console *console)
{
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    console->is_busy = false;
}

static bool is_own(const struct wh_batch *batch)
{
    for (const wh_provider *provider = wh__providers(); provider; provider = provider->next)
        if (batch->resource.ptr && batch->resource.ptr == provider->resource.ptr) return true;
    return false;
}

static void add_spans(struct console *console, const struct wh_scope_spans *scope, struct wh_str service)
{
    struct wh_span_view view;
    for (size_t i = 0; i < scope->count; i++)
        if (!wh_span_read(scope->spans[i], &view) || !has_ids(&view))
            lose(console, 1, EBADMSG);
        else if (!add_span(console, &view, service))
            lose(console, 1, ENOMEM);
}

static int export_batch(struct wh_exporter *self, const struct wh_batch *batch, int64_t deadline, size_t *rejected)
{
    struct console *console = (struct console *)self;
    const struct wh_str service = service_of(batch->resource);
    if (console->shut_down) return ESHUTDOWN;
    begin_call(console, deadline);
    console->batches++;
    console->is_own = is_own(batch);
    note_service(console, service);
    for (size_t s = 0; s < batch->scope_count; s++) add_spans(console, &batch->scopes[s], service);
    let_complete_go(console, batch->count < WHOLE_BATCH);
    *rejected = console->lost < batch->count ? console->lost : batch->count;
    console->lost -= *rejected;
    if (!*rejected) console->why = 0;
    end_call(console);
    return 0;
}

static int flush(struct wh_exporter *self, int64_t deadline)
{
    struct console *console = (struct console *)self;
    begin_call(console, deadline);
    while (console->count) let_oldest_go(console);
    end_call(console);
    return console->error;
}

static void shut_down(struct wh_exporter *self, int64_t deadline)
{
    flush(self, deadline);
    ((struct console *)self)->shut_down = true;
}

static void interrupt(struct wh_exporter *self)
{
    wh__stream_interrupt(&((struct console *)self)->out);
}

static const char *last_error(struct wh_exporter *self)
{
    struct console *console = (struct console *)self;
    if (!console->why) return NULL;
    snprintf(console->text, sizeof console->text, "cannot draw them: %s", strerror(console->why));
    return console->text;
}

static void destroy(struct wh_exporter *self)
{
    struct console *console = (struct console *)self;
    if (console->process != getpid()) begin_in_child(console);
    forget(console);
    wh__mem_free(console);
}

struct wh_exporter *wh_console_exporter_new(FILE *out)
{
    struct console *console = out ? wh__mem_zero(sizeof *console) : NULL;
    if (!console) {
        errno = out ? ENOMEM : EINVAL;
        return NULL;
    }
    console->exporter = (struct wh_exporter){.size = sizeof console->exporter, .name = "console",
        .export_batch = export_batch, .flush = flush, .shutdown = shut_down, .last_error = last_error,
        .interrupt = interrupt, .destroy = destroy};
    console->out.file = out;
    console->process = getpid();
    wh__sheet_begin(&console->sheet, fileno(out));
    console->out.resume = console->sheet.colour ? "\033[0m\n" : "\n";
    return &console->exporter;
}
