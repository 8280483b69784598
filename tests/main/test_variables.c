/* The variables one by one: what each sets, with good, empty, bad and impossible values. What a program does with them is looked at
 * from outside by test_environment.py. */
#include <strings.h>

#include "main/environment.h"
#include "main/values.h"
#include "said.h"

/* ---- numbers of structures ---- */

struct row {
    const char *name, *value;
    uint64_t expected;
    bool bad;
};

/* Each row for itself, from an environment without the variable. */
static void check_rows(const struct row *rows, size_t count, uint64_t (*read)(const char *name))
{
    for (size_t i = 0; i < count; i++) {
        set_variable(rows[i].name, rows[i].value);
        const uint64_t number = read(rows[i].name);
        if (number != rows[i].expected)
            fail_msg("%s=%s: %llu", rows[i].name, rows[i].value, (unsigned long long)number);
        assert_said(rows[i].bad, rows[i].name, rows[i].value);
        unsetenv(rows[i].name);
    }
}
#define CHECK_ROWS(rows, read) check_rows(rows, sizeof rows / sizeof *rows, read)

/* ---- limits ---- */

static uint64_t read_limit(const char *name)
{
    struct wh_limits limits = {0};
    const struct { const char *name; const uint32_t *limit; } all[] = {
        {"OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", &limits.attributes},
        {"OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", &limits.value_length},
        {"OTEL_SPAN_EVENT_COUNT_LIMIT", &limits.events},
        {"OTEL_SPAN_LINK_COUNT_LIMIT", &limits.links},
        {"OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", &limits.event_attributes},
        {"OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", &limits.link_attributes},
        {"OTEL_ATTRIBUTE_COUNT_LIMIT", &limits.attribute_count},
        {"OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", &limits.attribute_value_length},
    };
    uint64_t found = 0;
    wh__env_limits(&limits);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (strcmp(all[i].name, name) == 0)
            found = *all[i].limit;
        else
            assert_int_equal(*all[i].limit, 0); /* it sets no other */
    }
    return found;
}

static void check_limit(const char *name)
{
    const struct row rows[] = {
        {name, NULL, 0, false}, {name, "", 0, false}, {name, "1", 1, false}, {name, "128", 128, false},
        {name, "2147483647", INT32_MAX, false}, {name, "0", WH_LIMIT_ZERO, false}, {name, "2147483648", 0, true},
        {name, "-1", 0, true}, {name, "many", 0, true}, {name, "1.5", 0, true},
    };
    CHECK_ROWS(rows, read_limit);
}

static void the_general_limits(void **state)
{
    (void)state;
    check_limit("OTEL_ATTRIBUTE_COUNT_LIMIT");
    check_limit("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT");
}

static void the_limits_of_a_spans_attributes(void **state)
{
    (void)state;
    check_limit("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT");
    check_limit("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT");
}

static void the_limits_of_events_and_links(void **state)
{
    (void)state;
    check_limit("OTEL_SPAN_EVENT_COUNT_LIMIT");
    check_limit("OTEL_SPAN_LINK_COUNT_LIMIT");
}

static void the_limits_of_the_attributes_of_events_and_links(void **state)
{
    (void)state;
    check_limit("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT");
    check_limit("OTEL_LINK_ATTRIBUTE_COUNT_LIMIT");
}

/* What the limits do on a span, by way of a provider that has them from the environment. */
static void limits_from_the_environment_hold_on_spans(void **state)
{
    (void)state;
    static const struct { const char *general, *specific; size_t kept; } table[] = {
        {NULL, NULL, 10}, {"3", NULL, 3}, {NULL, "4", 4}, {"3", "4", 4}, {"3", "", 3}, {"3", "bad", 3}, {"5", "0", 0}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct wh_provider_opts opts = {.size = sizeof opts};
        set_variable("OTEL_ATTRIBUTE_COUNT_LIMIT", table[i].general);
        set_variable("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", table[i].specific);
        wh__env_limits(&opts.limits);
        struct spans spans = spans_begin_with(opts);
        wh_ctx *span = wh_start(spans.root, "work");
        static const char *const keys[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"};
        for (int k = 0; k < 10; k++) wh_set(span, keys[k], k);
        wh_end(span);
        const struct wh_span_view view = span_named(&spans, "work");
        assert_int_equal(view.dropped_attributes, 10 - table[i].kept);
        spans_end(&spans);
    }
}

/* ---- the batch processor ---- */

static uint64_t read_batch(const char *name)
{
    struct wh_provider_opts opts = {.size = sizeof opts};
    wh__env_batch(&opts);
    if (strcmp(name, "OTEL_BSP_MAX_QUEUE_SIZE") == 0) return opts.max_queue;
    if (strcmp(name, "OTEL_BSP_MAX_EXPORT_BATCH_SIZE") == 0) return opts.max_batch;
    if (strcmp(name, "OTEL_BSP_SCHEDULE_DELAY") == 0) return (uint64_t)opts.schedule_delay;
    return (uint64_t)opts.export_timeout;
}

static void the_batch_processor(void **state)
{
    (void)state;
    const struct row rows[] = {
        {"OTEL_BSP_MAX_QUEUE_SIZE", "", 0, false}, {"OTEL_BSP_MAX_QUEUE_SIZE", "100", 100, false},
        {"OTEL_BSP_MAX_QUEUE_SIZE", "0", 0, true}, {"OTEL_BSP_MAX_QUEUE_SIZE", "-5", 0, true},
        {"OTEL_BSP_MAX_QUEUE_SIZE", "lots", 0, true}, {"OTEL_BSP_MAX_QUEUE_SIZE", "4294967297", 0, true},
        {"OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "", 0, false}, {"OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "7", 7, false},
        {"OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "0", 0, true}, {"OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "x", 0, true},
        {"OTEL_BSP_SCHEDULE_DELAY", "", 0, false}, {"OTEL_BSP_SCHEDULE_DELAY", "250", (uint64_t)WH_MS(250), false},
        {"OTEL_BSP_SCHEDULE_DELAY", "0", 1, false}, {"OTEL_BSP_SCHEDULE_DELAY", "-1", 0, true},
        {"OTEL_BSP_SCHEDULE_DELAY", "1s", 0, true},
        {"OTEL_BSP_EXPORT_TIMEOUT", "", 0, false}, {"OTEL_BSP_EXPORT_TIMEOUT", "30000", (uint64_t)WH_SEC(30), false},
        {"OTEL_BSP_EXPORT_TIMEOUT", "0", (uint64_t)WH_NEVER, false}, {"OTEL_BSP_EXPORT_TIMEOUT", "99999999999999999999", 0, true},
    };
    CHECK_ROWS(rows, read_batch);
}

/* ---- record, then decide ---- */

static uint64_t read_keep(const char *name)
{
    struct wh_keep keep = {0};
    wh__env_keep(&keep);
    if (strcmp(name, "WHENCE_KEEP") == 0) return keep.enabled;
    if (strcmp(name, "WHENCE_KEEP_PER_SECOND") == 0) return keep.per_second;
    if (strcmp(name, "WHENCE_KEEP_MEMORY") == 0) return keep.memory;
    if (strcmp(name, "WHENCE_KEEP_SPANS") == 0) return keep.spans;
    if (strcmp(name, "WHENCE_KEEP_EVERY") == 0) return (uint64_t)keep.every;
    return keep.because;
}

static void record_then_decide(void **state)
{
    (void)state;
    const struct row rows[] = {
        {"WHENCE_KEEP", "", 0, false}, {"WHENCE_KEEP", "true", 1, false}, {"WHENCE_KEEP", "False", 0, false},
        {"WHENCE_KEEP", "yes", 0, true},
        {"WHENCE_KEEP_PER_SECOND", "", 0, false}, {"WHENCE_KEEP_PER_SECOND", "50", 50, false},
        {"WHENCE_KEEP_PER_SECOND", "0", 0, true}, {"WHENCE_KEEP_PER_SECOND", "many", 0, true},
        {"WHENCE_KEEP_MEMORY", "1000000", 1000000, false}, {"WHENCE_KEEP_MEMORY", "16M", 0, true},
        {"WHENCE_KEEP_MEMORY", "0", 0, true},
        {"WHENCE_KEEP_SPANS", "7", 7, false}, {"WHENCE_KEEP_SPANS", "-7", 0, true},
        {"WHENCE_KEEP_EVERY", "250", (uint64_t)WH_MS(250), false}, {"WHENCE_KEEP_EVERY", "0", 1, false},
        {"WHENCE_KEEP_EVERY", "1s", 0, true},
        {"WHENCE_KEEP_BECAUSE", "", 0, false}, {"WHENCE_KEEP_BECAUSE", "Late", WH_KEEP_LATE, false},
        {"WHENCE_KEEP_BECAUSE", "cancelled, failed", WH_KEEP_CANCELLED | WH_KEEP_FAILED, false},
        {"WHENCE_KEEP_BECAUSE", "failed,bad", 0, true}, {"WHENCE_KEEP_BECAUSE", "fail", 0, true},
    };
    CHECK_ROWS(rows, read_keep);
}

/* ---- propagators ---- */

static void set_header(void *carrier, const char *name, const char *value)
{
    char *names = carrier;
    (void)value;
    snprintf(names + strlen(names), 200 - strlen(names), "%s ", name);
}

static void propagators_are_a_list_of_names(void **state)
{
    (void)state;
    static const struct { const char *list, *headers; int said; } table[] = {
        {"tracecontext", "traceparent ", 0}, {"b3", "b3 ", 0}, {"B3", "b3 ", 0}, {"none", "", 0}, {"jaeger", "uber-trace-id ", 0},
        {"b3,tracecontext", "b3 traceparent ", 0}, {" b3 , b3 ,", "b3 ", 0}, {"b3multi", "X-B3-TraceId X-B3-SpanId X-B3-Sampled ", 0},
        {"grpc", "grpc-timeout ", 0}, {"baggage", "", 0}, {"tracecontext,xray", "traceparent ", 1}, {"xray", "traceparent whence-timeout ", 1},
        {"", "traceparent whence-timeout ", 0}, {NULL, "traceparent whence-timeout ", 0},
    };
    struct spans spans = spans_begin();
    wh_ctx *span = wh_start(spans.root, "work", .timeout = WH_SEC(100));
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char headers[200] = "";
        wh_set_propagators_named(NULL);
        set_variable("OTEL_PROPAGATORS", table[i].list);
        wh__env_propagators();
        wh_inject(span, set_header, headers);
        if (strcasecmp(headers, table[i].headers) || said_count != table[i].said)
            fail_msg("\"%s\": %s, said %d", table[i].list ? table[i].list : "", headers, said_count);
        if (said_count) assert_said(true, "OTEL_PROPAGATORS", "xray");
    }
    wh_set_propagators_named(NULL);
    wh_end(span);
    spans_end(&spans);
}

static void whether_causes_are_sent_and_accepted(void **state)
{
    (void)state;
    static const struct { const char *send, *accept; bool sends, accepts; int said; } table[] = {
        {NULL, NULL, true, true, 0}, {"", "", true, true, 0}, {"false", NULL, false, true, 0}, {NULL, "False", true, false, 0},
        {"false", "false", false, false, 0}, {"true", "true", true, true, 0}, {"no", NULL, true, true, 1}, {NULL, "0", true, true, 1},
    };
    WH_AUTO wh_ctx *done = wh_with_cancel(NULL);
    wh_cancel(done, WH_SHUTDOWN, NULL);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char field[WH_CAUSE_SIZE];
        wh_set_cause_policy(true, true);
        set_variable("WHENCE_CAUSE_SEND", table[i].send);
        set_variable("WHENCE_CAUSE_ACCEPT", table[i].accept);
        wh__env_causes();
        if ((wh_cause_write(done, field, sizeof field) > 0) != table[i].sends || wh_cause_read(done, "timeout;v=1") != table[i].accepts ||
            said_count != table[i].said)
            fail_msg("row %zu, said %d", i, said_count);
    }
    wh_set_cause_policy(true, false); /* what is not said stays as it is */
    set_variable("WHENCE_CAUSE_SEND", "true");
    set_variable("WHENCE_CAUSE_ACCEPT", NULL);
    wh__env_causes();
    assert_false(wh_cause_read(done, "timeout;v=1"));
    set_variable("WHENCE_CAUSE_SEND", NULL);
    wh_set_cause_policy(true, true);
}

/* ---- how loud ---- */

static void count_line(enum wh_severity severity, const char *line, void *arg)
{
    (void)severity;
    (void)line;
    ++*(int *)arg;
}

static int lines_of_four_levels(void)
{
    int count = 0;
    wh_report_to(count_line, &count);
    wh_report(WH_DEBUG, "x");
    wh_report(WH_INFO, "x");
    wh_report(WH_WARNING, "x");
    wh_report(WH_ERROR, "x");
    wh_report_to(hear, NULL);
    return count;
}

static void the_log_level(void **state)
{
    (void)state;
    static const struct { const char *value; int lines; bool bad; } table[] = {
        {NULL, 3, false}, {"", 3, false}, {"debug", 4, false}, {"trace", 4, false}, {"info", 3, false}, {"INFO", 3, false},
        {"warn", 2, false}, {"Warning", 2, false}, {"error", 1, false}, {"fatal", 0, false}, {"none", 0, false},
        {"loud", 3, true}, {"3", 3, true},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        wh_report_from(WH_INFO);
        set_variable("OTEL_LOG_LEVEL", table[i].value);
        wh__env_log_level();
        assert_said(table[i].bad, "OTEL_LOG_LEVEL", table[i].value);
        assert_int_equal(lines_of_four_levels(), table[i].lines);
    }
}

/* ---- the resource ---- */

static const char *text_of(const wh_resource *resource, const char *key)
{
    static char text[300];
    struct wh_attr_view attr;
    if (!wh_resource_attr(resource, key, &attr)) return NULL;
    snprintf(text, sizeof text, "%.*s", (int)attr.as.string.len, attr.as.string.ptr);
    return text;
}

static void assert_text(const wh_resource *resource, const char *key, const char *expected)
{
    const char *text = text_of(resource, key);
    if (!expected != !text || (text && strcmp(text, expected))) fail_msg("%s is %s", key, text ? text : "not there");
}

static void resource_attributes_are_pairs_and_one_error_discards_all(void **state)
{
    (void)state;
    static const struct { const char *value, *a, *b; bool bad; } table[] = {
        {NULL, NULL, NULL, false}, {"", NULL, NULL, false}, {"a=1", "1", NULL, false}, {"a=1,b=2", "1", "2", false},
        {" a = 1 , b=2 ", "1", "2", false}, {"a=,b=2", "", "2", false}, {"a=1,,b=2,", "1", "2", false}, {",", NULL, NULL, false},
        {"a=x%2Cy%3Dz,b=%C3%A4", "x,y=z", "\xc3\xa4", false}, {"a=1=2", "1=2", NULL, false}, {"a=1,a=2", "2", NULL, false},
        {"%61=1", "1", NULL, false}, {"a=1%20", "1 ", NULL, false},
        {"a", NULL, NULL, true}, {"a=1,b", NULL, NULL, true}, {"=1", NULL, NULL, true}, {"a=1,=2", NULL, NULL, true},
        {"a=1,b=%", NULL, NULL, true}, {"a=1,b=%4", NULL, NULL, true}, {"a=1,b=%zz", NULL, NULL, true}, {"a=%00", NULL, NULL, true},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        set_variable("OTEL_RESOURCE_ATTRIBUTES", table[i].value);
        wh_resource *r = wh__env_resource("orders", NULL);
        assert_said(table[i].bad, "OTEL_RESOURCE_ATTRIBUTES", table[i].value);
        assert_text(r, "a", table[i].a);
        assert_text(r, "b", table[i].b);
        wh_resource_free(r);
    }
}

static void many_resource_attributes_are_all_there(void **state)
{
    (void)state;
    static char text[20000];
    size_t len = 0;
    for (int i = 0; i < 1000; i++) len += (size_t)snprintf(text + len, sizeof text - len, "%sk%d=v%d", i ? "," : "", i, i);
    set_variable("OTEL_RESOURCE_ATTRIBUTES", text);
    wh_resource *r = wh__env_resource("orders", NULL);
    assert_text(r, "k0", "v0");
    assert_text(r, "k999", "v999");
    wh_resource_free(r);
}

static void the_program_is_more_than_the_attributes_and_the_name_more_than_the_program(void **state)
{
    (void)state;
    static const struct { const char *name, *attributes, *program, *expected; } table[] = {
        {NULL, NULL, "program", "program"},
        {"named", NULL, "program", "named"},
        {"", NULL, "program", "program"},
        {NULL, "service.name=listed", "program", "program"},
        {"named", "service.name=listed", "program", "named"},
        {NULL, "service.name=listed", NULL, "listed"},
        {"named", "service.name=listed", NULL, "named"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        set_variable("OTEL_SERVICE_NAME", table[i].name);
        set_variable("OTEL_RESOURCE_ATTRIBUTES", table[i].attributes);
        wh_resource *r = wh__env_resource(table[i].program, "1.4");
        assert_text(r, "service.name", table[i].expected);
        assert_text(r, "service.version", "1.4");
        wh_resource_free(r);
    }
}

static void without_any_name_the_service_is_unknown(void **state)
{
    (void)state;
    wh_resource *r = wh__env_resource(NULL, NULL);
    const char *name = text_of(r, "service.name");
    assert_memory_equal(name, "unknown_service:", 16);
    wh_resource_free(r);
}

static void attributes_of_the_environment_are_more_than_what_is_detected(void **state)
{
    (void)state;
    set_variable("OTEL_RESOURCE_ATTRIBUTES", "host.name=other,service.instance.id=mine,telemetry.sdk.name=whence");
    wh_resource *r = wh__env_resource("orders", NULL);
    assert_text(r, "host.name", "other");
    assert_text(r, "service.instance.id", "mine");
    wh_resource_free(r);
}

static void detectors_are_a_list_of_names(void **state)
{
    (void)state;
    static const struct { const char *value; bool host, process, service, command, bad; } table[] = {
        {NULL, true, true, true, false, false}, {"", true, true, true, false, false}, {"all", true, true, true, false, false},
        {"none", false, false, false, false, false}, {"host", true, false, false, false, false},
        {"HOST, process", true, true, false, false, false}, {"all,command", true, true, true, true, false},
        {"service", false, false, true, false, false}, {"host,,", true, false, false, false, false},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        set_variable("WHENCE_RESOURCE_DETECTORS", table[i].value);
        wh_resource *r = wh__env_resource("orders", NULL);
        assert_said(table[i].bad, "WHENCE_RESOURCE_DETECTORS", table[i].value);
        assert_int_equal(text_of(r, "os.type") != NULL, table[i].host);
        assert_int_equal(text_of(r, "process.executable.name") != NULL, table[i].process);
        assert_int_equal(text_of(r, "service.instance.id") != NULL, table[i].service);
        assert_int_equal(text_of(r, "process.command_line") != NULL, table[i].command);
        wh_resource_free(r);
    }
    set_variable("WHENCE_RESOURCE_DETECTORS", "host,cloud");
    wh_resource *r = wh__env_resource("orders", NULL);
    assert_said(true, "WHENCE_RESOURCE_DETECTORS", "cloud");
    assert_non_null(text_of(r, "os.type"));
    wh_resource_free(r);
}

/* ---- OTLP ---- */

static void assert_same(const char *a, const char *b)
{
    if (!a != !b || (a && strcmp(a, b))) fail_msg("%s, not %s", a ? a : "(none)", b ? b : "(none)");
}

struct pair { const char *all, *traces, *expected; };

/* The texts that are taken as they are: that for traces wins, an empty one is none. */
static void check_texts(const char *all, const char *traces, size_t member)
{
    static const struct pair table[] = {{NULL, NULL, NULL}, {"", "", NULL}, {"x", NULL, "x"}, {NULL, "y", "y"}, {"x", "y", "y"}, {"x", "", "x"}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        set_variable(all, table[i].all);
        set_variable(traces, table[i].traces);
        const struct wh_otlp_opts opts = wh__env_otlp();
        const char *text;
        memcpy(&text, (const char *)&opts + member, sizeof text);
        assert_same(text, table[i].expected);
    }
    unsetenv(all);
    unsetenv(traces);
}
#define CHECK_TEXTS(name, member) \
    check_texts("OTEL_EXPORTER_OTLP_" name, "OTEL_EXPORTER_OTLP_TRACES_" name, offsetof(struct wh_otlp_opts, member))

static void the_endpoints_of_otlp(void **state)
{
    (void)state;
    set_variable("OTEL_EXPORTER_OTLP_ENDPOINT", "http://base:4318");
    set_variable("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "");
    assert_same(wh__env_otlp().endpoint, "http://base:4318");
    assert_same(wh__env_otlp().traces_endpoint, NULL);
    set_variable("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://traces/exactly");
    assert_same(wh__env_otlp().traces_endpoint, "http://traces/exactly");
    set_variable("OTEL_EXPORTER_OTLP_ENDPOINT", "");
    assert_same(wh__env_otlp().endpoint, NULL);
}

static void the_headers_of_otlp(void **state)
{
    (void)state;
    CHECK_TEXTS("HEADERS", headers);
}

static void the_certificates_of_otlp(void **state)
{
    (void)state;
    CHECK_TEXTS("CERTIFICATE", certificate);
    CHECK_TEXTS("CLIENT_KEY", client_key);
    CHECK_TEXTS("CLIENT_CERTIFICATE", client_certificate);
}

static void the_protocol_of_otlp(void **state)
{
    (void)state;
    static const struct { const char *all, *traces; int64_t expected; int said; } table[] = {
        {NULL, NULL, WH_OTLP_HTTP_PROTOBUF, 0}, {"", "", WH_OTLP_HTTP_PROTOBUF, 0}, {"grpc", NULL, WH_OTLP_GRPC, 0},
        {"GRPC", NULL, WH_OTLP_GRPC, 0}, {"http/json", NULL, WH_OTLP_HTTP_JSON, 0}, {"grpc", "http/protobuf", WH_OTLP_HTTP_PROTOBUF, 0},
        {"grpc", "http/json", WH_OTLP_HTTP_JSON, 0}, {"http", NULL, WH_OTLP_HTTP_PROTOBUF, 1}, {"grpc", "thrift", WH_OTLP_GRPC, 1},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        set_variable("OTEL_EXPORTER_OTLP_PROTOCOL", table[i].all);
        set_variable("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", table[i].traces);
        assert_int_equal(wh__env_otlp().protocol, table[i].expected);
        assert_int_equal(said_count, table[i].said);
    }
}

static void otlp_without_tls(void **state)
{
    (void)state;
    static const struct { const char *all, *traces; bool insecure; int said; } table[] = {
        {NULL, NULL, false, 0}, {"", "", false, 0}, {"true", NULL, true, 0}, {"true", "false", false, 0}, {"false", "TRUE", true, 0},
        {"1", NULL, false, 1}, {"true", "no", true, 1},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        set_variable("OTEL_EXPORTER_OTLP_INSECURE", table[i].all);
        set_variable("OTEL_EXPORTER_OTLP_TRACES_INSECURE", table[i].traces);
        assert_int_equal(wh__env_otlp().insecure, table[i].insecure);
        assert_int_equal(said_count, table[i].said);
    }
}

static void the_sampler(void **state)
{
    (void)state;
    static const struct { const char *name, *arg, *begins; int said; } table[] = {
        {NULL, NULL, NULL, 0}, {"", "0.5", NULL, 0}, {NULL, "nonsense", NULL, 0}, {"always_on", NULL, "AlwaysOnSampler", 0},
        {"ALWAYS_OFF", NULL, "AlwaysOffSampler", 0}, {"traceidratio", NULL, "TraceIdRatioBased{1.000000}", 0},
        {"traceidratio", "0.25", "TraceIdRatioBased{0.250000}", 0}, {"traceidratio", "1.1", "TraceIdRatioBased{1.000000}", 1},
        {"traceidratio", "half", "TraceIdRatioBased{1.000000}", 1}, {"always_on", "half", "AlwaysOnSampler", 0},
        {"parentbased_always_on", NULL, "ParentBased{root:AlwaysOnSampler", 0}, {"parentbased_always_off", NULL, "ParentBased{root:AlwaysOffSampler", 0},
        {"parentbased_traceidratio", "0.5", "ParentBased{root:TraceIdRatioBased{0.500000}", 0}, {"sometimes", NULL, NULL, 1},
        {"xray", NULL, NULL, 1}, {"jaeger_remote", NULL, NULL, 1}, /* which is not linked here, and that is said */ {"parentbased_", NULL, NULL, 1},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char text[300] = "";
        set_variable("OTEL_TRACES_SAMPLER_ARG", table[i].arg);
        set_variable("OTEL_TRACES_SAMPLER", table[i].name);
        struct wh_sampler *sampler = wh__env_sampler("orders");
        if (!sampler != !table[i].begins) fail_msg("%s", table[i].name ? table[i].name : "(unset)");
        if (sampler) wh_sampler_description(sampler, text, sizeof text);
        if (sampler && strncmp(text, table[i].begins, strlen(table[i].begins))) fail_msg("%s is %s", table[i].name, text);
        assert_int_equal(said_count, table[i].said);
        wh_sampler_free(sampler);
    }
}

static void the_argument_of_jaegers_sampler(void **state)
{
    (void)state;
    static const struct { const char *text, *endpoint; int64_t interval; double initial; bool good; } table[] = {
        {"endpoint=http://localhost:5778,pollingIntervalMs=5000,initialSamplingRate=0.25", "http://localhost:5778", WH_SEC(5), 0.25, true},
        {"", NULL, 0, -1, true}, {" pollingIntervalMs = 10 ", NULL, WH_MS(10), -1, true}, {"initialSamplingRate=0,", NULL, 0, 0, true},
        {"endpoint", NULL, 0, -1, false}, {"endpoint=", NULL, 0, -1, false}, {"pollingIntervalMs=0", NULL, 0, -1, false},
        {"pollingIntervalMs=5s", NULL, 0, -1, false}, {"initialSamplingRate=2", NULL, 0, -1, false}, {"rate=1", NULL, 0, -1, false},
        {"0.25", NULL, 0, -1, false},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char text[200];
        struct wh__jaeger_arg arg;
        strcpy(text, table[i].text);
        assert_int_equal(wh__parse_jaeger(text, &arg), table[i].good);
        if (!table[i].good) continue;
        assert_same(arg.endpoint, table[i].endpoint);
        assert_true(arg.interval == table[i].interval && arg.initial == table[i].initial);
    }
}

static void the_timeout_of_otlp(void **state)
{
    (void)state;
    static const struct { const char *all, *traces; int64_t expected; int said; } table[] = {
        {NULL, NULL, 0, 0}, {"", "", 0, 0}, {"1500", NULL, WH_MS(1500), 0}, {"1500", "20", WH_MS(20), 0}, {NULL, "0", WH_NEVER, 0},
        {"1500", "soon", WH_MS(1500), 1}, {"-1", "-2", 0, 2}, {"1500", "", WH_MS(1500), 0},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        set_variable("OTEL_EXPORTER_OTLP_TIMEOUT", table[i].all);
        set_variable("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", table[i].traces);
        assert_true(wh__env_otlp().timeout == table[i].expected);
        assert_int_equal(said_count, table[i].said);
    }
}

static void the_compression_of_otlp(void **state)
{
    (void)state;
    static const struct { const char *all, *traces; bool gzip; int said; } table[] = {
        {NULL, NULL, false, 0}, {"gzip", NULL, true, 0}, {"GZIP", NULL, true, 0}, {"none", NULL, false, 0}, {"gzip", "none", false, 0},
        {"none", "gzip", true, 0}, {"gzip", "", true, 0}, {"zstd", NULL, false, 1}, {"gzip", "brotli", true, 1},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        set_variable("OTEL_EXPORTER_OTLP_COMPRESSION", table[i].all);
        set_variable("OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", table[i].traces);
        assert_int_equal(wh__env_otlp().gzip, table[i].gzip);
        assert_int_equal(said_count, table[i].said);
    }
}

/* ---- exporters ---- */

/* The names of what the list makes; "otlp" is not linked to this program, which is said. */
static const char *exporters_of(const char *list)
{
    static char names[200];
    struct wh__exporters exporters = {.count = 0};
    set_variable("OTEL_TRACES_EXPORTER", list);
    wh__env_exporters(&exporters);
    names[0] = '\0';
    for (size_t i = 0; i < exporters.count; i++) {
        snprintf(names + strlen(names), sizeof names - strlen(names), "%s ", exporters.list[i]->name);
        wh_exporter_free(exporters.list[i]);
    }
    return names;
}

static void exporters_are_a_list_of_names(void **state)
{
    (void)state;
    static const struct { const char *list, *names; int said; } table[] = {
        {"console", "console ", 0}, {"CONSOLE", "console ", 0}, {"otlp/stdout", "file ", 0}, {"none", "", 0},
        {"console,otlp/stdout", "console file ", 0}, {" console , otlp/stdout ", "console file ", 0},
        {"console,console", "console ", 0}, {"console,,", "console ", 0}, {"none,console", "console ", 0},
        {"console,zipkin", "console ", 1}, {"console,logging", "console ", 1},
        {"otlp", "", 1}, {NULL, "", 1}, {"", "", 1},      /* the line says that otlp is not linked */
        {"zipkin", "", 2}, {"jaeger", "", 2}, {",", "", 1}, /* not understood: the default, which is otlp */
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const char *names = exporters_of(table[i].list);
        if (strcmp(names, table[i].names) || said_count != table[i].said)
            fail_msg("\"%s\": %s, said %d", table[i].list ? table[i].list : "", names, said_count);
    }
}

static void a_file_of_traces_may_be_limited(void **state)
{
    (void)state;
    static const struct { const char *bytes, *files; int said; } table[] = {
        {NULL, NULL, 0}, {"", "", 0}, {"1000000", "3", 0}, {"0", NULL, 1}, {"-1", NULL, 1}, {"1M", NULL, 1}, {NULL, "0", 1}, {"100", "few", 1},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        set_variable("WHENCE_TRACES_FILE", "/dev/null");
        set_variable("WHENCE_TRACES_FILE_MAX_BYTES", table[i].bytes);
        set_variable("WHENCE_TRACES_FILE_MAX_FILES", table[i].files);
        assert_string_equal(exporters_of("none"), "file ");
        assert_int_equal(said_count, table[i].said);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HEARING(the_general_limits),
        HEARING(the_limits_of_a_spans_attributes),
        HEARING(the_limits_of_events_and_links),
        HEARING(the_limits_of_the_attributes_of_events_and_links),
        HEARING(limits_from_the_environment_hold_on_spans),
        HEARING(the_batch_processor),
        HEARING(record_then_decide),
        HEARING(propagators_are_a_list_of_names),
        HEARING(whether_causes_are_sent_and_accepted),
        HEARING(the_log_level),
        HEARING(resource_attributes_are_pairs_and_one_error_discards_all),
        HEARING(many_resource_attributes_are_all_there),
        HEARING(the_program_is_more_than_the_attributes_and_the_name_more_than_the_program),
        HEARING(without_any_name_the_service_is_unknown),
        HEARING(attributes_of_the_environment_are_more_than_what_is_detected),
        HEARING(detectors_are_a_list_of_names),
        HEARING(the_endpoints_of_otlp),
        HEARING(the_headers_of_otlp),
        HEARING(the_certificates_of_otlp),
        HEARING(the_protocol_of_otlp),
        HEARING(otlp_without_tls),
        HEARING(the_sampler),
        HEARING(the_argument_of_jaegers_sampler),
        HEARING(the_timeout_of_otlp),
        HEARING(the_compression_of_otlp),
        HEARING(exporters_are_a_list_of_names),
        HEARING(a_file_of_traces_may_be_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
