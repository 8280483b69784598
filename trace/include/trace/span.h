/* The context node that has a part in tracing, and the record of a span that is open.
 *
 * A trace node is one of three: the context of a span, started here; the place where a remote caller's span came in
 * (`remote`, not recorded); or a root that only says which provider its descendants use (no ids).
 *
 * What is recorded of a span is its OTLP encoding, written as it happens, in one block without a pointer in it. At the end
 * it is copied to where ended spans wait (spool.h), and the block is used again.
 */
#ifndef TRACE_SPAN_H
#define TRACE_SPAN_H

#include <whence/provider.h>

#include "base/text.h"
#include "context/tree.h"

struct wh__record {
    uint32_t capacity, len;           /* of bytes */
    uint32_t attributes, most_attributes; /* kept; the limit */
    union {
        uint64_t keys;                /* a bit for the hash of every key: if it is not set, the key is new */
        struct wh__record *next;      /* of those that have ended and wait for a verdict: keep.h */
    };
    uint32_t name_at, name_size;      /* the name's field in them */
    uint32_t status_at, status_size;  /* the status's field; size 0: none yet */
    uint32_t events, links;           /* kept */
    uint32_t dropped_attributes, dropped_events, dropped_links;
    uint32_t forks;                   /* wh__forks when it was started */
    uint32_t short_until;             /* an attribute that begins before here has room in the short form, and may have it */
    uint8_t status;                   /* enum wh_status */
    uint8_t marks;                    /* WH__HAS_END: the timestamp of its end was given; WH__HAS_FAILED: its status is ERROR;
                                         at its end, WH__WAS_LATE: less than a tenth of its time was left, or nothing; WH__WAS_DONE: its
                                         context was done */
    uint16_t charged;                 /* not sampled, and to wait for a verdict: so many times WH__RECORD_BLOCK; else 0 */
    const struct wh__scope *scope;    /* who has started it */
    uint8_t bytes[];                  /* trace_id, span_id, kind, start, end, flags, then all else as it comes */
};

enum { WH__HAS_END = 1, WH__HAS_FAILED = 2, WH__WAS_LATE = 4, WH__WAS_DONE = 8 };

/* One that has not grown, with its head. */
enum { WH__RECORD_BLOCK = 512 };

/* The room that an attribute in its short form may take; attribute.c. */
enum { WH__SHORT_ATTR = 104 };

/* Where the fields of fixed size stand. */
enum { WH__KIND_AT = 29, WH__START_AT = 31, WH__END_AT = 40, WH__FLAGS_AT = 50, WH__HEAD = 54 };

struct wh__trace_node {
    wh_ctx node;
    uint8_t trace_id[16], span_id[8]; /* zero: no span */
    wh_provider *provider;            /* or NULL */
    const char *tracestate;           /* of this node or of one above, which is kept alive; or NULL */
    int64_t started;
    int64_t wall;                     /* added to an instant: nanoseconds since 1970. The same for all of a local trace */
    struct wh__record *record;        /* [lock]; NULL: not recording, not yet, or not any more; and in a block that is free */
    struct wh__root *root;            /* of the node that wh_main() returned; else NULL */
    uint32_t lock;                    /* locked before that of the node, and by leaked.c after that of pages. In a free block, too */
    uint8_t flags;                    /* WH_SAMPLED, WH_RANDOM; and those below */
    bool remote;
    bool parent_is_remote;
    bool owns_tracestate;             /* from wh__mem_get() */
    struct wh__keep *keep;            /* with WH__KEEPS: of the local trace, lives as long as its root's node, keep.h; NULL: remote */
    const char *name;                 /* outlives the record: a literal, or what fits of it into: */
    char name_copy[32];
};
_Static_assert(sizeof(struct wh__trace_node) == 256, "one block of WH__KEPT");
_Static_assert(offsetof(struct wh__trace_node, record) >= 128 && offsetof(struct wh__trace_node, lock) >= 128, "looked at when free");

struct wh__root {
    void (*end)(struct wh__root *root); /* called when the node is ended */
};

static inline bool wh__has_span(const struct wh__trace_node *trace)
{
    uint64_t id;
    __builtin_memcpy(&id, trace->span_id, sizeof id);
    return id != 0;
}

/* The nearest trace node at or above ctx; NULL if there is none. */
static inline struct wh__trace_node *wh__trace_of(const wh_ctx *ctx)
{
    if (!ctx || !(ctx->flags & WH__TRACE_ABOVE)) return NULL;
    while (!(ctx->flags & WH__TRACE)) ctx = ctx->parent;
    return (struct wh__trace_node *)(void *)ctx;
}

static inline void wh__copy_name(struct wh__trace_node *trace, const char *name)
{
    size_t len = strnlen(name, sizeof trace->name_copy);
    if (len == sizeof trace->name_copy) len = wh__utf8_cut(name, sizeof trace->name_copy - 1);
    memcpy(trace->name_copy, name, len);
    trace->name_copy[len] = '\0';
    __atomic_store_n(&trace->name, trace->name_copy, __ATOMIC_RELEASE); /* a rename, and somebody may be asking */
}

static inline const char *wh__name_of(const struct wh__trace_node *trace)
{
    return __atomic_load_n(&trace->name, __ATOMIC_ACQUIRE);
}

/* In the flags of an anchor, beside W3C's; never in those of a span. The short ways of a start need not look: an anchor
 * without ids is none of theirs, and of one without a decision only a value node below it is handed out. */
#define WH__DECIDED 0x80  /* there are no ids: a trace that begins below is sampled as WH_SAMPLED says (B3 without ids) */
#define WH__TWIN 0x20     /* no anchor: another node of a span that is ending */
#define WH__DEFERRED 0x40 /* there are ids but no decision: the sampler is asked as for a root (B3 without a sampling state) */

/* Of a span, beside W3C's; set after its record has begun, so that they do not stand there. */
#define WH__KEEPS 0x10   /* of a local trace that waits for a verdict; or of a remote span that is not sampled: one begins below */
#define WH__UNASKED 0x08 /* recorded for that alone: for the sampler, and so for processors of somebody's own, it is dropped */

/* A trace node that records nothing: the span `from` of somebody else, whose tracestate is copied, or, if that is NULL, a root for
 * `provider`. `timeout` and `now` as for wh__node_new(). Never NULL. */
wh_ctx *wh__anchor_new(const wh_ctx *parent, wh_provider *provider, const struct wh_span_context *from, int64_t timeout,
                       int64_t now, const struct wh_site *made);

/* Another node of the same span, below it, that records into `record`, which is nobody else's; and taking that back from it, NULL if
 * there was no memory for the node. */
wh_ctx *wh__twin_new(struct wh__trace_node *trace, struct wh__record *record);
struct wh__record *wh__twin_end(wh_ctx *node);

/* ---- record.c: under the node's lock, or while nobody else can see the record ---- */

/* A record with the head of the span in it; NULL without memory. */
struct wh__record *wh__record_new(const struct wh__trace_node *trace, const struct wh__scope *scope, enum wh_kind kind);
void wh__record_free(struct wh__record *record);

/* How far a new record takes attributes in the short form, under such limits. */
uint32_t wh__record_short_until(const struct wh_limits *limits);

/* Room for that many more bytes at record->bytes + record->len; NULL without memory, or beyond WH__MOST_BYTES. May move it. */
uint8_t *wh__record_room(struct wh__record **record, size_t size);

/* Takes `size` bytes out. */
void wh__record_cut(struct wh__record *record, uint32_t at, uint32_t size);

/* ---- the parts of a span, each on a record that is ours; what cannot be kept is counted in it ---- */
struct wh__attr;
void wh__record_attr(struct wh__record **record, const struct wh__attr *attr);
void wh__record_set(struct wh__record **record, const struct wh_attr *attr, const struct wh_limits *limits); /* the same, unprepared */
void wh__record_event(struct wh__record **record, const char *name, uint64_t at, struct wh_attrs attrs,
                      const struct wh_limits *limits);
void wh__record_link(struct wh__record **record, const struct wh_span_context *to, struct wh_attrs attrs,
                     const struct wh_limits *limits);
void wh__record_name(struct wh__record **record, const char *name, size_t len);
void wh__record_status(struct wh__record **record, enum wh_status status, const char *text);

/* ---- end.c: the last of a span that nobody else can reach any more; the record goes. `cancelled`: its context was done ---- */
void wh__span_finish(struct wh__trace_node *trace, struct wh__record *record, int64_t now, bool cancelled);

/* ---- cancellation.c: what a span says of deadlines and cancels; `ended`: an instant ---- */
void wh__record_deadline(struct wh__record **record, const struct wh__trace_node *trace, int64_t ended);
void wh__record_cancellation(struct wh__record **record, const struct wh__trace_node *trace, int64_t ended);
void wh__record_failure(struct wh__record **record, const struct wh__trace_node *trace);
void wh__record_request(const wh_ctx *node, const struct wh__verdict *verdict);
void wh__describe_origin(const wh_ctx *origin, struct wh_cause *cause);
void wh__record_gave_up(const wh_ctx *ctx, const struct wh__gave_up *what);
const char *wh__service_of(const wh_ctx *node, char *buf, size_t size);

/* ---- chain.c: NULL is none; `own_span_id`: a chain of one link is written too if it tells of another span ---- */
struct wh__because;
void wh__record_chain(struct wh__record **record, const struct wh__because *chain, const uint8_t *own_span_id);

extern const struct wh__span_ops wh__trace_ops;

#endif
