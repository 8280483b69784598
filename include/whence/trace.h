/* whence/trace.h: what happened. Spans that live in contexts.
 *
 * The concepts and their names are OpenTelemetry's (specification 1.60, trace/api.md and trace/sdk.md); a span is
 * reached through the context that carries it. Nothing here fails, blocks on telemetry, or needs to be checked: a span
 * that is not recorded still has ids and hands them on.
 */
#ifndef WHENCE_TRACE_H
#define WHENCE_TRACE_H

#include <whence/context.h>

#include <string.h>

WH_BEGIN_DECLS

typedef struct wh_provider wh_provider; /* what records spans, and where they go: provider.h */

/* ---- Attributes ------------------------------------------------------------------------------------------------*/

enum wh_type {
    WH_STRING = 1, WH_BOOL, WH_INT, WH_DOUBLE, WH_BYTES, WH_UINT, WH_EMPTY, WH_ARRAY, WH_MAP, /* any values in these two */
    WH_INTS, WH_DOUBLES, WH_BOOLS, WH_STRINGS                                                 /* arrays of one type */
};

/* One attribute, for events, links, and for spans at their start. Made by wh_attr(); borrowed, never kept. */
struct wh_attr {
    const char *key;
    enum wh_type type;
    size_t len; /* of a string or of bytes; how many are in an array or a map */
    union {
        const void *ptr;
        bool boolean;
        int64_t integer;
        uint64_t natural;
        double real;
    } as;
};
struct wh_attrs {
    const struct wh_attr *list;
    size_t count;
};

/* A string that is not terminated, and bytes that are no text, as attribute values. NULL counts as empty. */
struct wh_str { const char *ptr; size_t len; };
struct wh_bytes { const void *ptr; size_t len; };

/* Arrays as attribute values. They are borrowed, and cost more than plain values. A NULL among strings is an empty value. */
struct wh_items { const struct wh_attr *list; size_t count; }; /* of any types; the keys in it are not looked at */
struct wh_ints { const int64_t *list; size_t count; };
struct wh_doubles { const double *list; size_t count; };
struct wh_bools { const bool *list; size_t count; };
struct wh_strings { const char *const *list; size_t count; };
struct wh_null { char none; };

/* wh_attr("net.peer.port", 8080): any type that wh_set() takes. WH_ATTRS(wh_attr(...), ...): a list of them, which as a
 * value is a map. WH_ITEMS(wh_item(1), wh_item("two")): an array. WH_NULL: the empty value. What these lists are made of
 * lives as long as the block that they stand in; in C++ only as long as the call that they are an argument of. Written one
 * within the other, three or four deep: what lies deeper is better put together from arrays with names. */
#define wh_attr(key, ...) wh_attr_of_((key), (__VA_ARGS__))
#define wh_item(...) wh_attr_of_(WH_NO_KEY_, (__VA_ARGS__))
#ifndef __cplusplus
#define WH_LIST_(type, ...) \
    (__extension__(type){(const struct wh_attr[]){__VA_ARGS__}, sizeof((const struct wh_attr[]){__VA_ARGS__}) / sizeof(struct wh_attr)})
#define WH_ATTRS(...) WH_LIST_(struct wh_attrs, __VA_ARGS__)
#define WH_ITEMS(...) WH_LIST_(struct wh_items, __VA_ARGS__)
#define WH_NULL ((struct wh_null){0})
#define WH_NO_KEY_ ((const char *)0)
#else
#define WH_ATTRS(...) wh_attrs_of_({__VA_ARGS__})
#define WH_ITEMS(...) wh_items_of_({__VA_ARGS__})
#define WH_NULL (wh_null())
#define WH_NO_KEY_ nullptr
#endif

/* ---- Spans -----------------------------------------------------------------------------------------------------*/

enum wh_kind { WH_INTERNAL, WH_SERVER, WH_CLIENT, WH_PRODUCER, WH_CONSUMER };

/* The part of a span that travels. */
struct wh_span_context {
    uint8_t trace_id[16];   /* all zero: there is no span */
    uint8_t span_id[8];
    uint8_t flags;          /* WH_SAMPLED, WH_RANDOM: W3C trace context level 2 */
    bool remote;            /* it came from another process */
    const char *tracestate; /* as in the header, or NULL; valid as long as the context it came from */
};
#define WH_SAMPLED 1
#define WH_RANDOM 2

/* Whether there is a span: neither id is all zero. */
static inline bool wh_span_valid(const struct wh_span_context *span)
{
    uint64_t trace[2], id;
    memcpy(trace, span->trace_id, sizeof trace);
    memcpy(&id, span->span_id, sizeof id);
    return (trace[0] | trace[1]) && id;
}

/* tracestate: a list "key=value,key=value" of what vendors hand on, the newest first (W3C Trace Context, level 2, section
 * 3.3): at most 32 members; a key begins with one of [a-z0-9], has up to 256 of [a-z0-9_@-] or of * and slash; a value has 1 to 256 printable
 * ASCII characters, no comma, no equals sign, no blank at its end. NULL is the empty list. Any thread. The key `ot` is the
 * tracer's own: instrumentation does not write it.
 *
 * get: false if the key is not there; *value points into state.
 * set: writes to out, of `size` bytes, the list with the member at its front, in place of one of that key; the order of the
 *   rest is kept. With 33 the last goes; what does not fit goes as a whole, members of more than 128 characters first, then
 *   from the end. remove: the list without the key.
 * 0; or EINVAL, said once, and out is `state` as it was, or empty where that was no list: the key or the value breaks a rule,
 * or does not fit. out must not overlap the others. */
#define WH_TRACESTATE_SIZE 2048 /* no list here is longer, with its end */
WH_API bool wh_tracestate_get(const char *state, const char *key, struct wh_str *value);
WH_API int wh_tracestate_set(char *out, size_t size, const char *state, const char *key, const char *value);
WH_API int wh_tracestate_remove(char *out, size_t size, const char *state, const char *key);

/* A link for wh_start(). */
struct wh_link {
    const struct wh_span_context *to;
    struct wh_attrs attrs WH_EMPTY_;
};

/* Who starts spans: a library, by name and version (OpenTelemetry's instrumentation scope; with a provider it is a tracer).
 * Two with the same name, version, schema URL and attributes are one. A library defines its own once, and needs nothing
 * else: whichever provider its contexts belong to, its spans say where they come from.
 *
 *   WH_SCOPE(pg_scope, "example/pg", .version = "1.2")
 *   WH_AUTO wh_ctx *op = wh_start(ctx, "SELECT order", .scope = &pg_scope);
 *
 * Must stay as it is, with all that it points to, for the life of the process: it is found by its address. Without a name it
 * works, and that is said once. A provider keeps 1,024 of them apart; what others start goes by the provider's own. */
struct wh_scope {
    size_t size;                         /* sizeof(struct wh_scope) */
    const char *name;
    const char *version WH_ZERO_;
    const char *schema_url WH_ZERO_;     /* of the attributes that its spans have */
    struct wh_attrs attrs WH_EMPTY_;     /* of the scope itself */
};
#define WH_SCOPE(ident, ...) \
    __extension__ static const struct wh_scope ident = {.size = sizeof(struct wh_scope), .name = __VA_ARGS__};

struct wh_start_opts {
    size_t size;
    const struct wh_site *site;
    size_t literal; /* the length of the name, if it is a literal: such a name is not copied. 0: it may be anything */
    const char *name;
    int64_t kind WH_ZERO_;         /* an enum wh_kind, as wide as what follows: what is written in words is read in words */
    int64_t timeout WH_ZERO_;      /* nanoseconds from now; 0: none of its own; less: it has passed */
    int64_t deadline WH_ZERO_;     /* an instant, in place of timeout; 0: none of its own */
    int peer_fd WH_ZERO_;          /* watch this socket as wh_watch_peer() does; 0: none */
    bool root WH_ZERO_;            /* begin a new trace here, whatever the parent */
    struct wh_attrs attrs WH_EMPTY_;   /* known at the start: samplers see only these */
    const struct wh_link *links WH_ZERO_;
    size_t link_count WH_ZERO_;
    const struct wh_scope *scope WH_ZERO_; /* who starts it; NULL: the provider's own, whoever started the parent */
    int64_t at WH_ZERO_;           /* when it began, if that was earlier: an instant, as of wh_from_wall(); 0: now */
};

/* Derives a context and starts a span in it, child of the parent's span: wh_start(parent, name, options...). An owner:
 * wh_end() ends both. The name should be of low cardinality ("GET /order/{id}", not "GET /order/17").
 * Attributes given here are all that a sampler sees. When the sampler says no, everything but the recording is done.
 * Without a provider, or after its shutdown, or if the scope is disabled, there is no span: no ids begin here, the parent's are
 * handed on, and wh_explain() knows no names. name: not a constant NULL. peer_fd: where it cannot be watched, it is not. */
#define wh_start(parent, ...) \
    wh_start_at((parent), WH_OPTS_(struct wh_start_opts, .site = WH_HERE, \
                              .literal = WH_LITERAL_LENGTH_(WH_FIRST_(__VA_ARGS__, 0)), .name = __VA_ARGS__))
WH_API WH_OWNER_ wh_ctx *wh_start_at(const wh_ctx *parent, const struct wh_start_opts *opts);

/* Whether wh_start() with the same options could record anything: wh_enabled(ctx), wh_enabled(ctx, .scope = &pg_scope). For
 * those to whom the options of a span are costly; ask before each span, the answer may change at any time (trace/api.md,
 * Enabled). False: there is no provider, it is shut down, nothing processes its spans, or the scope is disabled. */
struct wh_enabled_opts {
    size_t size;
    const wh_ctx *ctx;
    const struct wh_scope *scope WH_ZERO_;
    int64_t kind WH_ZERO_;
    const char *name WH_ZERO_;
};
#define wh_enabled(...) wh_enabled_at(WH_OPTS_(struct wh_enabled_opts, .ctx = __VA_ARGS__))
WH_API bool wh_enabled_at(const struct wh_enabled_opts *opts);

/* wh_end(), and the span's end is `at`, an instant, whatever that is: for work that was over before anybody could say so.
 * The context ends now. 0 is an instant, too. */
WH_API void wh_end_at(wh_ctx *ctx, int64_t at);

/* A context whose span is the one of these ids, which somebody else records: spans below it are its children. It records
 * nothing itself. Its tracestate is copied. Ids that are zero, or a NULL: there is no span, and what is below begins a
 * trace. For ids from a queue or a file; those of a request's headers are wh_extract()'s (propagate.h). An owner. */
#define wh_with_span(parent, span_context) wh_with_span_at((parent), (span_context), WH_HERE)
WH_API WH_OWNER_ wh_ctx *wh_with_span_at(const wh_ctx *parent, const struct wh_span_context *span, const struct wh_site *site);

/* wh_set(ctx, key, value): one attribute on the span of ctx, or of the nearest context above that has one. The value may
 * be a bool, any integer or floating type (no long double, __int128 or bit-field), a char * (terminated; NULL is the empty string), struct wh_str, struct
 * wh_bytes, an array (WH_ITEMS(), struct wh_ints and the like), a map (WH_ATTRS()) or WH_NULL; it is copied. A key set twice
 * has its last value, also within a map; over the limit, new keys are dropped and counted, as is a value of more than 4 MiB.
 * Entries of a map whose key is NULL or not UTF-8 are left out. Text that is not UTF-8 becomes bytes; an unsigned above
 * INT64_MAX becomes its decimal digits. Note that in C11 `true` and `a == b` are of type int: write wh_set_bool() or a cast
 * where a boolean is meant. Nothing happens after the end. */
#define wh_set(ctx, key, ...) WH_SET_(ctx, key, (__VA_ARGS__))
static inline void wh_set_bool(const wh_ctx *ctx, const char *key, bool value);

/* Something that happened at an instant: wh_event(ctx, "retry", .attrs = WH_ATTRS(wh_attr("attempt", 2))). */
struct wh_event_opts {
    size_t size;
    const char *name;
    struct wh_attrs attrs WH_EMPTY_;
    int64_t at WH_ZERO_; /* an instant of wh_now(); 0: now */
};
#define wh_event(ctx, ...) wh_event_at((ctx), WH_OPTS_(struct wh_event_opts, .name = __VA_ARGS__))
WH_API void wh_event_at(const wh_ctx *ctx, const struct wh_event_opts *opts);

/* The event "exception", for languages above C that have some: wh_exception(ctx, type, message, .stacktrace = text, .attrs
 * = ...). NULL where there is none; what stands in attrs holds. No status is set: wh_fail() does that. */
struct wh_exception_opts {
    size_t size;
    const char *type, *message;
    const char *stacktrace WH_ZERO_;
    struct wh_attrs attrs WH_EMPTY_;
    int64_t at WH_ZERO_; /* as of an event */
};
#define wh_exception(ctx, type_, ...) \
    wh_exception_at((ctx), WH_OPTS_(struct wh_exception_opts, .type = (type_), .message = __VA_ARGS__))
WH_API void wh_exception_at(const wh_ctx *ctx, const struct wh_exception_opts *opts);

/* A relation to another span: wh_link_to(ctx, &span_context, .attrs = ...). */
struct wh_link_opts {
    size_t size;
    const struct wh_span_context *to;
    struct wh_attrs attrs WH_EMPTY_;
};
#define wh_link_to(ctx, ...) wh_link_to_at((ctx), WH_OPTS_(struct wh_link_opts, .to = __VA_ARGS__))
WH_API void wh_link_to_at(const wh_ctx *ctx, const struct wh_link_opts *opts);

enum wh_status { WH_STATUS_UNSET, WH_STATUS_OK, WH_STATUS_ERROR };

/* OK is final and outranks ERROR, the last ERROR wins, UNSET is ignored (trace/api.md, Set Status). The text is kept for
 * ERROR only. Cancelled spans need none: end them, and the cause decides (docs/cancellation.md). */
WH_API void wh_status(const wh_ctx *ctx, enum wh_status status, const char *text);

/* Marks the span as the one where it went wrong: status ERROR with `text`, and error.type: the name of the errno value
 * `code` ("ECONNREFUSED"), or `type` where wh_fail_as() gives one. Where ctx works for a member of a group, this span is
 * then named as the origin when the member's failure cancels its siblings; the first call of a member counts.
 * Returns code, so: return wh_fail(ctx, EIO, "short read"); */
#define wh_fail(ctx, code, text) wh_fail_at((ctx), (code), NULL, (text), WH_HERE)
#define wh_fail_as(ctx, code, type, text) wh_fail_at((ctx), (code), (type), (text), WH_HERE)
WH_API int wh_fail_at(const wh_ctx *ctx, int code, const char *type, const char *text, const struct wh_site *site);

/* Gives the span another name. */
WH_API void wh_rename(const wh_ctx *ctx, const char *name);

/* Whether anything set on ctx would be recorded: ask before you compute what is costly. */
WH_API bool wh_recording(const wh_ctx *ctx);

/* The ids of the span of ctx, of the nearest above, or of the remote caller. false, and *out all zero, if none. */
WH_API bool wh_span_of(const wh_ctx *ctx, struct wh_span_context *out);

/* The trace id as 32 hex digits, for logs: writes 33 bytes. "000..." if there is none. Returns out. */
WH_API char *wh_trace_id_hex(const wh_ctx *ctx, char out[33]);
WH_API char *wh_span_id_hex(const wh_ctx *ctx, char out[17]);

/* The same with the trace flags, named as OpenTelemetry wants them in logs of any format (compatibility/logging_trace_context.md):
 * "trace_id=4bf92f3577b34da6a3ce929d0e0e4736 span_id=00f067aa0ba902b7 trace_flags=01"; "" where there is no span, so that it can
 * stand at the end of any line. Cut where it does not fit; returns the length that it needs, at most WH_LOG_FIELDS - 1. */
#define WH_LOG_FIELDS 82
WH_API size_t wh_log_fields(const wh_ctx *ctx, char *buf, size_t size);

/* All that a log should have of a context, in one call: writes wh_log_line() and wh_log_fields() into buf, always terminated if
 * size > 0, cut before the fields where it does not fit, and returns wh_log_level(), how loud it is:
 *
 *   char line[512];
 *   static const int loud[] = {[WH_LOG_DEBUG] = LOG_DEBUG, [WH_LOG_INFO] = LOG_INFO, [WH_LOG_WARN] = LOG_WARNING, [WH_LOG_ERROR] = LOG_ERR};
 *   enum wh_log_level level = wh_log_done(req, line, sizeof line);
 *   syslog(loud[level], "%s", line);
 */
WH_API enum wh_log_level wh_log_done(const wh_ctx *ctx, char *buf, size_t size);

/* ---- What the macros need --------------------------------------------------------------------------------------*/

WH_API void wh_set_str_(const wh_ctx *ctx, const char *key, size_t key_len, const char *value, size_t len);
WH_API void wh_set_int_(const wh_ctx *ctx, const char *key, size_t key_len, int64_t value);
WH_API void wh_set_uint_(const wh_ctx *ctx, const char *key, size_t key_len, uint64_t value);
WH_API void wh_set_double_(const wh_ctx *ctx, const char *key, size_t key_len, double value);
WH_API void wh_set_bool_(const wh_ctx *ctx, const char *key, size_t key_len, bool value);
WH_API void wh_set_bytes_(const wh_ctx *ctx, const char *key, size_t key_len, const void *value, size_t len);
WH_API void wh_set_value_(const wh_ctx *ctx, const struct wh_attr *attr);

WH_END_DECLS

#include <whence/set.h>

#endif
