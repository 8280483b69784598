/* The data of the page that `whence html` writes. Its reader is page/model.js:
 *
 *   {"v":1, "traces":[trace...], "resources":[[service, attributes]...], "strings":[text...]}
 *   trace: {"id":hex, "t0":"ns since 1970", "spans":[span...], "incidents":[incident...], "told":[words...]}
 *   span: [id, parent, name, resource, kind, start, took, status, status text, cancelled at, attributes, events, links, scope, because]
 *   event: [at, name, attributes]   link: [trace id, span id, attributes]   attributes: [key, value, key, value...]
 *   incident: {"cause":span, "subject":span, "longest":span, "at":at, "wasted":ns, "reason":words, "said":words, "told":[words...],
 *              "hit":[span...]}
 *
 * Ids are hex; a text is its number in "strings", a span its number in its trace, or -1; a time is in ns since t0; words, which are
 * the tool's own, stand where they are said. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "html.h"
#include "ids.h"
#include "incident.h"
#include "page_text.h"
#include "say.h"
#include "store.h"
#include "text.h"

enum { MOST_SAID = 50 }; /* incidents of one trace that are told in words */

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

/* A span that is not of this trace has none. */
static long number_of(const struct trace *trace, const struct span *span)
{
    return span && span->trace == trace ? (long)span->index : -1;
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
    const struct span *because = because_of(span).span;
    fprintf(w->out, ",%" PRIu32 ",%ld]", texts_number(&w->texts, span->scope), number_of(span->trace, because));
}

/* ---- what went wrong, in words ---- */

static void write_words(struct writer *w, const char *key, const struct text *text)
{
    fprintf(w->out, ",\"%s\":", key);
    write_json_text(w->out, text->buf ? text->buf : "");
}

/* A line of it each. */
static void write_lines(struct writer *w, const char *key, struct text *text)
{
    char *rest = NULL;
    const char *comma = "";
    fprintf(w->out, ",\"%s\":[", key);
    for (char *line = text->buf ? strtok_r(text->buf, "\n", &rest) : NULL; line; line = strtok_r(NULL, "\n", &rest)) {
        fputs(comma, w->out);
        write_json_text(w->out, line);
        comma = ",";
    }
    putc(']', w->out);
    text_free(text);
}

static void say_incident(struct writer *w, const struct incident *incident)
{
    struct text said = {0}, told = {0};
    say_headline(&said, incident);
    say_details(&told, incident);
    write_words(w, "said", &said);
    write_lines(w, "told", &told);
    text_free(&said);
}

static void write_incident(struct writer *w, const struct trace *trace, const struct incident *incident, bool in_words)
{
    struct text reason = {0};
    text_stranger(&reason, reason_of(incident), 60);
    fprintf(w->out, "{\"cause\":%ld,\"subject\":%ld,\"longest\":%ld,\"at\":%" PRId64 ",\"wasted\":%" PRId64,
            number_of(trace, incident->cause), number_of(trace, incident->subject), number_of(trace, incident->longest),
            since(trace, incident->at), incident->wasted);
    write_words(w, "reason", &reason);
    text_free(&reason);
    if (in_words) say_incident(w, incident);
    fputs(",\"hit\":[", w->out);
    for (size_t i = 0; i < incident->hit_count; i++) fprintf(w->out, "%s%" PRIu32, i ? "," : "", incident->hit[i]->index);
    fputs("]}", w->out);
}

static void write_incidents(struct writer *w, const struct trace *trace)
{
    struct text told = {0};
    struct incidents incidents = incidents_of(trace);
    fputs(",\n\"incidents\":[", w->out);
    for (size_t i = 0; i < incidents.count; i++) {
        if (i) fputs(",\n", w->out);
        write_incident(w, trace, &incidents.list[i], i < MOST_SAID);
    }
    putc(']', w->out);
    say_trace(&told, trace, &incidents, NULL);
    write_lines(w, "told", &told);
    incidents_free(&incidents);
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
    putc(']', w->out);
    write_incidents(w, trace);
    putc('}', w->out);
}

static void write_resources(struct writer *w)
{
    fputs("],\n\"resources\":[", w->out);
    for (size_t i = 0; i < w->resource_count; i++) {
        fprintf(w->out, "%s[%" PRIu32 ",", i ? "," : "", texts_number(&w->texts, w->resources[i]->service));
        write_attributes(w, &w->resources[i]->attributes);
        putc(']', w->out);
    }
}

/* What the traces refer to comes behind them, when it is known. */
void write_data(FILE *out, struct trace **traces, size_t count)
{
    struct writer w = {.out = out};
    texts_number(&w.texts, "");
    fputs("{\"v\":1,\"traces\":[", out);
    for (size_t i = 0; i < count; i++) {
        if (i) putc(',', out);
        write_trace(&w, traces[i]);
    }
    write_resources(&w);
    fputs("],\n\"strings\":[", out);
    for (size_t i = 0; i < w.texts.count; i++) {
        if (i) fputs(",\n", out);
        write_json_text(out, w.texts.list[i]);
    }
    fputs("]}", out);
    texts_free(&w.texts);
    free(w.resources);
}
