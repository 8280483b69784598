/* The file exporter: lines against golden/otlp.jsonl, against Python's reader of JSON, and against files that
 * misbehave. */
#include <errno.h>
#include <fcntl.h>
#include <float.h>
#include <dirent.h>
#include <math.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "exporters/json.h"
#include "test.h"
#include "trace/wire.h"

/* ---- encoding ---- */

struct bytes {
    uint8_t bytes[65536];
    size_t len;
};

static struct bytes *put_len(struct bytes *b, unsigned field, const void *bytes, size_t len)
{
    b->len = (size_t)(wh__put_bytes(b->bytes + b->len, field, bytes, len) - b->bytes);
    return b;
}

static struct bytes *put_text(struct bytes *b, unsigned field, const char *text)
{
    return put_len(b, field, text, strlen(text));
}

static struct bytes *put_in(struct bytes *b, unsigned field, const struct bytes *inner)
{
    return put_len(b, field, inner->bytes, inner->len);
}

static struct bytes *put_varint(struct bytes *b, unsigned field, uint64_t value)
{
    b->bytes[b->len++] = WH__TAG(field, WH__VARINT);
    b->len = (size_t)(wh__put_varint(b->bytes + b->len, value) - b->bytes);
    return b;
}

static struct bytes *put_fixed64(struct bytes *b, unsigned field, uint64_t value)
{
    b->bytes[b->len++] = WH__TAG(field, WH__FIXED64);
    b->len = (size_t)(wh__put_fixed64(b->bytes + b->len, value) - b->bytes);
    return b;
}

static struct bytes *put_double(struct bytes *b, unsigned field, double value)
{
    uint64_t word;
    memcpy(&word, &value, sizeof word);
    return put_fixed64(b, field, word);
}

/* A tag of field 16 is two bytes. */
static struct bytes *put_span_flags(struct bytes *b, uint32_t flags)
{
    b->bytes[b->len++] = 0x85;
    b->bytes[b->len++] = 0x01;
    b->len = (size_t)(wh__put_fixed32(b->bytes + b->len, flags) - b->bytes);
    return b;
}

static void put_attr(struct bytes *b, unsigned field, const char *key, const struct bytes *value)
{
    struct bytes attr = {.len = 0};
    put_text(&attr, WH__KEY, key);
    if (value) put_in(&attr, WH__VALUE_OF_KEY, value);
    put_in(b, field, &attr);
}

static void put_text_attr(struct bytes *b, unsigned field, const char *key, const char *text)
{
    struct bytes value = {.len = 0};
    put_attr(b, field, key, put_text(&value, WH__ANY_STRING, text));
}

/* Every type of value there is, and values that are odd. */
static void put_every_value(struct bytes *b, unsigned field)
{
    const struct { const char *key; double value; } reals[] = {
        {"tenth", 0.1}, {"third", 1.0 / 3}, {"large", 1e22}, {"largest", DBL_MAX}, {"least", 5e-324}, {"whole", 5},
         {"minus zero", -0.0},
        {"not a number", NAN}, {"infinite", INFINITY}, {"minus infinite", -INFINITY},
    };
    struct bytes v = {.len = 0}, list = {.len = 0}, map = {.len = 0};
    put_text_attr(b, field, "text", "plain, naïve, 価格, \xf0\x9f\x92\xb6");
    put_text_attr(b, field, "escapes", "\"\\/\b\f\n\r\t\x01\x1f\x7f \xc2\x85 \xe2\x80\xa8");
    put_text_attr(b, field, "malformed",
        "a\xff" "b\xc0\x80" "c\xe2\x82" "d\xed\xa0\x80" "e\xf4\x90\x80\x80\xf0\x9f\x92");
    put_text_attr(b, field, "", "");
    put_attr(b, field, "yes", put_varint(&v, WH__ANY_BOOL, 1));
    v.len = 0, put_attr(b, field, "no", put_varint(&v, WH__ANY_BOOL, 0));
    v.len = 0, put_attr(b, field, "smallest", put_varint(&v, WH__ANY_INT, (uint64_t)INT64_MIN));
    v.len = 0, put_attr(b, field, "biggest", put_varint(&v, WH__ANY_INT, INT64_MAX));
    for (size_t i = 0; i < sizeof reals / sizeof *reals; i++)
        v.len = 0, put_attr(b, field, reals[i].key, put_double(&v, WH__ANY_DOUBLE, reals[i].value));
    for (size_t len = 0; len <= 4; len++) v.len = 0, put_attr(b, field, "bytes", put_len(&v, WH__ANY_BYTES,
        "\xfb\xff\xfe\0", len));
    v.len = 0, put_attr(b, field, "empty", &v);
    put_attr(b, field, "no value", NULL);
    v.len = 0, put_attr(b, field, "the last one holds", put_varint(put_text(&v, WH__ANY_STRING, "not this"),
        WH__ANY_INT, 42));
    v.len = 0, put_attr(b, field, "not known", put_varint(&v, 15, 1));
    v.len = 0, put_attr(b, field, "wrong wire type", put_text(&v, WH__ANY_INT, "5"));
    v.len = 0, put_in(&list, 1, put_varint(&v, WH__ANY_INT, 1));
    v.len = 0, put_in(&list, 1, put_text(&v, WH__ANY_STRING, "two"));
    v.len = 0, put_in(&list, 1, &v);
    v.len = 0, put_attr(b, field, "list", put_in(&v, WH__ANY_ARRAY, &list));
    put_attr(&map, 1, "the list", &v);
    put_text_attr(&map, 1, "a text", "in a map");
    v.len = 0, put_attr(b, field, "map", put_in(&v, WH__ANY_MAP, &map));
    list.len = 0;
    v.len = 0, put_attr(b, field, "empty list", put_in(&v, WH__ANY_ARRAY, &list));
    v.len = 0, put_attr(b, field, "empty map", put_in(&v, WH__ANY_MAP, &list));
}

static void put_ids(struct bytes *b)
{
    put_len(b, WH__SPAN_TRACE_ID, "\x4b\xf9\x2f\x35\x77\xb3\x4d\xa6\xa3\xce\x92\x9d\x0e\x0e\x47\x36", 16);
    put_len(b, WH__SPAN_ID, "\x00\xf0\x67\xaa\x0b\xa9\x02\xb7", 8);
}

/* Every field there is, those that repeat not all together. */
static void put_everything(struct bytes *b)
{
    struct bytes event = {.len = 0}, link = {.len = 0}, status = {.len = 0};
    put_ids(b);
    put_text(b, WH__SPAN_TRACESTATE, "vendor=1,other=2");
    put_len(b, WH__SPAN_PARENT, "\x01\x02\x03\x04\x05\x06\x07\x08", 8);
    put_text(b, WH__SPAN_NAME, "GET /order/{id}");
    put_varint(b, WH__SPAN_KIND, 2);
    put_fixed64(b, WH__SPAN_START, UINT64_C(1789992391204000001));
    put_fixed64(b, WH__SPAN_END, UINT64_MAX);
    put_text_attr(b, WH__SPAN_ATTRIBUTE, "first", "1");
    put_fixed64(&event, WH__EVENT_TIME, UINT64_C(1789992391204000002));
    put_text(&event, WH__EVENT_NAME, "whence.cancel.received");
    put_text_attr(&event, WH__EVENT_ATTRIBUTE, "whence.cancel.reason", "client_gone");
    put_varint(&event, WH__EVENT_DROPPED, 1);
    put_in(b, WH__SPAN_EVENT, &event);
    put_every_value(b, WH__SPAN_ATTRIBUTE);
    put_len(&link, WH__LINK_TRACE_ID, "\xff\xf9\x2f\x35\x77\xb3\x4d\xa6\xa3\xce\x92\x9d\x0e\x0e\x47\x36", 16);
    put_len(&link, WH__LINK_SPAN_ID, "\xff\xf0\x67\xaa\x0b\xa9\x02\xb7", 8);
    put_text(&link, WH__LINK_TRACESTATE, "a=b");
    put_text_attr(&link, WH__LINK_ATTRIBUTE, "why", "because");
    put_varint(&link, WH__LINK_DROPPED, 2);
    link.bytes[link.len++] = WH__TAG(WH__LINK_FLAGS, WH__FIXED32);
    link.len = (size_t)(wh__put_fixed32(link.bytes + link.len, 0x301) - link.bytes);
    put_in(b, WH__SPAN_LINK, &link);
    event.len = 0;
    put_in(b, WH__SPAN_EVENT, &event);
    put_varint(b, WH__SPAN_DROPPED_ATTRIBUTES, 3);
    put_varint(b, WH__SPAN_DROPPED_EVENTS, 4);
    put_varint(b, WH__SPAN_DROPPED_LINKS, UINT32_MAX);
    put_in(b, WH__SPAN_STATUS, put_varint(put_text(&status, WH__STATUS_MESSAGE, "deadline of 2 s exceeded"),
        WH__STATUS_CODE, 2));
    put_span_flags(b, 0x303);
    put_varint(b, 15 + 0, 1); /* `status` under a wrong wire type */
}

/* ---- exporting ---- */

static struct wh_bytes of(const struct bytes *b)
{
    return (struct wh_bytes){b->bytes, b->len};
}

static int export_spans(struct wh_exporter *file, const struct wh_bytes *spans, size_t count, int64_t deadline,
    size_t *rejected)
{
    static struct bytes resource, scope;
    resource.len = scope.len = 0;
    put_text_attr(&resource, WH__RESOURCE_ATTRIBUTE, "service.name", "orders");
    put_varint(&resource, 2, 7);
    put_text(put_text(&scope, WH__SCOPE_NAME, "whence"), WH__SCOPE_VERSION, "0.1.0");
    put_text_attr(&scope, WH__SCOPE_ATTRIBUTE, "scoped", "yes");
    put_varint(&scope, 4, 8);
    const struct wh_batch batch = {.size = sizeof batch, .resource = of(&resource), .scope = of(&scope),
        .spans = spans, .count = count};
    *rejected = 0;
    return file->export_batch(file, &batch, deadline, rejected);
}

/* One small span. */
static int export_small(struct wh_exporter *file, int64_t deadline)
{
    static struct bytes b;
    size_t rejected;
    b.len = 0;
    put_ids(&b);
    const struct wh_bytes span = of(put_text(&b, WH__SPAN_NAME, "small"));
    return export_spans(file, &span, 1, deadline, &rejected);
}

/* A line of about `size` bytes. */
static int export_large(struct wh_exporter *file, size_t size, int64_t deadline)
{
    static struct bytes b;
    static char name[60000];
    struct wh_bytes spans[16];
    size_t rejected, count = size / 50000 + 1;
    memset(name, 'x', sizeof name);
    name[size < 50000 ? size : 50000] = '\0';
    b.len = 0;
    put_ids(&b);
    spans[0] = of(put_text(&b, WH__SPAN_NAME, name));
    for (size_t i = 1; i < count; i++) spans[i] = spans[0];
    return export_spans(file, spans, count, deadline, &rejected);
}

/* ---- files ---- */

static char folder[] = "/tmp/whence-file-XXXXXX";
static char path[64];

static const char *in_folder(const char *name)
{
    snprintf(path, sizeof path, "%s/%s", folder, name);
    unlink(path);
    return path;
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    for (const char *const *name = (const char *const[]){"lines", "fifo", "shared",
        NULL}; *name; name++) in_folder(*name);
    return rmdir(folder);
}

static char content[8 << 20];

static const char *read_file(const char *name)
{
    FILE *file = fopen(name, "r");
    if (!file) fail_msg("%s: %s", name, strerror(errno));
    content[fread(content, 1, sizeof content - 1, file)] = '\0';
    fclose(file);
    return content;
}

/* Python reads every line, and knows the OTLP JSON encoding by heart. Prints how many lines and spans there are. */
static const char checker[] =
    "import json, re, sys\n"
    "class Bad(Exception): pass\n"
    "def need(ok, what):\n"
    "    if not ok: raise Bad(what)\n"
    "text = lambda v: need(isinstance(v, str), v)\n"
    "u32 = lambda v: need(type(v) is int and 0 <= v < 2**32, v)\n"
    "digits = lambda v: need(isinstance(v, str) and re.fullmatch('-?[0-9]+', v), v)\n"
    "def hexed(n): return lambda v: need(isinstance(v, str) and re.fullmatch('[0-9a-f]{%d}' % n, v), v)\n"
    "def many(f): return lambda v: (need(isinstance(v, list) and v, v), [f(x) for x in v])\n"
    "def obj(**fields):\n"
    "    def check(v):\n"
    "        need(isinstance(v, dict), v)\n"
    "        for k in v:\n"
    "            need(k in fields, k)\n"
    "            fields[k](v[k])\n"
    "    return check\n"
    "base64 = '([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?'\n"
    "def value(v):\n"
    "    need(len(v) <= 1, v)\n"
    "    obj(stringValue=text, boolValue=lambda b: need(type(b) is bool, b), intValue=digits,\n"
    "        doubleValue=lambda d: need(type(d) in (int, float) or d in ('NaN', 'Infinity', '-Infinity'), d),\n"
    "        arrayValue=obj(values=many(value)), kvlistValue=obj(values=attrs),\n"
    "        bytesValue=lambda b: need(re.fullmatch(base64, b), b))(v)\n"
    "def attrs(v): many(obj(key=text, value=value))(v)\n"
    "code = lambda v: need(type(v) is int, v)\n"
    "span = obj(traceId=hexed(32), spanId=hexed(16), parentSpanId=hexed(16), traceState=text, flags=u32,\n"
    "    name=text, kind=code,\n"
    "    startTimeUnixNano=digits, endTimeUnixNano=digits, attributes=attrs, droppedAttributesCount=u32,\n"
    "    events=many(obj(timeUnixNano=digits, name=text, attributes=attrs, droppedAttributesCount=u32)),\n"
    "    links=many(obj(traceId=hexed(32), spanId=hexed(16), traceState=text, attributes=attrs,\n"
    "        droppedAttributesCount=u32, flags=u32)), droppedEventsCount=u32,\n"
    "    droppedLinksCount=u32, status=obj(message=text, code=code))\n"
    "line = obj(resourceSpans=many(obj(resource=obj(attributes=attrs, droppedAttributesCount=u32),\n"
    "    scopeSpans=many(obj(\n"
    "    scope=obj(name=text, version=text, attributes=attrs, droppedAttributesCount=u32), spans=many(span))))))\n"
    "def no(c): raise Bad(c)\n"
    "raw = open(sys.argv[1], 'rb').read().decode('utf-8')\n"
    "need(raw.endswith('\\n') and raw.count('\\n') == len(raw.splitlines()), 'line ends')\n"
    "spans = 0\n"
    "for l in raw.split('\\n')[:-1]:\n"
    "    v = json.loads(l, parse_constant=no)\n"
    "    line(v)\n"
    "    spans += sum(len(s['spans']) for r in v['resourceSpans'] for s in r['scopeSpans'])\n"
    "print(raw.count('\\n'), spans)\n";

static void assert_readable(const char *name, long lines, long spans)
{
    char script[64], command[256];
    long found_lines = -1, found_spans = -1;
    snprintf(script, sizeof script, "%s/check.py", folder);
    FILE *file = fopen(script, "w");
    assert_non_null(file);
    fputs(checker, file);
    fclose(file);
    snprintf(command, sizeof command, "python3 %s %s", script, name);
    FILE *answer = popen(command, "r");
    assert_non_null(answer);
    assert_int_equal(fscanf(answer, "%ld %ld", &found_lines, &found_spans), 2);
    assert_int_equal(pclose(answer), 0);
    unlink(script);
    assert_int_equal(found_lines, lines);
    assert_int_equal(found_spans, spans);
}

/* ---- the encoding ---- */

static void every_field_and_every_value_is_written(void **state)
{
    (void)state;
    static struct bytes everything, bare, nothing;
    everything.len = bare.len = nothing.len = 0;
    put_everything(&everything);
    put_ids(&bare);
    const struct wh_bytes spans[] = {of(&everything), of(&bare), of(&nothing)};
    size_t rejected;
    struct wh_exporter *file = wh_file_exporter_new(in_folder("lines"));
    assert_non_null(file);
    assert_int_equal(export_spans(file, spans, 3, WH_NEVER, &rejected), 0);
    assert_int_equal(rejected, 0);
    assert_int_equal(export_spans(file, spans + 1, 1, WH_NEVER, &rejected), 0);
    wh_exporter_free(file);
    assert_readable(path, 2, 4);
    read_file(path);
    static char expected[65536];
    const bool write = getenv("WHENCE_GOLDEN_WRITE");
    FILE *golden = fopen(GOLDEN "/otlp.jsonl", write ? "w" : "r");
    assert_non_null(golden);
    if (write) fputs(content, golden);
    expected[write ? 0 : fread(expected, 1, sizeof expected - 1, golden)] = '\0';
    fclose(golden);
    if (write) fail_msg("golden/otlp.jsonl was written; look at it");
    assert_string_equal(content, expected);
}

static void doubles_are_as_short_as_they_can_be_and_read_back(void **state)
{
    (void)state;
    const struct { double value; const char *text; } known[] = {
        {0, "0"}, {1, "1"}, {0.1, "0.1"}, {300, "300"}, {41.2, "41.2"}, {1e22, "1e+22"}, {1.0 / 3,
         "0.3333333333333333"},
        {5e-324, "4.94065645841247e-324"}, {0.1 + 0.2, "0.30000000000000004"},
    };
    struct wh__json json = {0};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        json.len = 0;
        wh__json_double(&json, known[i].value);
        wh__json_put(&json, "");
        assert_int_equal(json.len, strlen(known[i].text));
        assert_memory_equal(json.buf, known[i].text, json.len);
    }
    uint64_t word = 42;
    for (int i = 0; i < 20000; i++) {
        double value;
        char text[64] = "";
        word = word * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        memcpy(&value, &word, sizeof value);
        if (!isfinite(value)) continue;
        json.len = 0;
        wh__json_double(&json, value);
        memcpy(text, json.buf, json.len);
        const double back = strtod(text, NULL);
        assert_memory_equal(&back, &value, sizeof value);
    }
    wh__json_free(&json);
}

/* One level more than is read, and a hundred times as many. */
static void deep_values_end_in_an_empty_one(void **state)
{
    (void)state;
    static struct bytes value, outer, b;
    for (int levels = 60; levels <= 6000; levels += levels < 68 ? 1 : 2966) {
        value.len = 0;
        put_text(&value, WH__ANY_STRING, "bottom");
        for (int i = 1; i < levels; i++) {
            static struct bytes list;
            list.len = outer.len = 0;
            put_in(&list, 1, &value);
            put_in(&outer, WH__ANY_ARRAY, &list);
            value = outer;
        }
        b.len = 0;
        put_ids(&b);
        put_attr(&b, WH__SPAN_ATTRIBUTE, "deep", &value);
        const struct wh_bytes span = of(&b);
        size_t rejected;
        struct wh_exporter *file = wh_file_exporter_new(in_folder("lines"));
        assert_int_equal(export_spans(file, &span, 1, WH_NEVER, &rejected), 0);
        wh_exporter_free(file);
        const char *text = read_file(path);
        assert_int_equal(strstr(text, "bottom") != NULL, levels <= 64);
        assert_true(strlen(text) < 4096);
    }
    assert_readable(path, 1, 1);
}

static void what_is_no_span_is_left_out_and_counted(void **state)
{
    (void)state;
    static struct bytes b;
    b.len = 0;
    put_ids(&b);
    const struct wh_bytes spans[] = {{b.bytes, b.len - 1}, of(&b), {"\xff", 1}};
    size_t rejected;
    struct wh_exporter *file = wh_file_exporter_new(in_folder("lines"));
    assert_null(file->last_error(file));
    assert_int_equal(export_spans(file, spans, 3, WH_NEVER, &rejected), 0);
    assert_int_equal(rejected, 2);
    assert_non_null(strstr(file->last_error(file), "2 were no spans"));
    assert_int_equal(export_spans(file, spans, 1, WH_NEVER, &rejected), 0);
    assert_int_equal(rejected, 1);
    assert_int_equal(export_spans(file, spans, 0, WH_NEVER, &rejected), 0);
    wh_exporter_free(file);
    assert_readable(path, 1, 1);
}

/* ---- files that misbehave ---- */

static void a_full_device_is_an_error_that_names_it(void **state)
{
    (void)state;
    struct wh_exporter *file = wh_file_exporter_new("/dev/full");
    assert_non_null(file);
    assert_int_equal(export_small(file, WH_NEVER), ENOSPC);
    assert_string_equal(file->last_error(file), "/dev/full: No space left on device");
    assert_int_equal(export_small(file, WH_NEVER), ENOSPC);
    wh_exporter_free(file);
}

static void a_full_device_counts_as_dropped(void **state)
{
    (void)state;
    struct wh_exporter *file = wh_file_exporter_new("/dev/full");
    wh_provider *provider = wh_provider_new(.service = "test", .exporters = &file, .exporter_count = 1);
    wh_ctx *root = wh_provider_root(provider);
    wh_end(wh_start(root, "lost"));
    assert_int_equal(wh_provider_flush(provider, WH_SEC(10)), EIO);
    struct wh_provider_stats stats = {.size = sizeof stats};
    wh_provider_stats(provider, &stats);
    assert_int_equal(stats.dropped_export, 1);
    assert_int_equal(stats.exported, 0);
    wh_end(root);
    wh_provider_shutdown(provider, WH_SEC(10));
}

/* The kernel writes what fits below the limit, and says so only the next time. */
static void a_line_cut_short_is_taken_back(void **state)
{
    (void)state;
    struct rlimit limit, before;
    struct stat now;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    struct wh_exporter *file = wh_file_exporter_new(in_folder("lines"));
    assert_int_equal(export_small(file, WH_NEVER), 0);
    assert_int_equal(stat(path, &now), 0);
    limit = (struct rlimit){.rlim_cur = (rlim_t)now.st_size + 100, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    const int rc = export_small(file, WH_NEVER);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(rc, EFBIG);
    const off_t size = now.st_size;
    assert_int_equal(stat(path, &now), 0);
    assert_int_equal(now.st_size, size);
    assert_int_equal(export_small(file, WH_NEVER), 0);
    wh_exporter_free(file);
    assert_readable(path, 2, 2);
}

/* What another process may have written after it is not ours to take back. */
static void a_line_cut_short_in_a_shared_file_is_ended(void **state)
{
    (void)state;
    struct rlimit limit, before;
    struct stat now;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    struct wh_exporter *file = wh_file_exporter_new(in_folder("lines")), *other = wh_file_exporter_new(path);
    assert_int_equal(export_small(file, WH_NEVER), 0);
    assert_int_equal(stat(path, &now), 0);
    limit = (struct rlimit){.rlim_cur = (rlim_t)now.st_size + 100, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    const int rc = export_small(file, WH_NEVER);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(rc, EFBIG);
    const off_t size = now.st_size;
    assert_int_equal(stat(path, &now), 0);
    assert_int_equal(now.st_size, size + 100);
    assert_int_equal(export_small(file, WH_NEVER), 0);
    assert_int_equal(export_small(other, WH_NEVER), 0);
    wh_exporter_free(file);
    wh_exporter_free(other);
    const char *text = read_file(path);
    assert_memory_equal(text + size, text, 100);
    assert_memory_equal(text + size + 100, "\n{\"resource", 11);
    assert_null(strstr(text, "\n\n"));
    assert_int_equal(strlen(text), 3 * size + 101);
}

static void a_line_that_another_process_left_unfinished_is_ended(void **state)
{
    (void)state;
    FILE *half = fopen(in_folder("lines"), "w");
    fputs("{\"resourceSpans\":[{\"reso", half);
    fclose(half);
    struct wh_exporter *file = wh_file_exporter_new(path);
    assert_int_equal(export_small(file, WH_NEVER), 0);
    assert_int_equal(export_small(file, WH_NEVER), 0);
    wh_exporter_free(file);
    const char *text = read_file(path);
    assert_memory_equal(text, "{\"resourceSpans\":[{\"reso\n{\"resourceSpans\":[{\"resource\"", 50);
    assert_null(strstr(text, "\n\n"));
}

static struct wh_exporter *open_fifo(int *reader)
{
    assert_int_equal(mkfifo(in_folder("fifo"), 0600), 0);
    *reader = open(path, O_RDONLY | O_NONBLOCK);
    assert_true(*reader >= 0);
    struct wh_exporter *file = wh_file_exporter_new(path);
    assert_non_null(file);
    return file;
}

static size_t read_all(int fd)
{
    size_t len = 0;
    for (ssize_t n; (n = read(fd, content + len, sizeof content - 1 - len)) > 0;) len += (size_t)n;
    content[len] = '\0';
    return len;
}

static void a_reader_may_go_and_come_back(void **state)
{
    (void)state;
    int reader;
    struct wh_exporter *file = open_fifo(&reader);
    assert_int_equal(export_small(file, WH_NEVER), 0);
    close(reader);
    assert_int_equal(export_small(file, WH_NEVER), EPIPE);
    assert_non_null(strstr(file->last_error(file), "/fifo: Broken pipe"));
    reader = open(path, O_RDONLY | O_NONBLOCK);
    assert_int_equal(export_small(file, WH_NEVER), 0);
    assert_true(read_all(reader) > 0);
    assert_memory_equal(content, "{\"resource", 10);
    close(reader);
    wh_exporter_free(file);
}

static void a_slow_reader_costs_no_more_than_the_deadline(void **state)
{
    (void)state;
    int reader;
    struct wh_exporter *file = open_fifo(&reader);
    const int64_t began = wh_now();
    assert_int_equal(export_large(file, 500000, began + WH_MS(50)), ETIMEDOUT);
    assert_true(wh_now() - began >= WH_MS(50));
    assert_true(wh_now() - began < WH_SEC(20));
    const size_t half = read_all(reader);
    assert_true(half >= 4096 && half < 500000 && content[half - 1] != '\n');
    assert_int_equal(export_small(file, WH_NEVER), 0);
    assert_true(read_all(reader) > 2);
    assert_memory_equal(content, "\n{\"resource", 11); /* what was begun is ended first */
    assert_int_equal(export_small(file, WH_NEVER), 0);
    assert_true(read_all(reader) > 2);
    assert_memory_equal(content, "{\"resource", 10);
    close(reader);
    wh_exporter_free(file);
}

static void *interrupt_soon(void *arg)
{
    struct wh_exporter *file = arg;
    wh_wait(wh_background(), WH_MS(30));
    file->interrupt(file);
    return NULL;
}

static void an_interrupt_ends_the_waiting(void **state)
{
    (void)state;
    int reader;
    pthread_t thread;
    struct wh_exporter *file = open_fifo(&reader);
    assert_int_equal(pthread_create(&thread, NULL, interrupt_soon, file), 0);
    assert_int_equal(export_large(file, 500000, WH_NEVER), ETIMEDOUT);
    pthread_join(thread, NULL);
    close(reader);
    wh_exporter_free(file);
}

/* Standard output as some shells and supervisors leave it: it says EAGAIN where others wait. */
static int export_to_impatient_stdout(void)
{
    struct wh_exporter *file = wh_file_exporter_new("-");
    const bool well = file && export_large(file, 500000, wh_now() + WH_SEC(20)) == 0;
    wh_exporter_free(file);
    return well ? 0 : 1;
}

static void an_output_that_says_to_try_again_gets_everything(void **state)
{
    (void)state;
    int ends[2], status;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
    fflush(NULL);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        dup2(ends[1], STDOUT_FILENO);
        _exit(export_to_impatient_stdout());
    }
    close(ends[1]);
    const size_t len = read_all(ends[0]);
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_true(len > 500000 && content[len - 1] == '\n' && strchr(content, '\n') == content + len - 1);
}

static void what_cannot_be_opened_is_told(void **state)
{
    (void)state;
    errno = 0;
    assert_null(wh_file_exporter_new("/nonexistent/spans.jsonl"));
    assert_int_equal(errno, ENOENT);
    assert_null(wh_file_exporter_new(folder));
    assert_int_equal(errno, EISDIR);
    assert_int_equal(mkfifo(in_folder("fifo"), 0600), 0);
    assert_null(wh_file_exporter_new(path)); /* at once: nobody reads it */
    assert_int_equal(errno, ENXIO);
}

/* ---- how it is opened ---- */

static int descriptor_of(const char *name)
{
    DIR *open_files = opendir("/proc/self/fd");
    int found = -1;
    for (struct dirent *entry; found < 0 && (entry = readdir(open_files));) {
        char link[300], target[300] = "";
        snprintf(link, sizeof link, "/proc/self/fd/%s", entry->d_name);
        if (readlink(link, target, sizeof target - 1) > 0 && strcmp(target, name) == 0) found = atoi(entry->d_name);
    }
    closedir(open_files);
    return found;
}

static void it_is_opened_for_appending_and_not_inherited(void **state)
{
    (void)state;
    struct stat now;
    const mode_t mask = umask(0);
    struct wh_exporter *file = wh_file_exporter_new(in_folder("lines"));
    umask(mask);
    const int fd = descriptor_of(path);
    assert_true(fd >= 0);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    assert_true(fcntl(fd, F_GETFL) & O_APPEND);
    assert_int_equal(stat(path, &now), 0);
    assert_int_equal(now.st_mode & 07777, 0644);
    wh_exporter_free(file);
    assert_int_equal(descriptor_of(path), -1);
}

/* Runs fn in a child with its standard output on `fd`; returns how it ended. */
static int in_child(int fd, int (*fn)(void))
{
    int status;
    fflush(NULL);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        dup2(fd, STDOUT_FILENO);
        close(fd);
        _exit(fn());
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static int export_to_stdout(void)
{
    struct wh_exporter *one = wh_file_exporter_new(NULL), *two = wh_file_exporter_new("-");
    bool well = one && two && export_small(one, WH_NEVER) == 0 && export_small(two, WH_NEVER) == 0;
    close(STDOUT_FILENO); /* the program's business */
    well = well && export_small(one, WH_NEVER) == 0;
    wh_exporter_free(one);
    wh_exporter_free(two);
    return well ? 0 : 1;
}

static void standard_output_gets_the_same_lines(void **state)
{
    (void)state;
    const int fd = open(in_folder("lines"), O_WRONLY | O_CREAT, 0600);
    assert_int_equal(in_child(fd, export_to_stdout), 0);
    close(fd);
    assert_readable(path, 3, 3);
}

static int export_to_broken_stdout(void)
{
    struct wh_exporter *file = wh_file_exporter_new("-");
    bool well = file && export_small(file, WH_NEVER) == EPIPE && export_small(file, WH_NEVER) == EPIPE;
    well = well && strcmp(file->last_error(file), "standard output: Broken pipe") == 0;
    wh_exporter_free(file);
    return well ? 0 : 1;
}

/* SIGPIPE is as it was: its default ends the process. */
static void a_broken_standard_output_does_not_end_the_process(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    close(ends[0]);
    assert_int_equal(in_child(ends[1], export_to_broken_stdout), 0);
    close(ends[1]);
}

/* ---- several writers ---- */

enum { WRITERS = 3, LINES = 150 };

static int append_lines(void)
{
    struct wh_exporter *file = wh_file_exporter_new(path);
    for (int i = 0; file && i < LINES; i++)
        if (export_large(file, i % 10 ? 3000 : 120000, WH_NEVER)) return 1;
    wh_exporter_free(file);
    return file ? 0 : 2;
}

static void processes_share_a_file_line_by_line(void **state)
{
    (void)state;
    pid_t children[WRITERS];
    int status;
    in_folder("shared");
    for (int i = 0; i < WRITERS; i++) {
        fflush(NULL);
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i] == 0) _exit(append_lines());
    }
    for (int i = 0; i < WRITERS; i++) {
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
    assert_readable(path, WRITERS * LINES, WRITERS * LINES / 10 * (9 + 3));
}

/* What a child has opened by inheritance: its lines stand beside those of its parent. */
static void a_child_process_writes_beside_its_parent(void **state)
{
    (void)state;
    int status;
    struct wh_exporter *file = wh_file_exporter_new(in_folder("shared"));
    assert_int_equal(export_small(file, WH_NEVER), 0);
    fflush(NULL);
    const pid_t child = fork();
    assert_true(child >= 0);
    for (int i = 0; i < LINES; i++)
        if (export_large(file, i % 10 ? 3000 : 120000, WH_NEVER)) _exit(1);
    wh_exporter_free(file);
    if (child == 0) _exit(0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_readable(path, 1 + 2 * LINES, 1 + 2 * LINES / 10 * (9 + 3));
}

/* The child has it open and may have written to it, so that nothing is cut off its end. */
static void a_parent_does_not_take_back_what_its_child_may_have_followed(void **state)
{
    (void)state;
    int go[2], done[2], status;
    char byte;
    struct stat now;
    struct rlimit limit, before;
    struct wh_exporter *file = wh_file_exporter_new(in_folder("shared"));
    assert_true(pipe(go) == 0 && pipe(done) == 0);
    fflush(NULL);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(go[1]);
        const bool well = export_small(file, WH_NEVER) == 0 && write(done[1], "!", 1) == 1 && read(go[0], &byte, 1) == 0;
        wh_exporter_free(file);
        _exit(well ? 0 : 1);
    }
    close(go[0]);
    assert_int_equal(read(done[0], &byte, 1), 1);
    assert_int_equal(stat(path, &now), 0);
    const off_t size = now.st_size;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = (struct rlimit){.rlim_cur = (rlim_t)size + 100, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    const int rc = export_small(file, WH_NEVER);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(rc, EFBIG);
    assert_int_equal(stat(path, &now), 0);
    assert_int_equal(now.st_size, size + 100);
    close(go[1]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(export_small(file, WH_NEVER), 0);
    wh_exporter_free(file);
    close(done[0]);
    close(done[1]);
    assert_memory_equal(read_file(path) + size + 100, "\n{\"resource", 11);
}

/* ---- memory ---- */

static size_t allowed;

static bool allow_some(size_t size)
{
    (void)size;
    return allowed ? allowed-- > 0 : false;
}

static void without_memory_the_batch_is_refused(void **state)
{
    (void)state;
    allowed = 0;
    wh__mem_gate = allow_some;
    struct wh_exporter *file = wh_file_exporter_new(in_folder("lines"));
    assert_null(file);
    assert_int_equal(errno, ENOMEM);
    allowed = 1;
    file = wh_file_exporter_new(path);
    assert_non_null(file);
    assert_int_equal(export_small(file, WH_NEVER), ENOMEM);
    allowed = 1;
    assert_int_equal(export_large(file, 100000, WH_NEVER), ENOMEM); /* to begin, but not to grow */
    wh__mem_gate = NULL;
    assert_int_equal(export_large(file, 100000, WH_NEVER), 0);
    wh_exporter_free(file);
    assert_readable(path, 1, 3);
}

static size_t until_failure;

static bool fail_once(size_t size)
{
    (void)size;
    return until_failure == 0 || --until_failure > 0;
}

/* Each allocation fails once: the line is there as a whole or not at all, and the next one is there. */
static void an_allocation_that_fails_loses_one_line(void **state)
{
    (void)state;
    bool went_well = false;
    for (size_t n = 1; n < 100 && !went_well; n++) {
        until_failure = n;
        wh__mem_gate = fail_once;
        struct wh_exporter *file = wh_file_exporter_new(in_folder("lines"));
        const int rc = file ? export_large(file, 400000, WH_NEVER) : ENOMEM;
        went_well = until_failure > 0;
        wh__mem_gate = NULL;
        assert_int_equal(rc, went_well ? 0 : ENOMEM);
        if (!file) continue;
        assert_int_equal(export_small(file, WH_NEVER), 0);
        wh_exporter_free(file);
        const char *first = strchr(read_file(path), '\n');
        assert_int_equal(first && first[1], went_well); /* a second line */
        assert_int_equal(content[strlen(content) - 1], '\n');
    }
    assert_true(went_well);
    assert_readable(path, 2, 10);
}

/* Six bytes for one: the most that text can grow, beyond what a line may have. */
static void a_batch_that_is_too_large_for_a_line_is_refused(void **state)
{
    (void)state;
    static struct wh_bytes spans[600];
    static struct bytes b;
    static char controls[60000];
    size_t rejected;
    memset(controls, 1, sizeof controls);
    b.len = 0;
    put_ids(&b);
    put_len(&b, WH__SPAN_NAME, controls, sizeof controls);
    for (size_t i = 0; i < 600; i++) spans[i] = of(&b);
    struct wh_exporter *file = wh_file_exporter_new(in_folder("lines"));
    assert_int_equal(export_spans(file, spans, 600, WH_NEVER, &rejected), EMSGSIZE);
    assert_non_null(strstr(file->last_error(file), "too large"));
    assert_int_equal(export_small(file, WH_NEVER), 0);
    wh_exporter_free(file);
    assert_readable(path, 1, 1);
}

/* ---- with real spans ---- */

static void real_spans_are_written(void **state)
{
    (void)state;
    struct wh_exporter *file = wh_file_exporter_new(in_folder("lines"));
    wh_provider *provider = wh_provider_new(.service = "orders", .exporters = &file, .exporter_count = 1);
    wh_ctx *root = wh_provider_root(provider);
    {
        WH_AUTO wh_ctx *order = wh_start(root, "GET /order", .kind = WH_SERVER, .timeout = WH_SEC(10));
        WH_AUTO wh_ctx *stock = wh_start(order, "reserve stock");
        wh_set(stock, "order.sku", "A-1");
        wh_set(stock, "ratio", 0.25);
        wh_set(stock, "blob", ((struct wh_bytes){"\0\1", 2}));
        wh_cancel(order, WH_CLIENT_GONE, "connection reset");
    }
    wh_end(root);
    assert_int_equal(wh_provider_shutdown(provider, WH_SEC(10)), 0);
    assert_readable(path, 1, 2);
    const char *text = read_file(path);
    assert_non_null(strstr(text, "{\"key\":\"service.name\",\"value\":{\"stringValue\":\"orders\"}}"));
    assert_non_null(strstr(text, "{\"key\":\"whence.cancelled\",\"value\":{\"boolValue\":true}}"));
    assert_non_null(strstr(text, "{\"key\":\"whence.cancel.depth\",\"value\":{\"intValue\":\"1\"}}"));
    assert_non_null(strstr(text, "{\"key\":\"ratio\",\"value\":{\"doubleValue\":0.25}}"));
    assert_non_null(strstr(text, "{\"key\":\"blob\",\"value\":{\"bytesValue\":\"AAE=\"}}"));
    assert_non_null(strstr(text, "\"name\":\"whence.cancel.received\""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_and_every_value_is_written),
        cmocka_unit_test(doubles_are_as_short_as_they_can_be_and_read_back),
        cmocka_unit_test(deep_values_end_in_an_empty_one),
        cmocka_unit_test(what_is_no_span_is_left_out_and_counted),
        cmocka_unit_test(a_full_device_is_an_error_that_names_it),
        cmocka_unit_test(a_full_device_counts_as_dropped),
        cmocka_unit_test(a_line_cut_short_is_taken_back),
        cmocka_unit_test(a_line_cut_short_in_a_shared_file_is_ended),
        cmocka_unit_test(a_line_that_another_process_left_unfinished_is_ended),
        cmocka_unit_test(a_reader_may_go_and_come_back),
        cmocka_unit_test(a_slow_reader_costs_no_more_than_the_deadline),
        cmocka_unit_test(an_interrupt_ends_the_waiting),
        cmocka_unit_test(an_output_that_says_to_try_again_gets_everything),
        cmocka_unit_test(what_cannot_be_opened_is_told),
        cmocka_unit_test(it_is_opened_for_appending_and_not_inherited),
        cmocka_unit_test(standard_output_gets_the_same_lines),
        cmocka_unit_test(a_broken_standard_output_does_not_end_the_process),
        cmocka_unit_test(processes_share_a_file_line_by_line),
        cmocka_unit_test(a_child_process_writes_beside_its_parent),
        cmocka_unit_test(a_parent_does_not_take_back_what_its_child_may_have_followed),
        cmocka_unit_test(without_memory_the_batch_is_refused),
        cmocka_unit_test(an_allocation_that_fails_loses_one_line),
        cmocka_unit_test(a_batch_that_is_too_large_for_a_line_is_refused),
        cmocka_unit_test(real_spans_are_written),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
