/* whence/exporters.h: how spans leave, and how to write an exporter of your own.
 *
 * A span that has ended is its OTLP encoding (opentelemetry.proto.trace.v1.Span, protobuf): what is recorded is what goes
 * on the wire. An exporter gets batches of such spans, with the resource and the scopes that they share, and may read them
 * with the functions below.
 */
#ifndef WHENCE_EXPORTERS_H
#define WHENCE_EXPORTERS_H

#include <stdio.h>
#include <whence/trace.h>

WH_BEGIN_DECLS

/* ---- The exporters that are here -------------------------------------------------------------------------------
 *
 * Each of these returns an exporter for wh_provider_new(), which owns it then, or NULL and an errno value. An exporter
 * that was not given to a provider is freed with wh_exporter_free(). */

/* A tree of every trace, drawn for people, with the cause beside each cancelled span. The form may change at any
 * version: for machines there is the file exporter. Writes a trace when its local root has ended, or at a flush.
 * `out` stays the caller's. Colour where out is a terminal and NO_COLOR is not set. */
WH_API struct wh_exporter *wh_console_exporter_new(FILE *out);

/* OTLP as JSON lines, one TracesData object a line, UTF-8 (protocol/file-exporter.md); such files end in .jsonl.
 * wh_file_exporter_new(path, .max_bytes = 100 << 20). What cannot be written, as on a full disk, is refused as a whole, counted as
 * dropped_export, and no half of a line is left; once there is room it goes on. Several processes may share a file: a line goes to
 * it in one write. Errno values are those of open(). */
struct wh_file_opts {
    size_t size;
    const char *path;              /* opened for appending, created with mode 0644; NULL or "-": standard output */
    int64_t max_bytes WH_ZERO_;    /* of a file: before it would grow beyond, path becomes path.1 (with .jsonl: before that), path.1
                                    * becomes path.2, and so on. A line that is longer has a file of its own. Where that cannot
                                    * be done, spans are refused. 0: no limit; none either for what is no regular file */
    uint32_t max_files WH_ZERO_;   /* with the one being written; the oldest is removed. 0: 5 */
};
#define wh_file_exporter_new(...) wh_file_exporter_new_at(WH_OPTS_(struct wh_file_opts, .path = __VA_ARGS__))
WH_API struct wh_exporter *wh_file_exporter_new_at(const struct wh_file_opts *opts);

/* Keeps spans in memory, for tests: at most `max` of them, later ones are refused. */
WH_API struct wh_exporter *wh_memory_exporter_new(size_t max);

/* OTLP, to a collector: in the library whence-otlp, which needs libcurl, libprotobuf-c and zlib (docs/otlp.md). EINVAL:
 * something in the options is wrong; what, was reported. All strings are copied; the files are read again at every new
 * connection. */
enum wh_otlp_protocol { WH_OTLP_HTTP_PROTOBUF, WH_OTLP_HTTP_JSON, WH_OTLP_GRPC };

struct wh_otlp_opts {
    size_t size;
    /* Base URL, to which v1/traces is added; NULL: http://localhost:4318. With gRPC its scheme, host and port count; NULL:
     * http://localhost:4317. unix:///path: a Unix domain socket. */
    const char *endpoint;
    const char *traces_endpoint WH_ZERO_;    /* the whole URL, in its place */
    const char *headers WH_ZERO_;            /* "k=v,k=v", percent-encoded, as in OTEL_EXPORTER_OTLP_HEADERS */
    int64_t timeout WH_ZERO_;                /* for one request; 0: 10 s; WH_NEVER: none */
    bool gzip WH_ZERO_;
    bool insecure WH_ZERO_;                  /* gRPC, where the endpoint has no scheme: without TLS */
    int64_t protocol WH_ZERO_;               /* an enum wh_otlp_protocol */
    const char *certificate WH_ZERO_;        /* PEM file: the authorities to trust; NULL: the system's */
    const char *client_key WH_ZERO_;         /* PEM file, for mutual TLS; NULL: it is in client_certificate */
    const char *client_certificate WH_ZERO_; /* PEM file */
    const char *unix_socket WH_ZERO_;        /* path: connect there; the URL stays what it is */
    const char *proxy WH_ZERO_;              /* URL; "": none; NULL: as http_proxy and so on say, but none to this machine */
    const char *user_agent WH_ZERO_;         /* "product/1.0": stands before the library's own */
    size_t max_request WH_ZERO_;             /* bytes before compression: what is more is split; 0: 64 MiB, at most 1 GiB */
    size_t max_response WH_ZERO_;            /* bytes after decompression: more is an error; 0: 4 MiB, at most 1 GiB */
};
#define wh_otlp_exporter_new(...) wh_otlp_exporter_new_at(WH_OPTS_(struct wh_otlp_opts, .endpoint = __VA_ARGS__))
WH_API struct wh_exporter *wh_otlp_exporter_new_at(const struct wh_otlp_opts *opts);

/* ---- One of your own -------------------------------------------------------------------------------------------*/

/* The spans of one scope. */
struct wh_scope_spans {
    struct wh_bytes scope;         /* opentelemetry.proto.common.v1.InstrumentationScope; may be empty */
    struct wh_str schema_url;      /* of what the scope records; may be empty */
    const struct wh_bytes *spans;  /* opentelemetry.proto.trace.v1.Span each; sampled ones only */
    size_t count;
};

/* Spans that share a resource, scope by scope. Valid during the call only. */
struct wh_batch {
    size_t size;
    struct wh_bytes resource;      /* opentelemetry.proto.resource.v1.Resource */
    struct wh_str schema_url;      /* of the resource; may be empty */
    const struct wh_scope_spans *scopes;
    size_t scope_count;
    size_t count;                  /* of the spans of all scopes */
};

/* The functions are called one at a time for one exporter, except interrupt: from the export thread of its batch processor, or
 * by a simple one from the thread that ends a span (provider.h). No exporter needs more than that to be safe; those of the
 * library share nothing with each other. Put this first in a structure of your own. Members that are NULL are skipped,
 * export_batch excepted. The name is said in reports, and makes otel.component.type: "<name>_span_exporter". */
struct wh_exporter {
    size_t size;
    const char *name;
    /* 0: all accepted but *rejected of them (it comes in as 0); otherwise an errno value: none was. Should be back by
     * `deadline`, an instant. No retry is made by the caller. */
    int (*export_batch)(struct wh_exporter *self, const struct wh_batch *batch, int64_t deadline, size_t *rejected);
    /* Whatever it still holds must be out when this returns, or at the deadline. 0 or an errno value. */
    int (*flush)(struct wh_exporter *self, int64_t deadline);
    /* Once. No call follows but destroy; the library's own refuse one all the same (ESHUTDOWN). */
    void (*shutdown)(struct wh_exporter *self, int64_t deadline);
    /* Why the last export failed, or NULL: for the report. Valid until the next call. */
    const char *(*last_error)(struct wh_exporter *self);
    /* From any thread: the call in progress is to give up soon. */
    void (*interrupt)(struct wh_exporter *self);
    void (*destroy)(struct wh_exporter *self);
};

/* For an exporter that no provider owns. NULL is ignored. */
WH_API void wh_exporter_free(struct wh_exporter *exporter);

/* ---- Reading spans ---------------------------------------------------------------------------------------------
 *
 * A view points into the encoding and copies nothing. Safe on any bytes: what is not a span reads as false. */
struct wh_span_view {
    uint8_t trace_id[16], span_id[8], parent_span_id[8]; /* parent all zero: a root */
    struct wh_str name, tracestate, status_text;
    enum wh_kind kind;
    enum wh_status status;
    uint64_t start, end;           /* nanoseconds since 1970 */
    uint32_t flags;                /* W3C flags; 0x100: it is known whether the parent is remote, 0x200: it is */
    uint32_t dropped_attributes, dropped_events, dropped_links;
    struct wh_bytes raw;
};
WH_API bool wh_span_read(struct wh_bytes span, struct wh_span_view *view);

/* An event or a link of a span, and an attribute of whatever holds attributes. */
struct wh_event_view {
    uint64_t at;
    struct wh_str name;
    uint32_t dropped_attributes;
    struct wh_bytes raw;
};
struct wh_link_view {
    uint8_t trace_id[16], span_id[8];
    struct wh_str tracestate;
    uint32_t flags, dropped_attributes;
    struct wh_bytes raw;
};
struct wh_attr_view {
    struct wh_str key;
    enum wh_type type;         /* as recorded: WH_UINT and arrays of one type are never seen; 0: not known here, see raw */
    union {
        struct wh_str string;
        struct wh_bytes bytes; /* of WH_BYTES; of WH_ARRAY and WH_MAP: for wh_next_item() */
        bool boolean;
        int64_t integer;
        double real;
    } as;
    struct wh_bytes raw;       /* opentelemetry.proto.common.v1.AnyValue */
};

/* Where an iteration stands; begins with .rest = the raw bytes of the span, event, link, scope or resource. */
struct wh_cursor {
    struct wh_bytes rest;
};
WH_API bool wh_next_event(struct wh_cursor *span, struct wh_event_view *event);
WH_API bool wh_next_link(struct wh_cursor *span, struct wh_link_view *link);
WH_API bool wh_next_span_attr(struct wh_cursor *span, struct wh_attr_view *attr);
WH_API bool wh_next_event_attr(struct wh_cursor *event, struct wh_attr_view *attr);
WH_API bool wh_next_link_attr(struct wh_cursor *link, struct wh_attr_view *attr);
WH_API bool wh_next_scope_attr(struct wh_cursor *scope, struct wh_attr_view *attr);
WH_API bool wh_next_resource_attr(struct wh_cursor *resource, struct wh_attr_view *attr);

/* The next item of an array, which has no key, or the next entry of a map; begins with .rest = as.bytes of such a view, and
 * with nothing else. */
WH_API bool wh_next_item(struct wh_cursor *value, struct wh_attr_view *item);

/* The attribute of that key on a span; false if it has none. */
WH_API bool wh_span_attr(const struct wh_span_view *span, const char *key, struct wh_attr_view *attr);

/* A value as text, for formats that know no other type (common/README.md, AnyValue representation for non-OTLP protocols):
 * text as it is, numbers and booleans as JSON has them, NaN, Infinity and -Infinity without quotes, bytes in base64, arrays and
 * maps as JSON with all these in quotes, the empty value as "" and within them as null. At most size - 1 bytes of whole
 * characters, terminated if size is not 0. Returns how many bytes there are in all; 0 and "" without memory, or if it were more
 * than 64 MiB. */
WH_API size_t wh_value_text(const struct wh_attr_view *value, char *out, size_t size);

/* Takes an ExportTraceServiceRequest apart, calling each(batch, arg) for every scope in it. 0; EBADMSG if it is none;
 * or what each returned, if that was not 0, and no further calls. */
WH_API int wh_read_request(struct wh_bytes request, int (*each)(const struct wh_batch *batch, void *arg), void *arg);

/* OTLP as JSON, for exporters: an ExportTraceServiceRequest of the batch, in one line without its end (OTLP, JSON Protobuf
 * Encoding). The text is not terminated, and its memory is used again by the next call; all zero at first, given back by
 * wh_json_free(). *written: how many spans are in it, as those that cannot be read are left out; with none there is no
 * text. 0; ENOMEM; EMSGSIZE: it would be longer than `most`, or than 64 MiB. Any thread, one at a time for each. */
struct wh_json {
    char *text;
    size_t len, capacity;
};
WH_API int wh_json_write(struct wh_json *json, const struct wh_batch *batch, size_t most, size_t *written);
WH_API void wh_json_free(struct wh_json *json);

/* What a memory exporter holds: how many, the i-th, the first of that name (from `from` on), and forgetting them all.
 * Views are valid until it forgets. From one thread at a time, and not while its provider exports: flush first. */
WH_API size_t wh_memory_count(struct wh_exporter *memory);
WH_API bool wh_memory_span(struct wh_exporter *memory, size_t i, struct wh_span_view *view);
WH_API bool wh_memory_find(struct wh_exporter *memory, const char *name, struct wh_span_view *view);
WH_API void wh_memory_clear(struct wh_exporter *memory);

WH_END_DECLS
#endif
