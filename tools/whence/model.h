/* Traces as the tool knows them, whoever has written them: OTLP as JSON, or what a Jaeger answers. Everything that was read
 * belongs to the model, and lives as long as it. Texts end with a zero, are strangers' (any bytes may be in them), and are equal
 * if their pointers are. Times are nanoseconds since 1970, durations nanoseconds. */
#ifndef TOOLS_WHENCE_MODEL_H
#define TOOLS_WHENCE_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A duration that nobody told. */
#define UNTOLD INT64_MAX

/* ---- values ---- */

enum value_kind { VALUE_NONE, VALUE_TEXT, VALUE_INT, VALUE_DOUBLE, VALUE_BOOL, VALUE_BYTES, VALUE_ARRAY, VALUE_MAP };

struct attribute {
    const char *key;
    const char *text; /* bytes in base64; arrays and maps as plain JSON: ["a",1], {"k":"v"} */
    enum value_kind kind;
};

struct attributes {
    struct attribute *list;
    size_t count;
};

/* NULL if there is none. */
const char *attribute_text(const struct attributes *attributes, const char *key);

/* ---- what came from one process ---- */

struct resource {
    const char *service; /* "" if it has no name */
    struct attributes attributes;
};

/* ---- spans ---- */

/* As OTLP numbers them. */
enum span_kind { KIND_UNSPECIFIED, KIND_INTERNAL, KIND_SERVER, KIND_CLIENT, KIND_PRODUCER, KIND_CONSUMER };
enum span_status { STATUS_UNSET, STATUS_OK, STATUS_ERROR };

struct event {
    const char *name;
    uint64_t at;
    struct attributes attributes;
};

struct link {
    uint8_t trace_id[16], span_id[8];
    struct attributes attributes;
    struct span *to; /* NULL: not here */
};

/* Where a cause lies, as attributes name it: whence.cause.root.* and whence.callee.*. */
struct culprit {
    const char *reason, *message, *site, *span_name, *service; /* or NULL */
    uint8_t trace_id[16], span_id[8];                          /* all zero: untold */
    struct span *span;                                         /* NULL: not here */
};

/* What whence.* says of a span. Texts are NULL, durations UNTOLD where it says nothing. */
struct facts {
    bool cancelled, nearly_late, leaked, brief, kept;
    const char *reason, *message, *site;
    struct culprit origin;          /* the span on whose context cancel was called; trace, span and name of it */
    int64_t depth;                  /* UNTOLD */
    int64_t overrun;
    uint64_t cancelled_at;          /* within the span; its end, if it was not cancelled */
    int64_t asked, budget, left;    /* of its deadline; left < 0: too late */
    const char *source;             /* whose deadline holds: own, ancestor, caller */
    const char **chain;             /* whence.cause.chain: nearest cause first */
    size_t chain_count;
    struct culprit root, callee;
    const char *suppressed;         /* the first that came too late */
    int64_t suppressed_count;       /* 0 */
    const char *failure_site;
    const char *gave_up;
    const char *leaked_site;
    int64_t leaked_age;
    const char *kept_because;
    int64_t kept_alike;             /* 0 */
    const char *child_ended_by, *child_signal, *child_stopped_for;
};

struct span {
    uint8_t id[8], parent_id[8];    /* parent: all zero for a root */
    uint8_t kind, status;
    bool parent_is_remote;          /* known to be of another process: by the flags, or by the other service */
    bool is_orphan;                 /* it has a parent, which is not here */
    uint32_t flags;
    uint64_t start, end;            /* end >= start */
    const char *name, *status_text, *scope, *trace_state; /* never NULL */
    const struct resource *resource;
    struct attributes attributes;
    struct event *events;
    struct link *links;
    size_t event_count, link_count;
    uint32_t dropped_attributes, dropped_events, dropped_links;
    struct facts *facts;            /* NULL: nothing of Whence on it */

    /* from model_link() on */
    struct trace *trace;
    struct span *up, *down, *next;  /* parent; first child; next of the same parent, by start */
    uint32_t depth;
    uint32_t index;                 /* in trace->spans */
};

struct trace {
    uint8_t id[16];
    struct span **spans;            /* parents before children, in the order of a drawing */
    size_t count, capacity;
    struct span *top;               /* the first without a parent here; the others follow by `next` */
    uint64_t start, end;
    size_t services;                /* different ones */
    bool cancelled;                 /* some span of it */
};

/* ---- the model ---- */

struct model;

/* Without memory every one of these ends the program, with status 2. */
struct model *model_new(void);
void model_free(struct model *model);

size_t model_count(const struct model *model);               /* of traces */
struct trace *model_trace(const struct model *model, size_t i); /* by start, after model_link() */

/* Once all is read: parents, children, order, facts, origins. */
void model_link(struct model *model);

/* By the first digits of its id, or all: how many there are; *found is the first. */
size_t model_find(const struct model *model, const char *hex, struct trace **found);

/* NULL: not here. After model_link(). */
struct span *model_span(const struct model *model, const uint8_t trace_id[16], const uint8_t span_id[8]);

bool is_zero(const uint8_t *id, size_t len);

/* ---- for those who read ---- */

void *model_room(struct model *model, size_t size);                              /* zeroed */
const char *model_text(struct model *model, const char *text);                   /* equal texts, equal pointers */
struct attributes model_attributes(struct model *model, const struct attribute *list, size_t count); /* a copy */
struct span *model_add(struct model *model, const uint8_t trace_id[16]);        /* times, names: all to be filled */

/* One JSON document, of `len` bytes: OTLP's TracesData, {"result": that}, Jaeger's {"data": [trace...]}, or an array of those. How
 * many spans came of it; -1, and why in words: it is none of these, or no JSON. */
long model_read_json(struct model *model, const char *json, size_t len, char *why, size_t why_size);

/* A file of such documents, "-" for standard input: one a line, or a whole file. What cannot be read is told on standard error
 * with file and line, and passed over. -1: it could not be opened or read, or nothing of it could. */
long model_read_file(struct model *model, const char *path);

/* facts.c: what whence.* on it says. */
void facts_read(struct model *model, struct span *span);

#endif
