/* whence why: what happened to a trace, in a few sentences. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "commands.h"
#include "ids.h"
#include "say.h"

enum { MOST_INCIDENTS = 20 }; /* of one trace, that are told one by one */

/* ---- in words ---- */

static void say_well(struct text *text, const struct trace *trace)
{
    const struct span *top = trace->top;
    while (top->next && top->is_orphan) top = top->next;
    text_name(text, top);
    text_put(text, " was not stopped, and nothing in it failed: it took ");
    text_since(text, top->start, top->end);
    text_put(text, ".\n");
}

static void print_trace(const struct options *options, const struct trace *trace, const struct incidents *incidents)
{
    struct text text = {.ascii = options->ascii};
    const struct span *leak = leak_above_all(trace);
    if (leak) say_leak(&text, leak), text_put(&text, "\n");
    for (size_t i = 0; i < incidents->count && i < MOST_INCIDENTS; i++) {
        if (i || leak) text_put(&text, "\n");
        say_headline(&text, &incidents->list[i]);
        text_put(&text, "\n");
        say_details(&text, &incidents->list[i]);
    }
    if (incidents->count > MOST_INCIDENTS) text_put(&text, "\nAnd %zu more.\n", incidents->count - MOST_INCIDENTS);
    if (incidents->count == 0 && !leak) say_well(&text, trace);
    if (incidents->count + (leak != NULL) > 1) text_put(&text, "\n");
    say_trace(&text, trace, incidents, leak);
    fputs(text.buf, stdout);
    text_free(&text);
}

/* ---- as JSON ---- */

static void add_text(cJSON *object, const char *key, const char *words)
{
    struct text text = {0};
    if (!words) return;
    text_stranger(&text, words, 1000);
    cJSON_AddStringToObject(object, key, text.buf ? text.buf : "");
    text_free(&text);
}

static void add_id(cJSON *object, const char *key, const uint8_t *id, size_t len)
{
    char hex[TRACE_HEX];
    if (!is_zero(id, len)) cJSON_AddStringToObject(object, key, id_hex(hex, id, len));
}

/* As milliseconds, to the nanosecond. */
static void add_ms(cJSON *object, const char *key, int64_t ns)
{
    char number[40];
    if (ns == UNTOLD) return;
    snprintf(number, sizeof number, "%s%lld.%06lld", ns < 0 ? "-" : "", llabs(ns / 1000000), llabs(ns % 1000000));
    cJSON_AddRawToObject(object, key, number);
}

static cJSON *span_json(const struct span *span)
{
    cJSON *object = cJSON_CreateObject();
    add_id(object, "trace_id", span->trace->id, 16);
    add_id(object, "span_id", span->id, 8);
    add_text(object, "name", span->name);
    add_text(object, "service", span->resource->service);
    if (was_cancelled(span)) {
        cJSON_AddTrueToObject(object, "cancelled");
        add_ms(object, "overrun_ms", overrun_of(span));
        add_ms(object, "wasted_ms", wasted_by(span));
        add_text(object, "reason", span->facts->reason);
        if (span->facts->depth != UNTOLD) cJSON_AddNumberToObject(object, "depth", (double)span->facts->depth);
    }
    if (span->status == STATUS_ERROR) cJSON_AddTrueToObject(object, "error");
    return object;
}

static cJSON *missing_json(const struct culprit *missing)
{
    cJSON *object = cJSON_CreateObject();
    add_id(object, "trace_id", missing->trace_id, 16);
    add_id(object, "span_id", missing->span_id, 8);
    add_text(object, "name", missing->span_name);
    add_text(object, "service", missing->service);
    cJSON_AddTrueToObject(object, "missing");
    return object;
}

static void add_lines(cJSON *object, const char *key, struct text *text)
{
    char *rest;
    cJSON *lines = cJSON_AddArrayToObject(object, key);
    for (char *line = text->buf ? strtok_r(text->buf, "\n", &rest) : NULL; line; line = strtok_r(NULL, "\n", &rest))
        cJSON_AddItemToArray(lines, cJSON_CreateString(line));
    text_free(text);
}

static cJSON *incident_json(const struct incident *incident)
{
    struct text text = {0};
    cJSON *object = cJSON_CreateObject(), *hit = cJSON_CreateArray();
    say_headline(&text, incident);
    cJSON_AddStringToObject(object, "headline", text.buf);
    text_free(&text);
    add_text(object, "reason", reason_of(incident));
    add_text(object, "message", message_of(incident));
    add_text(object, "site", site_of(incident));
    cJSON_AddItemToObject(object, "cause", incident->cause ? span_json(incident->cause) : missing_json(incident->missing));
    cJSON_AddItemToObject(object, "subject", span_json(incident->subject));
    cJSON_AddBoolToObject(object, "probably", incident->probably);
    for (size_t i = 0; i < incident->hit_count; i++) cJSON_AddItemToArray(hit, span_json(incident->hit[i]));
    cJSON_AddItemToObject(object, "hit", hit);
    add_ms(object, "wasted_ms", incident->wasted);
    say_details(&text, incident);
    add_lines(object, "told", &text);
    return object;
}

/* A line of JSON. */
static void print_json(const struct trace *trace, const struct incidents *incidents)
{
    struct text text = {0};
    cJSON *object = cJSON_CreateObject(), *list = cJSON_AddArrayToObject(object, "incidents");
    add_id(object, "trace_id", trace->id, 16);
    cJSON_AddNumberToObject(object, "spans", (double)trace->count);
    cJSON_AddNumberToObject(object, "services", (double)trace->services);
    for (size_t i = 0; i < incidents->count; i++) cJSON_AddItemToArray(list, incident_json(&incidents->list[i]));
    say_trace(&text, trace, incidents, NULL);
    add_lines(object, "told", &text);
    char *json = cJSON_PrintUnformatted(object);
    if (json) puts(json);
    cJSON_free(json);
    cJSON_Delete(object);
}

/* ---- all of it ---- */

/* Of many traces only those in which something was stopped or failed; one that was asked for, in any case. */
int command_why(const struct options *options, const struct model *model)
{
    size_t count, told = 0;
    struct trace **traces = options_traces(options, model, &count);
    if (!traces) return NOTHING;
    for (size_t i = 0; i < count; i++) {
        struct incidents incidents = incidents_of(traces[i]);
        if (incidents.count || options->trace_count || count == 1) {
            if (told++ && !options->json) putchar('\n');
            if (options->json) print_json(traces[i], &incidents);
            else print_trace(options, traces[i], &incidents);
        }
        incidents_free(&incidents);
    }
    if (!told) fprintf(stderr, "whence: nothing was stopped, and nothing failed, in %zu traces\n", count);
    free(traces);
    return told ? FOUND : NOTHING;
}
