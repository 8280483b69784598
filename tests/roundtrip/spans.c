/* Makes random spans through the public interface, and writes down what it asked for, so that others can say whether it
 * has arrived.
 *
 *   spans SEED COUNT TRUTH EXPORTER...      EXPORTER: file:PATH, protobuf:URL, json:URL, grpc:URL; protobuf+gzip:URL ...
 *
 * TRUTH gets one JSON object a line: {"provider": ...} for each provider, then {"span": ...} for each span that was
 * started, whoever records it. What is asked for is written as it was asked for: the limits are the reader's business. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "value.h"

enum { PROVIDERS = 5, DEEPEST = 6 };

static FILE *truth;
static wh_provider *providers[PROVIDERS];
static wh_ctx *roots[PROVIDERS];
static uint64_t left;  /* spans to be started */
static unsigned trees; /* spans that share a reading of the wall clock are of one tree */

/* ---- what is written of instants: the readings of the clock between which it was taken ---- */

static void put_instant(FILE *out, int64_t first, int64_t last)
{
    fprintf(out, "[%" PRId64 ",%" PRId64 "]", first, last);
}

static int64_t some_instant(void)
{
    const int64_t far = (int64_t)below((uint64_t)WH_MIN(600));
    return wh_now() + (one_in(2) ? far : -far);
}

/* ---- operations on a span ---- */

static void set(const wh_ctx *ctx, FILE *out)
{
    const struct value value = some_value(some_key(), 1);
    const char *key = value.attr.key;
    switch (value.attr.type) {
    case WH_STRING: wh_set(ctx, key, ((struct wh_str){value.attr.as.ptr, value.attr.len})); break;
    case WH_BOOL: wh_set(ctx, key, value.attr.as.boolean); break;
    case WH_INT: wh_set(ctx, key, value.attr.as.integer); break;
    case WH_UINT: wh_set(ctx, key, value.attr.as.natural); break;
    case WH_DOUBLE: wh_set(ctx, key, value.attr.as.real); break;
    case WH_BYTES: wh_set(ctx, key, ((struct wh_bytes){value.attr.as.ptr, value.attr.len})); break;
    default: abort();
    }
    fputs(",[\"set\",", out);
    put_text(out, key);
    putc(',', out);
    put_value(out, &value);
    putc(']', out);
}

static void event(const wh_ctx *ctx, FILE *out)
{
    const char *name = some_name();
    const struct values values = some_values(6);
    const bool given = one_in(3);
    const int64_t at = given ? some_instant() : 0, before = wh_now();
    wh_event(ctx, name, .attrs = values.attrs, .at = at);
    const int64_t after = wh_now();
    fputs(",[\"event\",", out);
    put_text(out, name);
    putc(',', out);
    put_instant(out, given ? at : before, given ? at : after);
    putc(',', out);
    put_values(out, &values);
    putc(']', out);
}

static struct wh_span_context some_span_context(bool valid)
{
    static const char *const states[] = {NULL, "a=1", "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7", "ot=th:8;rv:0123456789abcd", "x@y=z,k= !\"#"};
    struct wh_span_context span = {.flags = (uint8_t)below(valid ? 4 : 256), .remote = one_in(2),
        .tracestate = states[below(sizeof states / sizeof *states)]};
    if (valid || !one_in(3)) memcpy(span.trace_id, (uint64_t[2]){rand_word() | 1, rand_word() | 1}, sizeof span.trace_id);
    if (valid || !one_in(3)) memcpy(span.span_id, (uint64_t[1]){rand_word() | 1}, sizeof span.span_id);
    return span;
}

static void put_span_context(FILE *out, const struct wh_span_context *span)
{
    fputs("{\"trace\":", out);
    put_hex(out, span->trace_id, sizeof span->trace_id);
    fputs(",\"span\":", out);
    put_hex(out, span->span_id, sizeof span->span_id);
    fprintf(out, ",\"flags\":%u,\"remote\":%s,\"state\":", span->flags, span->remote ? "true" : "false");
    put_text(out, span->tracestate);
    putc('}', out);
}

static void put_link(FILE *out, const struct wh_span_context *to, const struct values *values)
{
    fputs("[\"link\",", out);
    put_span_context(out, to);
    putc(',', out);
    put_values(out, values);
    putc(']', out);
}

static void link_to(const wh_ctx *ctx, FILE *out)
{
    const struct wh_span_context to = some_span_context(!one_in(5));
    const struct values values = some_values(5);
    wh_link_to(ctx, &to, .attrs = values.attrs);
    putc(',', out);
    put_link(out, &to, &values);
}

static void status(const wh_ctx *ctx, FILE *out)
{
    const enum wh_status code = (enum wh_status)(one_in(3) ? below(3) : WH_STATUS_ERROR);
    const char *text = one_in(4) ? NULL : some_text(true).ptr;
    wh_status(ctx, code, text);
    fprintf(out, ",[\"status\",%d,", (int)code);
    put_text(out, text);
    putc(']', out);
}

static void fail(const wh_ctx *ctx, FILE *out)
{
    static const struct { int code; const char *name; } codes[] = {{EIO, "EIO"}, {ECONNREFUSED, "ECONNREFUSED"}, {ENOENT, "ENOENT"}};
    const size_t i = below(3);
    const char *type = one_in(2) ? NULL : "rate_limited", *text = some_text(true).ptr;
    wh_fail_as(ctx, codes[i].code, type, text);
    fputs(",[\"fail\",", out);
    put_text(out, type ? type : codes[i].name);
    putc(',', out);
    put_text(out, text);
    putc(']', out);
}

static void rename_it(const wh_ctx *ctx, FILE *out)
{
    const char *name = some_name();
    wh_rename(ctx, name);
    fputs(",[\"rename\",", out);
    put_text(out, name);
    putc(']', out);
}

static void operate(const wh_ctx *ctx, FILE *out)
{
    const uint64_t choice = below(20), times = one_in(150) ? 140 : 1; /* more than the default limits allow */
    for (uint64_t i = 0; i < times; i++) {
        if (choice < 9) set(ctx, out);
        else if (choice < 13) event(ctx, out);
        else if (choice < 16) link_to(ctx, out);
        else if (choice < 18) status(ctx, out);
        else if (choice < 19) fail(ctx, out);
        else rename_it(ctx, out);
    }
}

/* ---- spans ---- */

static void start_and_end(const wh_ctx *parent, int provider, unsigned tree, int depth);

struct links {
    struct wh_link list[3];
    struct wh_span_context to[3];
    struct values values[3];
    size_t count;
};

static void some_links(struct links *links)
{
    links->count = one_in(4) ? below(4) : 0;
    for (size_t i = 0; i < links->count; i++) {
        links->to[i] = some_span_context(true);
        links->values[i] = some_values(3);
        links->list[i] = (struct wh_link){&links->to[i], links->values[i].attrs};
    }
}

static void put_start(FILE *out, const wh_ctx *ctx, const wh_ctx *parent, bool root)
{
    struct wh_span_context span, above;
    const bool has_parent = wh_span_of(parent, &above) && !root;
    wh_span_of(ctx, &span);
    fputs(",\"context\":", out);
    put_span_context(out, &span);
    fprintf(out, ",\"records\":%s,\"parent\":", wh_recording(ctx) ? "true" : "false");
    if (has_parent)
        put_span_context(out, &above);
    else
        fputs("null", out);
}

static void do_things(const wh_ctx *ctx, int provider, unsigned tree, int depth, FILE *out)
{
    fputs(",\"do\":[[\"nothing\"]", out);
    for (uint64_t i = one_in(3) ? 0 : below(14); i; i--) {
        const size_t mark = taken();
        operate(ctx, out);
        give_back(mark);
        if (depth < DEEPEST && one_in(6)) start_and_end(ctx, provider, tree, depth + 1);
    }
    fputs("]", out);
}

static void start_and_end(const wh_ctx *parent, int provider, unsigned tree, int depth)
{
    if (!left) return;
    left--;
    const size_t mark = taken();
    const bool literal = one_in(3), root = one_in(20);
    const char *name = literal ? "a literal" : one_in(50) ? NULL : some_name();
    const int kind = (int)below(5);
    const struct values values = some_values(8);
    struct links links;
    char *line;
    size_t size;
    FILE *out = open_memstream(&line, &size);
    some_links(&links);
    if (root) tree = ++trees;

    const int64_t before = wh_now();
    wh_ctx *ctx = literal ? wh_start(parent, "a literal", .kind = kind, .root = root, .attrs = values.attrs,
                                     .links = links.list, .link_count = links.count)
                          : wh_start(parent, name, .kind = kind, .root = root, .attrs = values.attrs,
                                     .links = links.list, .link_count = links.count);
    const int64_t after = wh_now();
    fprintf(out, "{\"span\":{\"provider\":%d,\"tree\":%u,\"kind\":%d,\"start\":", provider, tree, kind);
    put_instant(out, before, after);
    put_start(out, ctx, parent, root);
    fputs(",\"name\":", out);
    put_text(out, name);
    fputs(",\"attrs\":", out);
    put_values(out, &values);
    fputs(",\"links\":[", out);
    for (size_t i = 0; i < links.count; i++) {
        if (i) putc(',', out);
        put_link(out, &links.to[i], &links.values[i]);
    }
    putc(']', out);
    do_things(ctx, provider, tree, depth, out);
    const int64_t end_before = wh_now();
    wh_end(ctx);
    fputs(",\"end\":", out);
    put_instant(out, end_before, wh_now());
    fputs("}}\n", out);
    fclose(out);
    fwrite(line, 1, size, truth);
    free(line);
    give_back(mark);
}

/* ---- what comes from elsewhere ---- */

struct headers {
    char traceparent[64];
    const char *tracestate;
};

static const char *get(void *carrier, const char *name)
{
    struct headers *headers = carrier;
    return strcmp(name, "traceparent") == 0 ? headers->traceparent : strcmp(name, "tracestate") == 0 ? headers->tracestate : NULL;
}

/* Spans below the same remote parent each read the wall clock for themselves. */
static void from_elsewhere(int provider)
{
    struct wh_span_context span = some_span_context(true);
    struct headers headers = {.tracestate = span.tracestate};
    char *p = headers.traceparent;
    if (one_in(8)) span.flags &= WH_RANDOM;
    p += sprintf(p, "00-");
    for (int i = 0; i < 16; i++) p += sprintf(p, "%02x", span.trace_id[i]);
    p += sprintf(p, "-");
    for (int i = 0; i < 8; i++) p += sprintf(p, "%02x", span.span_id[i]);
    sprintf(p, "-%02x", span.flags);
    wh_ctx *from = wh_extract(roots[provider], get, &headers);
    for (uint64_t i = below(3) + 1; i; i--) start_and_end(from, provider, ++trees, 1);
    wh_end(from);
}

/* ---- providers ---- */

static struct wh_exporter *exporter(const char *text)
{
    const char *url = strchr(text, ':');
    const bool gzip = strstr(text, "+gzip:") != NULL;
    if (strncmp(text, "file:", 5) == 0) return wh_file_exporter_new(url + 1);
    if (strncmp(text, "protobuf", 8) == 0) return wh_otlp_exporter_new(url + 1, .gzip = gzip);
    errno = EINVAL;
    return NULL;
}

static void put_provider(int i, const struct wh_limits *l, const char *service, const struct values *resource)
{
    fprintf(truth, "{\"provider\":{\"number\":%d,\"limits\":{\"attributes\":%u,\"events\":%u,\"links\":%u,\"event_attributes\":%u,"
                   "\"link_attributes\":%u,\"value_length\":%u},\"service\":\"%s\",\"resource\":",
            i, l->attributes, l->events, l->links, l->event_attributes, l->link_attributes, l->value_length, service);
    put_values(truth, resource);
    fputs("}}\n", truth);
}

/* The first has the limits that one has without asking. */
static bool open_provider(int i, char **exporters, size_t count)
{
    struct wh_exporter *list[16];
    struct wh_limits limits = {0};
    char service[32];
    const struct values resource = some_values(8);
    snprintf(service, sizeof service, "roundtrip-%d", i);
    if (i)
        limits = (struct wh_limits){.attributes = (uint32_t)below(9), .events = (uint32_t)below(5), .links = (uint32_t)below(4),
            .event_attributes = (uint32_t)below(4), .link_attributes = (uint32_t)below(3),
            .value_length = one_in(2) ? 0 : (uint32_t)below(20)};
    for (size_t k = 0; k < count; k++) {
        list[k] = exporter(exporters[k]);
        if (!list[k]) {
            perror(exporters[k]);
            return false;
        }
    }
    put_provider(i, &limits, service, &resource);
    providers[i] = wh_provider_new(.service = service, .resource = resource.attrs, .limits = limits, .exporters = list,
                                   .exporter_count = count, .max_queue = 1 << 20, .max_batch = (uint32_t)(1 + below(i % 2 ? 20 : 1000)),
                                   .schedule_delay = WH_MS(20));
    roots[i] = wh_provider_root(providers[i]);
    return true;
}

static bool close_provider(int i)
{
    struct wh_provider_stats stats = {.size = sizeof stats};
    wh_end(roots[i]);
    const int error = wh_provider_shutdown(providers[i], WH_SEC(60));
    wh_provider_stats(providers[i], &stats);
    printf("provider %d: %" PRIu64 " started, %" PRIu64 " exported, %s\n", i, stats.started, stats.exported, strerror(error));
    return error == 0 && stats.started == stats.exported;
}

int main(int argc, char **argv)
{
    if (argc < 5 || argc > 20) return fprintf(stderr, "usage: spans SEED COUNT TRUTH EXPORTER...\n"), 2;
    rand_seed(strtoull(argv[1], NULL, 10));
    left = strtoull(argv[2], NULL, 10);
    truth = fopen(argv[3], "w");
    if (!truth) return perror(argv[3]), 1;
    for (int i = 0; i < PROVIDERS; i++)
        if (!open_provider(i, argv + 4, (size_t)argc - 4)) return 1;
    while (left) {
        const int provider = (int)below(PROVIDERS);
        if (one_in(3))
            from_elsewhere(provider);
        else
            start_and_end(roots[provider], provider, ++trees, 0);
    }
    bool ok = true;
    for (int i = 0; i < PROVIDERS; i++) ok &= close_provider(i);
    return fclose(truth) == 0 && ok ? 0 : 1;
}
