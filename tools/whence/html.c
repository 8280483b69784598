/* whence html: traces as one page that needs nothing else.
 *
 * The data in it, whose reader is page/model.js:
 *
 *   {"v":1, "resources":[[service, attributes]...], "traces":[{"id":hex, "t0":"ns since 1970", "spans":[span...]}...], "strings":[text...]}
 *   span: [id, parent, name, resource, kind, start, took, status, status text, cancelled at, attributes, events, links, scope]
 *   event: [at, name, attributes]   link: [trace id, span id, attributes]   attributes: [key, value, key, value...]
 *
 * Ids are hex; a text is its number in "strings", a time is in ns since t0. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "ids.h"
#include "page.h"
#include "store.h"
#include "page_text.h"

struct writer {
    FILE *out;
    struct texts texts;
    const struct resource **resources;
    size_t resource_count, resource_capacity;
};

/* ---- spans ---- */

static void write_attributes(struct writer *w, const struct attributes *attributes)
{
    putc('[', w->out);
    for (size_t i = 0; i < attributes->count; i++) {
        const uint32_t key = texts_number(&w->texts, attributes->list[i].key);
        fprintf(w->out, "%s%" PRIu32 ",%" PRIu32, i ? "," : "", key, texts_number(&w->texts, attributes->list[i].text));
    }
    putc(']', w->out);
}

/* A stranger's clock may have said anything. */
static int64_t since(const struct trace *trace, uint64_t at)
{
    return (int64_t)(at - trace->start);
}

static void write_events(struct writer *w, const struct span *span)
{
    putc('[', w->out);
    for (size_t i = 0; i < span->event_count; i++) {
        const struct event *event = &span->events[i];
        fprintf(w->out, "%s[%" PRId64 ",%" PRIu32 ",", i ? "," : "", since(span->trace, event->at), texts_number(&w->texts, event->name));
        write_attributes(w, &event->attributes);
        putc(']', w->out);
    }
    putc(']', w->out);
}

static void write_links(struct writer *w, const struct span *span)
{
    char trace_hex[TRACE_HEX], span_hex[SPAN_HEX];
    putc('[', w->out);
    for (size_t i = 0; i < span->link_count; i++) {
        const struct link *link = &span->links[i];
        fprintf(w->out, "%s[\"%s\",\"%s\",", i ? "," : "", id_hex(trace_hex, link->trace_id, 16), id_hex(span_hex, link->span_id, 8));
        write_attributes(w, &link->attributes);
        putc(']', w->out);
    }
    putc(']', w->out);
}

/* Spans of one process come together mostly, so it is looked for from the end. */
static size_t resource_number(struct writer *w, const struct resource *resource)
{
    for (size_t i = w->resource_count; i-- > 0;)
        if (w->resources[i] == resource) return i;
    if (w->resource_count == w->resource_capacity) {
        w->resource_capacity = 2 * w->resource_capacity + 8;
        w->resources = must_resize(w->resources, w->resource_capacity, sizeof *w->resources);
    }
    w->resources[w->resource_count] = resource;
    return w->resource_count++;
}

static void write_span(struct writer *w, const struct span *span)
{
    char id[SPAN_HEX], parent[SPAN_HEX];
    const uint64_t cancelled_at = span->facts ? span->facts->cancelled_at : span->end;
    const uint32_t name = texts_number(&w->texts, span->name), status = texts_number(&w->texts, span->status_text);
    fprintf(w->out, "[\"%s\",\"%s\",%" PRIu32 ",%zu,%u,%" PRId64 ",%" PRIu64 ",%u,%" PRIu32 ",%" PRId64 ",", id_hex(id, span->id, 8),
            is_zero(span->parent_id, 8) ? "" : id_hex(parent, span->parent_id, 8), name, resource_number(w, span->resource),
            span->kind, since(span->trace, span->start), span->end - span->start, span->status, status, since(span->trace, cancelled_at));
    write_attributes(w, &span->attributes);
    putc(',', w->out);
    write_events(w, span);
    putc(',', w->out);
    write_links(w, span);
    fprintf(w->out, ",%" PRIu32 "]", texts_number(&w->texts, span->scope));
}

/* ---- the data ---- */

static void write_trace(struct writer *w, const struct trace *trace)
{
    char hex[TRACE_HEX];
    fprintf(w->out, "{\"id\":\"%s\",\"t0\":\"%" PRIu64 "\",\"spans\":[\n", id_hex(hex, trace->id, 16), trace->start);
    for (size_t i = 0; i < trace->count; i++) {
        if (i) fputs(",\n", w->out);
        write_span(w, trace->spans[i]);
    }
    fputs("]}", w->out);
}

/* What the traces refer to comes behind them, when it is known. */
static void write_data(struct writer *w, struct trace **traces, size_t count)
{
    texts_number(&w->texts, "");
    fputs("{\"v\":1,\"traces\":[", w->out);
    for (size_t i = 0; i < count; i++) {
        if (i) putc(',', w->out);
        write_trace(w, traces[i]);
    }
    fputs("],\n\"resources\":[", w->out);
    for (size_t i = 0; i < w->resource_count; i++) {
        fprintf(w->out, "%s[%" PRIu32 ",", i ? "," : "", texts_number(&w->texts, w->resources[i]->service));
        write_attributes(w, &w->resources[i]->attributes);
        putc(']', w->out);
    }
    fputs("],\n\"strings\":[", w->out);
    for (size_t i = 0; i < w->texts.count; i++) {
        if (i) fputs(",\n", w->out);
        write_json_text(w->out, w->texts.list[i]);
    }
    fputs("]}", w->out);
}

/* ---- the page ---- */

static void write_title(FILE *out, const struct options *options, struct trace **traces, size_t count)
{
    char hex[TRACE_HEX];
    if (options->title) write_html_text(out, options->title);
    else if (count == 1) fprintf(out, "trace %.8s", id_hex(hex, traces[0]->id, 16));
    else fprintf(out, "%zu traces", count);
}

static void write_page(FILE *out, const struct options *options, struct trace **traces, size_t count)
{
    struct writer writer = {.out = out};
    fwrite(page_before_title, 1, page_before_title_len, out);
    write_title(out, options, traces, count);
    fwrite(page_before_data, 1, page_before_data_len, out);
    write_data(&writer, traces, count);
    fwrite(page_behind, 1, page_behind_len, out);
    texts_free(&writer.texts);
    free(writer.resources);
}

static int trouble(const char *path)
{
    fprintf(stderr, "whence: %s: %s\n", path, strerror(errno));
    return TROUBLE;
}

static int write_file(const struct options *options, struct trace **traces, size_t count)
{
    FILE *out = fopen(options->output, "we");
    if (!out) return trouble(options->output);
    write_page(out, options, traces, count);
    const bool failed = ferror(out);
    if (fclose(out) || failed) return trouble(options->output);
    return FOUND;
}

int command_html(const struct options *options, const struct model *model)
{
    size_t count;
    struct trace **traces = options_traces(options, model, &count);
    if (!traces) return NOTHING;
    int status = FOUND;
    if (options->output) status = write_file(options, traces, count);
    else write_page(stdout, options, traces, count);
    free(traces);
    return status;
}
