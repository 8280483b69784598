/* Sends spans to a collector, as told, and says what became of them.
 *
 *   otlp_send SERVICE COUNT [OPTION=VALUE]...
 *
 * Options: endpoint, protocol (grpc, http/protobuf, http/json), certificate, client_key, client_certificate, unix_socket,
 * headers, user_agent: text; gzip, insecure: 1; max_request, huge (bytes of an attribute on the span in the middle), bytes (of
 * one on every span), pause (milliseconds after every tenth span, and a flush): numbers. One line on standard output: "made exported dropped", or "not made"; and what the
 * library says on standard error. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <whence/whence.h>

static struct wh_otlp_opts opts = {.size = sizeof opts};
static const char *huge = "0", *bytes = "0", *pause_ms = "0";

static int64_t protocol_of(const char *name)
{
    if (strcmp(name, "grpc") == 0) return WH_OTLP_GRPC;
    return strcmp(name, "http/json") == 0 ? WH_OTLP_HTTP_JSON : WH_OTLP_HTTP_PROTOBUF;
}

static void take_option(char *option)
{
    const struct { const char *name; const char **text; } texts[] = {
        {"endpoint", &opts.endpoint}, {"certificate", &opts.certificate}, {"client_key", &opts.client_key},
        {"client_certificate", &opts.client_certificate}, {"unix_socket", &opts.unix_socket}, {"headers", &opts.headers},
        {"user_agent", &opts.user_agent}, {"huge", &huge}, {"bytes", &bytes}, {"pause", &pause_ms}};
    char *value = option;
    const char *name = strsep(&value, "=");
    if (!value) exit(2);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (strcmp(texts[i].name, name) == 0) *texts[i].text = value;
    if (strcmp(name, "protocol") == 0) opts.protocol = protocol_of(value);
    if (strcmp(name, "gzip") == 0) opts.gzip = true;
    if (strcmp(name, "insecure") == 0) opts.insecure = true;
    if (strcmp(name, "max_request") == 0) opts.max_request = strtoul(value, NULL, 10);
}

/* Random digits: what repeats would be nothing after compression. */
static void set_padding(const wh_ctx *ctx, size_t size)
{
    char *text = calloc(1, size + 1);
    if (!text) exit(2);
    for (size_t i = 0; i < size; i++) text[i] = (char)('a' + random() % 26);
    if (size) wh_set(ctx, "padding", text);
    free(text);
}

static void make_spans(wh_provider *provider, const wh_ctx *root, unsigned long count)
{
    const unsigned long pause = strtoul(pause_ms, NULL, 10);
    WH_AUTO wh_ctx *batch = wh_start(root, "batch", .kind = WH_PRODUCER);
    for (unsigned long i = 1; i < count; i++) {
        WH_AUTO wh_ctx *ctx = wh_start(batch, "item", .kind = WH_INTERNAL);
        wh_set(ctx, "number", i);
        wh_set(ctx, "text", "gr\xc3\xbc\xc3\x9f dich");
        wh_event(ctx, "seen", .attrs = WH_ATTRS(wh_attr("half", (double)i / 2)));
        set_padding(ctx, strtoul(i == count / 2 ? huge : bytes, NULL, 10));
        if (pause == 0 || i % 10) continue;
        wh_provider_flush(provider, WH_SEC(60));
        wh_sleep(NULL, WH_MS(pause));
    }
}

int main(int argc, char **argv)
{
    if (argc < 3) return 2;
    for (int i = 3; i < argc; i++) take_option(argv[i]);
    struct wh_exporter *otlp = wh_otlp_exporter_new_at(&opts);
    if (!otlp) {
        puts("not made");
        return 0;
    }
    struct wh_provider_stats stats = {.size = sizeof stats};
    wh_provider *provider = wh_provider_new(.service = argv[1], .exporters = &otlp, .exporter_count = 1,
        .max_queue = 100000, .schedule_delay = WH_MIN(10));
    wh_ctx *root = wh_provider_root(provider);
    make_spans(provider, root, strtoul(argv[2], NULL, 10));
    wh_end(root);
    wh_provider_shutdown(provider, WH_SEC(60));
    wh_provider_stats(provider, &stats);
    printf("%llu %llu %llu\n", (unsigned long long)stats.started, (unsigned long long)stats.exported,
        (unsigned long long)stats.dropped_export);
    return 0;
}
