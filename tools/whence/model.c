/* The traces: collecting their spans, and joining them into trees. */
#include "model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store.h"

struct model {
    struct store store;
    struct trace **traces;
    size_t count, capacity;
    struct trace **table;  /* by id, open addressing */
    size_t slots;          /* a power of two */
    struct span **spans;   /* by trace and span id; made by model_link() */
    size_t span_slots, span_count;
};

bool is_zero(const uint8_t *id, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (id[i]) return false;
    return true;
}

const char *attribute_text(const struct attributes *attributes, const char *key)
{
    for (size_t i = 0; i < attributes->count; i++)
        if (strcmp(attributes->list[i].key, key) == 0) return attributes->list[i].text;
    return NULL;
}

/* ---- collecting ---- */

struct model *model_new(void)
{
    return must_get(sizeof(struct model));
}

void model_free(struct model *model)
{
    for (size_t i = 0; i < model->count; i++) free(model->traces[i]->spans);
    store_free(&model->store);
    free(model->traces);
    free(model->table);
    free(model->spans);
    free(model);
}

void *model_room(struct model *model, size_t size)
{
    return store_room(&model->store, size);
}

const char *model_text(struct model *model, const char *text)
{
    return store_text(&model->store, text, strlen(text));
}

struct attributes model_attributes(struct model *model, const struct attribute *list, size_t count)
{
    struct attributes attributes = {NULL, count};
    if (!count) return attributes;
    attributes.list = model_room(model, count * sizeof *list);
    memcpy(attributes.list, list, count * sizeof *list);
    return attributes;
}

/* Ids are random, or made up by somebody who wants all of them in one place: so they are mixed. */
static uint64_t hash_of(const uint8_t *trace_id, const uint8_t *span_id)
{
    uint64_t words[3] = {0};
    memcpy(words, trace_id, 16);
    if (span_id) memcpy(words + 2, span_id, 8);
    uint64_t hash = 0x9e3779b97f4a7c15;
    for (int i = 0; i < 3; i++) {
        hash ^= words[i];
        hash = (hash ^ hash >> 33) * 0xff51afd7ed558ccd;
        hash = (hash ^ hash >> 33) * 0xc4ceb9fe1a85ec53;
        hash ^= hash >> 33;
    }
    return hash;
}

static struct trace **trace_slot(struct trace **table, size_t slots, const uint8_t id[16])
{
    size_t i = hash_of(id, NULL) & (slots - 1);
    while (table[i] && memcmp(table[i]->id, id, 16) != 0) i = (i + 1) & (slots - 1);
    return &table[i];
}

static void make_slots(struct model *model)
{
    if (model->count * 2 < model->slots) return;
    const size_t slots = model->slots ? model->slots * 2 : 64;
    struct trace **table = must_get(slots * sizeof *table);
    for (size_t i = 0; i < model->count; i++) *trace_slot(table, slots, model->traces[i]->id) = model->traces[i];
    free(model->table);
    model->table = table;
    model->slots = slots;
}

static struct trace *trace_of(struct model *model, const uint8_t id[16])
{
    make_slots(model);
    struct trace **slot = trace_slot(model->table, model->slots, id);
    if (*slot) return *slot;
    if (model->count == model->capacity) {
        model->capacity = model->capacity ? model->capacity * 2 : 16;
        model->traces = must_resize(model->traces, model->capacity, sizeof *model->traces);
    }
    struct trace *trace = *slot = model->traces[model->count++] = model_room(model, sizeof *trace);
    memcpy(trace->id, id, 16);
    return trace;
}

struct span *model_add(struct model *model, const uint8_t trace_id[16])
{
    static const struct resource nobody = {.service = ""};
    struct trace *trace = trace_of(model, trace_id);
    if (trace->count == trace->capacity) {
        trace->capacity = trace->capacity ? trace->capacity * 2 : 8;
        trace->spans = must_resize(trace->spans, trace->capacity, sizeof *trace->spans);
    }
    struct span *span = trace->spans[trace->count++] = model_room(model, sizeof *span);
    span->trace = trace;
    span->resource = &nobody;
    span->name = span->status_text = span->scope = span->trace_state = "";
    model->span_count++;
    return span;
}

/* ---- finding ---- */

size_t model_count(const struct model *model)
{
    return model->count;
}

struct trace *model_trace(const struct model *model, size_t i)
{
    return model->traces[i];
}

static bool begins_with(const uint8_t id[16], const char *hex, size_t len)
{
    char digits[33];
    for (int i = 0; i < 16; i++) snprintf(digits + 2 * i, 3, "%02x", id[i]);
    return len <= 32 && strncmp(digits, hex, len) == 0;
}

size_t model_find(const struct model *model, const char *hex, struct trace **found)
{
    size_t count = 0;
    const size_t len = strlen(hex);
    for (size_t i = 0; i < model->count; i++) {
        if (!begins_with(model->traces[i]->id, hex, len)) continue;
        if (count++ == 0) *found = model->traces[i];
    }
    return count;
}

static struct span **span_slot(const struct model *model, const uint8_t trace_id[16], const uint8_t id[8])
{
    size_t i = hash_of(trace_id, id) & (model->span_slots - 1);
    for (struct span *span; (span = model->spans[i]); i = (i + 1) & (model->span_slots - 1))
        if (memcmp(span->id, id, 8) == 0 && memcmp(span->trace->id, trace_id, 16) == 0) break;
    return &model->spans[i];
}

struct span *model_span(const struct model *model, const uint8_t trace_id[16], const uint8_t span_id[8])
{
    return model->span_slots ? *span_slot(model, trace_id, span_id) : NULL;
}

/* ---- joining ---- */

static int by_start(const void *a, const void *b)
{
    const struct span *x = *(struct span *const *)a, *y = *(struct span *const *)b;
    if (x->start != y->start) return x->start < y->start ? -1 : 1;
    if (x->end != y->end) return x->end > y->end ? -1 : 1; /* the longer one is more likely the parent */
    return memcmp(x->id, y->id, 8);
}

/* A span that was sent twice is there once; two that only share an id stay two. */
static void put_into_table(struct model *model, struct trace *trace)
{
    size_t kept = 0;
    for (size_t i = 0; i < trace->count; i++) {
        struct span *span = trace->spans[i], **slot = span_slot(model, trace->id, span->id);
        const struct span *other = *slot;
        if (other && other->start == span->start && other->end == span->end && other->name == span->name) continue;
        if (!other) *slot = span;
        trace->spans[kept++] = span;
    }
    trace->count = kept;
}

static void make_table(struct model *model)
{
    free(model->spans);
    for (model->span_slots = 64; model->span_slots < model->span_count * 2;) model->span_slots *= 2;
    model->spans = must_get(model->span_slots * sizeof *model->spans);
    for (size_t i = 0; i < model->count; i++) {
        struct trace *trace = model->traces[i];
        qsort(trace->spans, trace->count, sizeof *trace->spans, by_start);
        put_into_table(model, trace);
    }
}

static void find_parents(const struct model *model, struct trace *trace)
{
    for (size_t i = 0; i < trace->count; i++) {
        struct span *span = trace->spans[i];
        const bool has_parent = !is_zero(span->parent_id, 8);
        struct span *up = has_parent ? model_span(model, trace->id, span->parent_id) : NULL;
        span->up = up == span ? NULL : up;
        span->is_orphan = has_parent && !span->up;
        span->parent_is_remote = (span->flags & 0x200) || (span->up && span->up->resource->service != span->resource->service);
        span->index = UINT32_MAX;
    }
}

/* Parents that go round in a circle: the first of them that we come to is taken for a root. Each span is walked over once:
 * `depth` is the number of the walk until the tree is there. */
static void break_circles(struct trace *trace)
{
    for (size_t i = 0; i < trace->count; i++) trace->spans[i]->depth = 0;
    for (size_t i = 0; i < trace->count; i++) {
        struct span *span = trace->spans[i];
        const uint32_t walk = (uint32_t)i + 1;
        while (span && !span->depth) {
            span->depth = walk;
            span = span->up;
        }
        if (!span || span->depth != walk) continue;
        span->up = NULL;
        span->is_orphan = true;
    }
}

/* Spans are in the order of their starts: from the last one on, each goes before its siblings. */
static void hang_up(struct trace *trace)
{
    trace->top = NULL;
    for (size_t i = 0; i < trace->count; i++) trace->spans[i]->down = NULL;
    for (size_t i = trace->count; i-- > 0;) {
        struct span *span = trace->spans[i], **first = span->up ? &span->up->down : &trace->top;
        span->next = *first;
        *first = span;
    }
}

static struct span *after(struct span *span)
{
    if (span->down) return span->down;
    while (span && !span->next) span = span->up;
    return span ? span->next : NULL;
}

static void number(struct trace *trace)
{
    size_t count = 0;
    for (struct span *span = trace->top; span; span = after(span)) {
        span->depth = span->up ? span->up->depth + 1 : 0;
        span->index = (uint32_t)count;
        trace->spans[count++] = span;
    }
}

static int by_pointer(const void *a, const void *b)
{
    const char *x = *(const char *const *)a, *y = *(const char *const *)b;
    return x < y ? -1 : x > y;
}

static size_t count_services(const struct trace *trace)
{
    const char **names = must_get(trace->count * sizeof *names);
    size_t services = 0;
    for (size_t i = 0; i < trace->count; i++) names[i] = trace->spans[i]->resource->service;
    qsort(names, trace->count, sizeof *names, by_pointer);
    for (size_t i = 0; i < trace->count; i++) services += i == 0 || names[i] != names[i - 1];
    free(names);
    return services;
}

static void measure(struct trace *trace)
{
    trace->start = trace->count ? trace->spans[0]->start : 0;
    trace->end = trace->start;
    for (size_t i = 0; i < trace->count; i++) {
        const struct span *span = trace->spans[i];
        if (span->start < trace->start) trace->start = span->start;
        if (span->end > trace->end) trace->end = span->end;
        if (span->facts && span->facts->cancelled) trace->cancelled = true;
    }
    trace->services = count_services(trace);
}

static void find_culprit(const struct model *model, const struct trace *here, struct culprit *culprit)
{
    const bool has_trace = !is_zero(culprit->trace_id, 16);
    if (!is_zero(culprit->span_id, 8))
        culprit->span = model_span(model, has_trace ? culprit->trace_id : here->id, culprit->span_id);
}

static void find_others(const struct model *model, struct span *span)
{
    for (size_t i = 0; i < span->link_count; i++)
        span->links[i].to = model_span(model, span->links[i].trace_id, span->links[i].span_id);
    if (!span->facts) return;
    find_culprit(model, span->trace, &span->facts->origin);
    find_culprit(model, span->trace, &span->facts->root);
    find_culprit(model, span->trace, &span->facts->callee);
}

static int by_time(const void *a, const void *b)
{
    const struct trace *x = *(struct trace *const *)a, *y = *(struct trace *const *)b;
    if (x->start != y->start) return x->start < y->start ? -1 : 1;
    return memcmp(x->id, y->id, 16);
}

void model_link(struct model *model)
{
    make_table(model);
    for (size_t i = 0; i < model->count; i++) {
        struct trace *trace = model->traces[i];
        find_parents(model, trace);
        break_circles(trace);
        hang_up(trace);
        number(trace);
        for (size_t s = 0; s < trace->count; s++) {
            facts_read(model, trace->spans[s]);
            find_others(model, trace->spans[s]);
        }
        measure(trace);
    }
    qsort(model->traces, model->count, sizeof *model->traces, by_time);
}
