/* Makes random spans through the public interface, and writes down what it asked for, so that others can say whether it
 * has arrived.
 *
 *   spans SEED COUNT DEEPEST TRUTH EXPORTER...      EXPORTER: file:PATH, or protobuf, json or grpc, with +gzip
 *                                                   or without, and :URL
 *
 * DEEPEST: arrays and maps within each other. TRUTH gets one JSON object a line: {"scope": ...} and {"provider": ...} for each
 * of these, then {"span": ...} for each span that was started, whoever records it. What is asked for is written as it was
 * asked for: the limits are the reader's business. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "do.h"

enum { PROVIDERS = 5, DEEPEST = 6 };

static FILE *truth;
static wh_provider *providers[PROVIDERS];
static wh_ctx *roots[PROVIDERS];
static uint64_t left;  /* spans to be started */
static unsigned trees; /* spans that share a reading of the wall clock are of one tree */

/* ---- scopes: they stay for ever ---- */

enum { SCOPES = 8 };
static struct wh_scope scopes[SCOPES];

static const char *or_none(const char *text)
{
    return one_in(4) ? NULL : one_in(4) ? "" : text;
}

static void make_scopes(void)
{
    for (int i = 0; i < SCOPES; i++) {
        scopes[i] = (struct wh_scope){.size = sizeof *scopes, .name = or_none(one_in(2) ? "example/db" : some_name()),
            .version = or_none("1.2"), .schema_url = or_none(one_in(2) ? "https://example.com/schemas/1.40" : some_name()),
            .attrs = some_attrs(3)};
        fprintf(truth, "{\"scope\":{\"number\":%d,\"name\":", i);
        put_text(truth, scopes[i].name);
        fputs(",\"version\":", truth);
        put_text(truth, scopes[i].version);
        fputs(",\"schema_url\":", truth);
        put_text(truth, scopes[i].schema_url);
        fputs(",\"attrs\":", truth);
        put_attrs(truth, scopes[i].attrs);
        fputs("}}\n", truth);
    }
}

/* ---- spans ---- */

static void start_and_end(const wh_ctx *parent, int provider, unsigned tree, int depth);

struct links {
    struct wh_link list[3];
    struct wh_span_context to[3];
    struct wh_attrs attrs[3];
    size_t count;
};

static void some_links(struct links *links)
{
    links->count = one_in(4) ? below(4) : 0;
    for (size_t i = 0; i < links->count; i++) {
        links->to[i] = some_span_context(true);
        links->attrs[i] = some_attrs(3);
        links->list[i] = (struct wh_link){&links->to[i], links->attrs[i]};
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

static void put_begin(FILE *out, int provider, unsigned tree, const struct wh_start_opts *opts, int64_t before, int64_t after)
{
    fprintf(out, "{\"span\":{\"provider\":%d,\"tree\":%u,\"kind\":%d,\"scope\":%d,\"start\":", provider, tree, (int)opts->kind,
            opts->scope ? (int)(opts->scope - scopes) : -1);
    put_instant(out, opts->at ? opts->at : before, opts->at ? opts->at : after);
    fputs(",\"name\":", out);
    put_text(out, opts->name);
    fputs(",\"attrs\":", out);
    put_attrs(out, opts->attrs);
}

static void end(wh_ctx *ctx, FILE *out)
{
    const bool given = one_in(4);
    const int64_t at = given ? some_instant() : 0, before = wh_now();
    if (given)
        wh_end_at(ctx, at);
    else
        wh_end(ctx);
    const int64_t after = wh_now();
    fputs(",\"end\":", out);
    put_instant(out, given ? at : before, given ? at : after);
}

static void start_and_end(const wh_ctx *parent, int provider, unsigned tree, int depth)
{
    if (!left) return;
    left--;
    const size_t mark = taken();
    struct links links;
    char *line;
    size_t size;
    FILE *out = open_memstream(&line, &size);
    some_links(&links);
    struct wh_start_opts opts = {.size = sizeof opts, .site = WH_HERE, .name = one_in(50) ? NULL : some_name(), .kind = (int)below(5),
        .root = one_in(20), .attrs = some_attrs(8), .links = links.list, .link_count = links.count,
        .at = one_in(4) ? some_instant() : 0, .scope = one_in(2) ? NULL : &scopes[below(SCOPES)]};
    if (one_in(3)) opts.name = "a literal", opts.literal = strlen(opts.name);
    if (opts.root) tree = ++trees;

    const int64_t before = wh_now();
    wh_ctx *ctx = wh_start_at(parent, &opts);
    put_begin(out, provider, tree, &opts, before, wh_now());
    put_start(out, ctx, parent, opts.root);
    fputs(",\"links\":[", out);
    for (size_t i = 0; i < links.count; i++) {
        if (i) putc(',', out);
        put_link(out, &links.to[i], links.attrs[i]);
    }
    putc(']', out);
    do_things(ctx, provider, tree, depth, out);
    end(ctx, out);
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
    span.flags = (uint8_t)(one_in(6) ? span.flags & WH_RANDOM : span.flags | WH_SAMPLED);
    p += sprintf(p, "00-");
    for (int i = 0; i < 16; i++) p += sprintf(p, "%02x", span.trace_id[i]);
    p += sprintf(p, "-");
    for (int i = 0; i < 8; i++) p += sprintf(p, "%02x", span.span_id[i]);
    sprintf(p, "-%02x", span.flags);
    wh_ctx *from = one_in(2) ? wh_extract(roots[provider], get, &headers) : wh_with_span(roots[provider], &span);
    for (uint64_t i = below(3) + 1; i; i--) start_and_end(from, provider, ++trees, 1);
    wh_end(from);
}

/* ---- providers ---- */

static struct wh_exporter *exporter(const char *text)
{
    static const struct { const char *name; enum wh_otlp_protocol protocol; bool gzip; } kinds[] = {
        {"protobuf:", WH_OTLP_HTTP_PROTOBUF, false}, {"protobuf+gzip:", WH_OTLP_HTTP_PROTOBUF, true}, {"json:", WH_OTLP_HTTP_JSON, false},
        {"json+gzip:", WH_OTLP_HTTP_JSON, true}, {"grpc:", WH_OTLP_GRPC, false}, {"grpc+gzip:", WH_OTLP_GRPC, true}};
    if (strncmp(text, "file:", 5) == 0) return wh_file_exporter_new(text + 5);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strncmp(text, kinds[i].name, strlen(kinds[i].name)) == 0)
            return wh_otlp_exporter_new(text + strlen(kinds[i].name), .protocol = kinds[i].protocol, .gzip = kinds[i].gzip);
    errno = EINVAL;
    return NULL;
}

static void put_provider(int i, const struct wh_limits *l, int scope, const char *service, struct wh_attrs resource)
{
    const struct { const char *name; uint32_t value; } limits[] = {{"attributes", l->attributes}, {"events", l->events},
        {"links", l->links}, {"event_attributes", l->event_attributes}, {"link_attributes", l->link_attributes},
        {"value_length", l->value_length}, {"value_depth", l->value_depth}, {"attribute_count", l->attribute_count},
        {"attribute_value_length", l->attribute_value_length}, {"attribute_value_depth", l->attribute_value_depth}};
    fprintf(truth, "{\"provider\":{\"number\":%d,\"scope\":%d,\"limits\":{", i, scope);
    for (size_t k = 0; k < sizeof limits / sizeof *limits; k++)
        fprintf(truth, "%s\"%s\":%u", k ? "," : "", limits[k].name, limits[k].value);
    fprintf(truth, "},\"service\":\"%s\",\"resource\":", service);
    put_attrs(truth, resource);
    fputs("}}\n", truth);
}

static uint32_t some_limit(uint64_t most)
{
    return one_in(3) ? 0 : one_in(12) ? WH_LIMIT_ZERO : one_in(8) ? UINT32_MAX : (uint32_t)below(most) + 1;
}

/* The first has the limits that one has without asking. */
static bool open_provider(int i, char **exporters, size_t count)
{
    struct wh_exporter *list[16];
    struct wh_limits limits = {0};
    char service[32];
    const int scope = i % 2 ? (int)below(SCOPES) : -1;
    const struct wh_attrs resource = some_attrs(8);
    snprintf(service, sizeof service, "roundtrip-%d", i);
    if (i)
        limits = (struct wh_limits){.attributes = some_limit(9), .events = some_limit(5), .links = some_limit(4),
            .event_attributes = some_limit(4), .link_attributes = some_limit(3), .value_length = some_limit(20),
            .value_depth = some_limit(4), .attribute_count = some_limit(6), .attribute_value_length = some_limit(10),
            .attribute_value_depth = some_limit(3)};
    for (size_t k = 0; k < count; k++) {
        list[k] = exporter(exporters[k]);
        if (!list[k]) {
            perror(exporters[k]);
            return false;
        }
    }
    put_provider(i, &limits, scope, service, resource);
    providers[i] = wh_provider_new(.service = service, .resource = resource, .limits = limits,
                                   .scope = scope < 0 ? NULL : &scopes[scope], .exporters = list, .exporter_count = count,
                                   .max_queue = 1 << 20, .max_batch = (uint32_t)(1 + below(i % 2 ? 20 : 1000)),
                                   .schedule_delay = WH_MS(20));
    roots[i] = wh_provider_root(providers[i]);
    return true;
}

static bool close_provider(int i, size_t count)
{
    struct wh_provider_stats stats = {.size = sizeof stats};
    wh_end(roots[i]);
    const int error = wh_provider_shutdown(providers[i], WH_SEC(60));
    wh_provider_stats(providers[i], &stats);
    printf("provider %d: %" PRIu64 " started, %" PRIu64 " exported, %s\n", i, stats.started, stats.exported, strerror(error));
    return error == 0 && stats.started * count == stats.exported; /* a span counts once for each exporter */
}

int main(int argc, char **argv)
{
    if (argc < 6 || argc > 20) return fprintf(stderr, "usage: spans SEED COUNT DEEPEST TRUTH EXPORTER...\n"), 2;
    rand_seed(strtoull(argv[1], NULL, 10));
    left = strtoull(argv[2], NULL, 10);
    deepest = atoi(argv[3]);
    truth = fopen(argv[4], "w");
    if (!truth || deepest < 1) return perror(argv[4]), 1;
    make_scopes();
    for (int i = 0; i < PROVIDERS; i++)
        if (!open_provider(i, argv + 5, (size_t)argc - 5)) return 1;
    while (left) {
        const int provider = (int)below(PROVIDERS);
        if (one_in(3))
            from_elsewhere(provider);
        else
            start_and_end(roots[provider], provider, ++trees, 0);
    }
    bool ok = true;
    for (int i = 0; i < PROVIDERS; i++) ok &= close_provider(i, (size_t)argc - 5);
    return fclose(truth) == 0 && ok ? 0 : 1;
}
