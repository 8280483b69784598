/* The console: drawings against those in golden/, and what the drawing is made of.
 *
 * A scene is a list of spans with fixed ids and times, encoded here, exported as a collector would. With
 * WHENCE_GOLDEN_WRITE set, the drawings are written to golden/ instead, and the test fails: look at them, then run
 * again. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/mem.h"
#include "exporters/sheet.h"
#include "exporters/utf8.h"
#include "test.h"
#include "trace/names.h"
#include "trace/wire.h"

/* ---- encoding ---- */

#define SEP_21 UINT64_C(1789992391204000000) /* 2026-09-21 12:06:31.204 UTC */

struct span {
    const char *service, *name, *status_text, *error_type, *reason, *message, *site, *origin_name;
    unsigned id, parent, origin; /* 0: none */
    enum wh_kind kind;
    enum wh_status status;
    double start, end, cancelled; /* ms; cancelled 0: it was not */
    double asked, budget, left;   /* ms; budget 0: no deadline */
    bool remote;                  /* its parent is */
};

struct bytes {
    uint8_t bytes[65536];
    size_t len;
};

static void put_bytes(struct bytes *b, unsigned field, const void *bytes, size_t len)
{
    b->len = (size_t)(wh__put_bytes(b->bytes + b->len, field, bytes, len) - b->bytes);
}

static void put_varint(struct bytes *b, unsigned field, uint64_t value)
{
    b->bytes[b->len++] = WH__TAG(field, WH__VARINT);
    b->len = (size_t)(wh__put_varint(b->bytes + b->len, value) - b->bytes);
}

static void put_fixed64(struct bytes *b, unsigned field, uint64_t value)
{
    b->bytes[b->len++] = WH__TAG(field, WH__FIXED64);
    b->len = (size_t)(wh__put_fixed64(b->bytes + b->len, value) - b->bytes);
}

static void put_attr(struct bytes *b, unsigned field, const char *key, const struct bytes *value)
{
    struct bytes attr = {.len = 0};
    put_bytes(&attr, WH__KEY, key, strlen(key));
    put_bytes(&attr, WH__VALUE_OF_KEY, value->bytes, value->len);
    put_bytes(b, field, attr.bytes, attr.len);
}

static void put_text(struct bytes *b, unsigned field, const char *key, const char *text)
{
    struct bytes value = {.len = 0};
    if (!text) return;
    put_bytes(&value, WH__ANY_STRING, text, strlen(text));
    put_attr(b, field, key, &value);
}

static void put_double(struct bytes *b, const char *key, double number)
{
    struct bytes value = {.len = 0};
    uint64_t word;
    memcpy(&word, &number, sizeof word);
    put_fixed64(&value, WH__ANY_DOUBLE, word);
    put_attr(b, WH__SPAN_ATTRIBUTE, key, &value);
}

static void put_true(struct bytes *b, const char *key)
{
    struct bytes value = {.len = 0};
    put_varint(&value, WH__ANY_BOOL, 1);
    put_attr(b, WH__SPAN_ATTRIBUTE, key, &value);
}

static void put_id(struct bytes *b, unsigned field, unsigned id)
{
    const uint8_t bytes[8] = {0, 0xf0, 0x67, 0xaa, 0x0b, 0xa9, (uint8_t)(id >> 8), (uint8_t)id};
    if (id) put_bytes(b, field, bytes, sizeof bytes);
}

static uint64_t at(double ms)
{
    return SEP_21 + (uint64_t)(int64_t)(ms * 1e6 + (ms < 0 ? -.5 : .5));
}

static void put_cause(struct bytes *b, const struct span *span)
{
    char id[17];
    struct bytes event = {.len = 0};
    put_true(b, WH__CANCELLED);
    put_text(b, WH__SPAN_ATTRIBUTE, WH__CANCEL_REASON, span->reason);
    put_text(b, WH__SPAN_ATTRIBUTE, WH__CANCEL_MESSAGE, span->message);
    put_text(b, WH__SPAN_ATTRIBUTE, WH__CANCEL_SITE, span->site);
    if (span->origin) {
        snprintf(id, sizeof id, "00f067aa0ba9%04x", span->origin & 0xffff);
        put_text(b, WH__SPAN_ATTRIBUTE, WH__CANCEL_ORIGIN_TRACE_ID, "4bf92f3577b34da6a3ce929d0e0e4736");
        put_text(b, WH__SPAN_ATTRIBUTE, WH__CANCEL_ORIGIN_SPAN_ID, id);
        put_text(b, WH__SPAN_ATTRIBUTE, WH__CANCEL_ORIGIN_SPAN_NAME, span->origin_name);
    }
    put_double(b, WH__CANCEL_OVERRUN_MS, span->end - span->cancelled);
    put_fixed64(&event, WH__EVENT_TIME, at(span->cancelled));
    put_bytes(&event, WH__EVENT_NAME, WH__EVENT_RECEIVED, strlen(WH__EVENT_RECEIVED));
    put_bytes(b, WH__SPAN_EVENT, event.bytes, event.len);
}

static void put_status(struct bytes *b, const struct span *span)
{
    struct bytes status = {.len = 0};
    if (span->status_text) put_bytes(&status, WH__STATUS_MESSAGE, span->status_text, strlen(span->status_text));
    put_varint(&status, WH__STATUS_CODE, span->status);
    put_bytes(b, WH__SPAN_STATUS, status.bytes, status.len);
    put_text(b, WH__SPAN_ATTRIBUTE, WH__ERROR_TYPE, span->error_type);
}

static void encode_in(struct bytes *b, const struct span *span, const char trace_id[16])
{
    const uint32_t flags = 0x103u | (span->remote ? WH__IS_REMOTE : 0);
    b->len = 0;
    put_bytes(b, WH__SPAN_TRACE_ID, trace_id, 16);
    put_id(b, WH__SPAN_ID, span->id);
    put_id(b, WH__SPAN_PARENT, span->parent);
    put_bytes(b, WH__SPAN_NAME, span->name, strlen(span->name));
    put_varint(b, WH__SPAN_KIND, span->kind + 1u);
    put_fixed64(b, WH__SPAN_START, at(span->start));
    put_fixed64(b, WH__SPAN_END, at(span->end));
    b->bytes[b->len++] = (uint8_t)(16 << 3 | WH__FIXED32) & 0x7f;
    b->bytes[b->len - 1] |= 0x80;
    b->bytes[b->len++] = 1;
    b->len = (size_t)(wh__put_fixed32(b->bytes + b->len, flags) - b->bytes);
    if (span->asked != 0) put_double(b, WH__DEADLINE_ASKED_MS, span->asked);
    if (span->budget > 0) put_double(b, WH__DEADLINE_BUDGET_MS, span->budget);
    if (span->budget > 0) put_double(b, WH__DEADLINE_REMAINING_MS, span->left);
    if (span->cancelled != 0) put_cause(b, span);
    if (span->status) put_status(b, span);
}

static const char the_trace[] = "\x4b\xf9\x2f\x35\x77\xb3\x4d\xa6\xa3\xce\x92\x9d\x0e\x0e\x47\x36";

/* ---- exporting ---- */

/* One batch; returns how many were refused. */
static size_t export_in(struct wh_exporter *exporter, const struct span *spans, size_t count, const char trace_id[16])
{
    static struct bytes resource, encoded[1024];
    static struct wh_bytes list[1024];
    size_t rejected = 0;
    resource.len = 0;
    put_text(&resource, WH__RESOURCE_ATTRIBUTE, "service.name", spans->service ? spans->service : "shop");
    assert_true(count <= 1024);
    for (size_t i = 0; i < count; i++) {
        encode_in(&encoded[i], &spans[i], trace_id);
        list[i] = (struct wh_bytes){encoded[i].bytes, encoded[i].len};
    }
    const struct wh_batch batch = {.size = sizeof batch, .resource = {resource.bytes, resource.len}, .spans = list,
        .count = count};
    assert_int_equal(exporter->export_batch(exporter, &batch, WH_NEVER, &rejected), 0);
    return rejected;
}

/* A batch for each stretch of spans of one service. */
static void export_all(struct wh_exporter *exporter, const struct span *spans, size_t count)
{
    for (size_t i = 0, n; i < count; i += n) {
        for (n = 1; i + n < count && spans[i + n].service == spans[i].service;) n++;
        assert_int_equal(export_in(exporter, spans + i, n, the_trace), 0);
    }
}

static void set_environment(const char *locale, const char *columns)
{
    unsetenv("LC_ALL");
    unsetenv("LC_CTYPE");
    unsetenv("NO_COLOR");
    unsetenv("COLORTERM");
    setenv("LANG", locale, 1);
    setenv("TERM", "xterm-256color", 1);
    setenv("TZ", "UTC", 1);
    if (columns)
        setenv("COLUMNS", columns, 1);
    else
        unsetenv("COLUMNS");
}

/* ---- drawing into a file, and on a terminal ---- */

static char drawn[4 << 20];

static const char *read_back(FILE *file)
{
    rewind(file);
    drawn[fread(drawn, 1, sizeof drawn - 1, file)] = '\0';
    fclose(file);
    return drawn;
}

static const char *draw_on_paper(const struct span *spans, size_t count, const char *locale, const char *columns)
{
    FILE *out = tmpfile();
    set_environment(locale, columns);
    struct wh_exporter *console = wh_console_exporter_new(out);
    assert_non_null(console);
    export_all(console, spans, count);
    assert_int_equal(console->flush(console, WH_NEVER), 0);
    wh_exporter_free(console);
    return read_back(out);
}

/* A real terminal: the other end of a pseudo terminal is read until nothing more comes. */
static int open_terminal(unsigned short columns, FILE **out)
{
    const int master = posix_openpt(O_RDWR | O_NOCTTY);
    assert_true(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
    const int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    assert_true(slave >= 0);
    struct termios mode;
    assert_int_equal(tcgetattr(slave, &mode), 0);
    mode.c_oflag &= ~(tcflag_t)OPOST;
    assert_int_equal(tcsetattr(slave, TCSANOW, &mode), 0);
    const struct winsize size = {.ws_row = 50, .ws_col = columns};
    assert_int_equal(ioctl(slave, TIOCSWINSZ, &size), 0);
    *out = fdopen(slave, "w");
    assert_int_equal(fcntl(master, F_SETFL, O_NONBLOCK), 0);
    return master;
}

static const char *read_terminal(int master)
{
    size_t len = 0;
    for (ssize_t n; len < sizeof drawn - 1 && (n = read(master, drawn + len,
        sizeof drawn - 1 - len)) > 0;) len += (size_t)n;
    drawn[len] = '\0';
    close(master);
    return drawn;
}

/* A scene that fits into what a terminal holds while nobody reads: 4 KB at a time. */
static const char *draw_on_terminal(const struct span *spans, size_t count, unsigned short columns)
{
    FILE *out;
    const int master = open_terminal(columns, &out);
    struct wh_exporter *console = wh_console_exporter_new(out);
    assert_non_null(console);
    export_all(console, spans, count);
    assert_int_equal(console->flush(console, WH_NEVER), 0);
    wh_exporter_free(console);
    const char *text = read_terminal(master);
    fclose(out);
    return text;
}

/* ---- golden files ---- */

static int written;

static void compare(const char *golden, const char *text)
{
    static char expected[1 << 20];
    char path[512];
    snprintf(path, sizeof path, "%s/%s.txt", GOLDEN, golden);
    FILE *file = fopen(path, getenv("WHENCE_GOLDEN_WRITE") ? "w" : "r");
    if (!file) fail_msg("%s: %s", path, strerror(errno));
    if (getenv("WHENCE_GOLDEN_WRITE")) {
        fputs(text, file);
        fclose(file);
        written++;
        return;
    }
    expected[fread(expected, 1, sizeof expected - 1, file)] = '\0';
    fclose(file);
    if (strcmp(expected, text)) fail_msg("not as in %s:\n%s", path, text);
}

#define SPANS(scene) scene, sizeof(scene) / sizeof *(scene)

/* In UTF-8 at 120 columns and in ASCII at 80. */
static void compare_both(const char *scene, const struct span *spans, size_t count)
{
    char golden[64];
    snprintf(golden, sizeof golden, "%s.utf8.120", scene);
    compare(golden, draw_on_paper(spans, count, "C.UTF-8", "120"));
    snprintf(golden, sizeof golden, "%s.ascii.80", scene);
    compare(golden, draw_on_paper(spans, count, "C", "80"));
}

/* ---- scenes ---- */

static const struct span well[] = {
    {.service = "stock", .id = 6, .parent = 5, .name = "SELECT stock", .kind = WH_CLIENT, .start = 4.1, .end = 22.9},
    {.service = "stock", .id = 5, .parent = 2, .name = "GET /stock", .kind = WH_SERVER, .start = 3.2, .end = 23.4,
     .remote = true, .budget = 1998, .left = 1974},
    {.service = "price", .id = 8, .parent = 7, .name = "GET rates", .kind = WH_CLIENT, .start = 4.4, .end = 10.8},
    {.service = "price", .id = 7, .parent = 3, .name = "GET /price", .kind = WH_SERVER, .start = 3.4, .end = 11.9,
     .remote = true, .budget = 1998, .left = 1988},
    {.service = "gateway", .id = 2, .parent = 1, .name = "GET stock", .kind = WH_CLIENT, .start = 1.2, .end = 24.3},
    {.service = "gateway", .id = 3, .parent = 1, .name = "GET price", .kind = WH_CLIENT, .start = 1.3, .end = 12.6},
    {.service = "gateway", .id = 4, .parent = 1, .name = "render", .start = 24.5, .end = 24.6},
    {.service = "gateway", .id = 1, .name = "GET /order", .kind = WH_SERVER, .start = 0, .end = 25.1, .asked = 2000,
     .budget = 2000, .left = 1974.9},
};

#define RESET .reason = "client_gone", .message = "connection reset"
static const struct span client_gone[] = {
    {.service = "gateway", .id = 3, .parent = 1, .name = "GET price", .kind = WH_CLIENT, .start = 1.5, .end = 14.8},
    {.service = "gateway", .id = 2, .parent = 1, .name = "GET stock", .kind = WH_CLIENT, .start = 1.4, .end = 80.4,
     RESET, .cancelled = 80.2, .origin = 1, .origin_name = "GET /order", .site = "peer.c:96 hung_up"},
    {.service = "gateway", .id = 1, .name = "GET /order", .kind = WH_SERVER, .start = 0, .end = 80.9, RESET,
     .cancelled = 80.2,
     .origin = 1, .origin_name = "GET /order", .site = "peer.c:96 hung_up", .asked = 2000, .budget = 2000,
     .left = 1919.1},
    {.service = "price", .id = 8, .parent = 7, .name = "GET rates", .kind = WH_CLIENT, .start = 4.4, .end = 12.8},
    {.service = "price", .id = 7, .parent = 3, .name = "GET /price", .kind = WH_SERVER, .start = 3.4, .end = 13.9,
     .remote = true, .budget = 1998, .left = 1988},
    {.service = "stock", .id = 6, .parent = 5, .name = "SELECT stock", .start = 4.1, .end = 122.3, RESET,
     .cancelled = 81.0, .origin = 2, .site = "peer.c:96 hung_up"},
    {.service = "stock", .id = 5, .parent = 2, .name = "GET /stock", .kind = WH_SERVER, .start = 3.2, .end = 123.4,
     RESET,
     .cancelled = 81.0, .origin = 2, .site = "peer.c:96 hung_up", .remote = true, .budget = 1998, .left = 1874.6},
};

#define FIRED .reason = "deadline_exceeded", .cancelled = 300.1, .origin = 1, .origin_name = "GET /order", \
    .site = "order.c:41 handle"
static const struct span deadline[] = {
    {.id = 4, .parent = 3, .name = "read page", .start = 210, .end = 300.6, FIRED, .budget = 90, .left = -.6},
    {.id = 3, .parent = 2, .name = "scan shelves", .start = 6, .end = 301.2, FIRED, .asked = 500, .budget = 294,
     .left = -1.2},
    {.id = 2, .parent = 1, .name = "reserve stock", .start = 5, .end = 301.9, FIRED, .budget = 295, .left = -1.9},
    {.id = 1, .name = "GET /order", .kind = WH_SERVER, .start = 0, .end = 302.4, FIRED, .asked = 300, .budget = 300,
     .left = -2.4, .status = WH_STATUS_ERROR, .status_text = "deadline of 300 ms exceeded", .error_type = "timeout"},
};

#define PRICE_FAILED .reason = "sibling_failed", .message = "connect to 127.0.0.1:9", .cancelled = 30.3, .origin = 2, \
    .origin_name = "GET price", .site = "order.c:77 fetch_price"
static const struct span sibling[] = {
    {.id = 4, .parent = 3, .name = "SELECT stock", .start = 2.1, .end = 30.4, PRICE_FAILED},
    {.id = 3, .parent = 1, .name = "GET stock", .kind = WH_CLIENT, .start = 1.9, .end = 42.6, PRICE_FAILED},
    {.id = 2, .parent = 1, .name = "GET price", .kind = WH_CLIENT, .start = 1.8, .end = 30.2, .status = WH_STATUS_ERROR,
     .status_text = "connect to 127.0.0.1:9", .error_type = "ECONNREFUSED", .asked = 200, .budget = 200, .left = 171.6},
    {.id = 1, .name = "GET /order", .kind = WH_SERVER, .start = 0, .end = 43.1},
};

static const struct span overrun[] = {
    {.id = 2, .parent = 1, .name = "rebuild index", .start = .4, .end = 900, .reason = "shutdown",
     .message = "SIGTERM from process 4711", .site = "main.c:12 main", .cancelled = 110},
    {.id = 1, .name = "nightly job", .start = 0, .end = 900.2, .reason = "shutdown",
     .message = "SIGTERM from process 4711", .site = "main.c:12 main", .cancelled = 110},
};

static const struct span remote_origin[] = {
    {.service = "stock", .id = 6, .parent = 5, .name = "SELECT stock", .start = 1.1, .end = 41.2,
     .reason = "deadline_exceeded",
     .site = "server.c:88 handle", .cancelled = 40.1, .origin = 2, .budget = 39, .left = -1.1},
    {.service = "stock", .id = 5, .parent = 2, .name = "GET /stock", .kind = WH_SERVER, .start = 0, .end = 41.4,
     .reason = "deadline_exceeded", .site = "server.c:88 handle", .cancelled = 40.1, .origin = 2, .remote = true,
     .budget = 40, .left = -1.4},
};

static const struct span orphans[] = {
    {.id = 4, .parent = 3, .name = "write audit log", .start = 12, .end = 19},
    {.id = 6, .parent = 99, .name = "send mail", .kind = WH_PRODUCER, .start = 5, .end = 11},
    {.id = 3, .parent = 98, .name = "after the answer", .start = 2, .end = 20, .status = WH_STATUS_ERROR},
};

static const struct span hostile[] = {
    {.service = "evil\033]0;pwned\007", .id = 1, .name = "\033[2J\033[31mred\r\n\tnew line\x7f\b", .start = 0,
     .end = 10,
     .status = WH_STATUS_ERROR, .status_text = "\xc2\x9b" "31m csi \xe2\x80\xae" "backwards \xff\xfe\xc0\x80 broken",
     .error_type = "\033c"},
    {.service = "evil\033]0;pwned\007", .id = 2, .parent = 1, .name = "価格を取得する ｖａｌｕｅ a\xcc\x81\xcc\x81\xcc\x81 ünïcödé",
     .start = 2, .end = 9, .reason = "\033[5mblink", .message = "\"quoted\"\nsecond line", .site = "\x1b\x1b.c:1 f",
     .cancelled = 8, .origin = 77, .origin_name = "\033[1A"},
    {.service = "evil\033]0;pwned\007", .id = 3, .parent = 1, .start = 3, .end = 3, .kind = WH_CLIENT, .name =
     "an endless name an endless name an endless name an endless name an endless name an endless name an endless name "
     "an endless name an endless name an endless name an endless name an endless name an endless name"},
};

static const struct span inner_deadline[] = {
    {.service = "price", .id = 8, .parent = 7, .name = "GET rates", .kind = WH_CLIENT, .start = 1, .end = 201.3,
     .asked = 200, .budget = 200, .left = -.3, .reason = "deadline_exceeded", .cancelled = 201, .origin = 8,
     .origin_name = "GET rates",
     .site = "price.c:60 ask_rates", .status = WH_STATUS_ERROR, .status_text = "deadline of 200 ms exceeded",
     .error_type = "timeout"},
    {.service = "price", .id = 7, .name = "GET /price", .kind = WH_SERVER, .start = 0, .end = 202, .asked = 5000,
     .budget = 1900, .left = 1698},
};

/* ---- what is drawn ---- */

static void all_is_well(void **state)
{
    (void)state;
    compare_both("well", SPANS(well));
}

static void a_client_hangs_up_on_three_services(void **state)
{
    (void)state;
    compare_both("client_gone", SPANS(client_gone));
    compare("client_gone.utf8.100", draw_on_paper(SPANS(client_gone), "C.UTF-8", NULL));
    compare("client_gone.utf8.80", draw_on_paper(SPANS(client_gone), "C.UTF-8", "80"));
    compare("client_gone.ascii.120", draw_on_paper(SPANS(client_gone), "C", "120"));
    compare("client_gone.utf8.60", draw_on_paper(SPANS(client_gone), "C.UTF-8", "60"));
    compare("client_gone.ascii.60", draw_on_paper(SPANS(client_gone), "POSIX", "20"));
}

static void a_deadline_fires_and_stops_those_below(void **state)
{
    (void)state;
    compare_both("deadline", SPANS(deadline));
}

static void an_inner_deadline_fires(void **state)
{
    (void)state;
    compare_both("inner_deadline", SPANS(inner_deadline));
}

static void one_fails_and_its_sibling_is_stopped(void **state)
{
    (void)state;
    compare_both("sibling", SPANS(sibling));
}

static const struct span bad_gateway[] = {
    {.id = 2, .parent = 1, .name = "GET /price", .kind = WH_CLIENT, .start = 1, .end = 4, .status = WH_STATUS_ERROR,
     .error_type = "502", .status_text = "status 502"},
    {.id = 3, .parent = 1, .name = "INSERT", .kind = WH_CLIENT, .start = 4, .end = 5, .status = WH_STATUS_ERROR,
     .error_type = "23505", .status_text = "duplicate key"},
    {.id = 1, .name = "GET /order", .kind = WH_SERVER, .start = 0, .end = 6, .status = WH_STATUS_ERROR,
     .error_type = "502", .status_text = "no price"},
};

static void a_status_code_says_what_it_is(void **state)
{
    (void)state;
    const char *text = draw_on_paper(SPANS(bad_gateway), "C.UTF-8", "100");
    assert_int_equal(strncmp(text, "✗ HTTP 502  6 ms", strlen("✗ HTTP 502  6 ms")), 0);
    assert_non_null(strstr(text, "✗ HTTP 502: no price\n"));
    assert_non_null(strstr(text, "✗ HTTP 502\n"));
    assert_non_null(strstr(text, "✗ 23505: duplicate key\n"));
    text = draw_on_paper(SPANS(bad_gateway), "C", "100");
    assert_int_equal(strncmp(text, "failed: HTTP 502  6 ms", 22), 0);
}

static void a_job_does_not_listen(void **state)
{
    (void)state;
    compare_both("overrun", SPANS(overrun));
}

static void the_origin_is_a_caller_that_is_not_here(void **state)
{
    (void)state;
    compare_both("remote_origin", SPANS(remote_origin));
}

static void parents_are_missing(void **state)
{
    (void)state;
    compare_both("orphans", SPANS(orphans));
}

/* Line ends are the only control characters of a drawing without colour. */
static void assert_harmless(const char *text)
{
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        if ((*p < 0x20 && *p != '\n') || *p == 0x7f) fail_msg("control character %02x", *p);
        if (*p == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0) fail_msg("control character U+00%02x", p[1]);
        if (*p == 0xe2 && p[1] == 0x80 && p[2] >= 0xa8 && p[2] <= 0xae) fail_msg("a change of direction");
    }
}

static size_t put_character(char out[4], uint32_t c)
{
    const size_t more = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const unsigned char leads[] = {0, 0xc0, 0xe0, 0xf0};
    out[0] = (char)(leads[more] | c >> 6 * more);
    for (size_t i = 1; i <= more; i++) out[i] = (char)(0x80 | (c >> 6 * (more - i) & 0x3f));
    return more + 1;
}

/* Controls, what changes the direction of writing, and what cannot be seen. */
static bool is_obeyed(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x61c || (c >= 0x200b && c <= 0x200f) ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xe0000 && c < 0xe1000);
}

static void hostile_text_is_disarmed(void **state)
{
    (void)state;
    compare_both("hostile", SPANS(hostile));
    assert_harmless(draw_on_paper(SPANS(hostile), "C.UTF-8", "120"));
    assert_harmless(draw_on_paper(SPANS(hostile), "C", "60"));
    for (const char *p = drawn; *p; p++) assert_true((unsigned char)*p < 0x80);
}

static void no_character_is_obeyed(void **state)
{
    (void)state;
    for (uint32_t c = 0; c < 0x110000; c++) {
        char bytes[4];
        const size_t len = put_character(bytes, c);
        const char *at = bytes;
        const struct wh__glyph glyph = wh__glyph_next(&at, bytes + len, true);
        if (glyph.bytes[0]) {
            const char *seen = glyph.bytes;
            const uint32_t is = wh__utf8_next(&seen, glyph.bytes + strlen(glyph.bytes));
            assert_true(*seen == '\0' && (is == c || is == ' ' || is == 0xfffd));
            if (is_obeyed(is)) fail_msg("U+%04x", c);
        }
        assert_true(glyph.columns <= 2);
        at = bytes;
        const struct wh__glyph plain = wh__glyph_next(&at, bytes + len, false);
        assert_true(plain.bytes[0] == '\0' || (plain.bytes[0] >= ' ' && plain.bytes[0] < 0x7f && !plain.bytes[1]));
        assert_int_equal(plain.columns, plain.bytes[0] != '\0');
    }
}

static void durations_are_short_and_have_a_unit(void **state)
{
    (void)state;
    const struct { int64_t ns; const char *text; } known[] = {
        {0, "0 ns"}, {999, "999 ns"}, {1000, "1 us"}, {41234567, "41.2 ms"}, {-1500, "-1.5 us"}, {99949999, "99.9 ms"},
        {WH_SEC(60), "1 min"}, {WH_NEVER, "never"}, {INT64_MIN, "-2562048 h"},
    };
    char text[WH__DURATION_SIZE];
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        assert_int_equal(wh__duration_text(text, known[i].ns), strlen(known[i].text));
        assert_string_equal(text, known[i].text);
    }
}

/* ---- terminals ---- */

static void a_terminal_gets_colour(void **state)
{
    (void)state;
    set_environment("C.UTF-8", "60"); /* the terminal knows better */
    compare("sibling.colour.120", draw_on_terminal(SPANS(sibling), 120));
    setenv("TERM", "vt100", 1);
    compare("deadline.colour.80", draw_on_terminal(SPANS(deadline), 80));
}

static void no_colour_where_it_is_not_wanted(void **state)
{
    (void)state;
    char plain[8192];
    snprintf(plain, sizeof plain, "%s", draw_on_paper(SPANS(sibling), "C.UTF-8", "120"));
    setenv("NO_COLOR", "1", 1);
    assert_string_equal(draw_on_terminal(SPANS(sibling), 120), plain);
    unsetenv("NO_COLOR");
    setenv("TERM", "dumb", 1);
    assert_string_equal(draw_on_terminal(SPANS(sibling), 120), plain);
    setenv("TERM", "xterm", 1);
    setenv("NO_COLOR", "", 1); /* empty counts as not set (no-color.org) */
    assert_non_null(strchr(draw_on_terminal(SPANS(sibling), 120), '\033'));
}

static void the_locale_is_looked_up_in_its_order(void **state)
{
    (void)state;
    set_environment("C.UTF-8", "80");
    const struct { const char *all, *ctype, *lang; bool utf8; } cases[] = {
        {"C", "C.UTF-8", "C.UTF-8", false}, {"", "en_US.utf8", "C", true}, {"", "", "de_DE.UTF-8@euro", true},
        {"de_DE.ISO-8859-1", "", "C.UTF-8", false}, {"", "", "", false}, {"C.UTF-8", "C", "C", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        setenv("LC_ALL", cases[i].all, 1);
        setenv("LC_CTYPE", cases[i].ctype, 1);
        setenv("LANG", cases[i].lang, 1);
        FILE *out = tmpfile();
        struct wh_exporter *console = wh_console_exporter_new(out);
        export_all(console, SPANS(sibling));
        assert_int_equal(console->flush(console, WH_NEVER), 0);
        wh_exporter_free(console);
        const char *text = read_back(out);
        assert_int_equal(strstr(text, "└─") != NULL, cases[i].utf8);
        assert_int_equal(strstr(text, "`- ") != NULL, !cases[i].utf8);
    }
}

/* Every line of every scene, at every width, in both spellings. */
static void assert_lines_fit(const char *text, unsigned columns)
{
    unsigned width = 0;
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        if (*p == '\n') width = 0;
        else if ((*p & 0xc0) != 0x80 && ++width > columns) fail_msg("wider than %u:\n%s", columns, text);
    }
}

static void no_line_is_wider_than_the_terminal(void **state)
{
    (void)state;
    char columns[8];
    for (unsigned width = 60; width <= 160; width += 7) {
        snprintf(columns, sizeof columns, "%u", width);
        for (int ascii = 0; ascii < 2; ascii++) {
            assert_lines_fit(draw_on_paper(SPANS(client_gone), ascii ? "C" : "C.UTF-8", columns), width);
            assert_lines_fit(draw_on_paper(SPANS(deadline), ascii ? "C" : "C.UTF-8", columns), width);
            assert_lines_fit(draw_on_paper(SPANS(hostile), ascii ? "C" : "C.UTF-8", columns),
                width + 8); /* combining marks */
            assert_lines_fit(draw_on_paper(SPANS(overrun), ascii ? "C" : "C.UTF-8", columns), width);
        }
    }
}

/* ---- when it is drawn ---- */

struct paper {
    FILE *out;
    struct wh_exporter *console;
};

static struct paper begin(void)
{
    struct paper paper = {.out = tmpfile()};
    set_environment("C", "80");
    paper.console = wh_console_exporter_new(paper.out);
    assert_non_null(paper.console);
    return paper;
}

static long size_of(const struct paper *paper)
{
    return ftell(paper->out);
}

static const char *end(struct paper *paper)
{
    paper->console->shutdown(paper->console, WH_NEVER);
    wh_exporter_free(paper->console);
    return read_back(paper->out);
}

static const struct span local[] = {{.id = 2, .parent = 1, .name = "child", .start = 1, .end = 2}, {.id = 1,
    .name = "root", .start = 0, .end = 3}};
static const struct span entry[] = {{.id = 1, .parent = 9, .name = "entry", .start = 0, .end = 3, .remote = true,
    .kind = WH_SERVER}};

static void a_trace_of_this_process_alone_is_drawn_at_once(void **state)
{
    (void)state;
    struct paper paper = begin();
    export_in(paper.console, local, 1, the_trace);
    assert_int_equal(size_of(&paper), 0);
    export_in(paper.console, local + 1, 1, the_trace);
    assert_true(size_of(&paper) > 0);
    assert_non_null(strstr(end(&paper), "`- child"));
}

static void a_trace_with_a_remote_parent_waits_for_a_quiet_batch(void **state)
{
    (void)state;
    struct paper paper = begin();
    export_in(paper.console, entry, 1, the_trace);
    assert_int_equal(size_of(&paper), 0);
    export_in(paper.console, local, 1, the_trace); /* news of it */
    assert_int_equal(size_of(&paper), 0);
    export_in(paper.console, local, 1, "another trace id");
    assert_true(size_of(&paper) > 0);
    assert_non_null(strstr(end(&paper), "`- child"));
}

static void a_collector_waits_for_the_only_root(void **state)
{
    (void)state;
    struct paper paper = begin();
    const struct span others[] = {{.service = "a", .id = 1, .name = "x"}, {.service = "b", .id = 1, .name = "x"}};
    export_in(paper.console, others, 1, "trace id no. one");
    export_in(paper.console, others + 1, 1, "trace id no. two");
    const long before = size_of(&paper);
    export_in(paper.console, entry, 1, the_trace);
    export_in(paper.console, others, 1, "trace no. three!");
    const long after = size_of(&paper);
    assert_true(after > before); /* it, but not the other */
    const char *found = strstr(end(&paper), "entry");
    assert_true(found && found > drawn + after);
}

static void a_trace_whose_root_never_comes_is_drawn_in_the_end(void **state)
{
    (void)state;
    struct paper paper = begin();
    export_in(paper.console, local, 1, the_trace);
    for (int i = 0; i < 7; i++) export_in(paper.console, local, 1, "another trace id");
    assert_int_equal(size_of(&paper), 0);
    export_in(paper.console, local, 1, "another trace id");
    assert_true(size_of(&paper) > 0);
    assert_non_null(strstr(end(&paper), "has not been seen"));
}

static void a_flush_draws_everything(void **state)
{
    (void)state;
    struct paper paper = begin();
    export_in(paper.console, local, 1, the_trace);
    export_in(paper.console, entry, 1, "another trace id");
    assert_int_equal(paper.console->flush(paper.console, WH_NEVER), 0);
    const long size = size_of(&paper);
    assert_int_equal(paper.console->flush(paper.console, WH_NEVER), 0);
    assert_int_equal(size_of(&paper), size);
    const char *text = end(&paper);
    assert_non_null(strstr(text, "child"));
    assert_non_null(strstr(text, "entry"));
}

/* ---- bounds ---- */

static size_t lines_of(const char *text)
{
    size_t lines = 0;
    for (; *text; text++) lines += *text == '\n';
    return lines;
}

/* The root and what went wrong come last, and must be there. */
static void five_thousand_spans_are_bounded(void **state)
{
    (void)state;
    struct paper paper = begin();
    struct span many[500];
    for (unsigned batch = 0; batch < 10; batch++) {
        for (unsigned i = 0; i < 500; i++)
            many[i] = (struct span){.id = 10 + batch * 500 + i, .parent = 2, .name = "scan shelf", .start = batch,
                .end = batch + 1};
        export_in(paper.console, many, batch == 9 ? 498 : 500, the_trace);
    }
    const struct span last[] = {{.id = 2, .parent = 1, .name = "scan all", .start = 0, .end = 11},
                                {.id = 1, .name = "GET /inventory", .start = 0, .end = 12}};
    export_in(paper.console, last, 2, the_trace);
    const char *text = end(&paper);
    assert_non_null(strstr(text, "5000 spans"));
    assert_non_null(strstr(text, "GET /inventory"));
    assert_non_null(strstr(text, "`- scan all"));
    assert_non_null(strstr(text, "and 4500 more spans, left out here"));
    assert_null(strstr(text, "has not been seen"));
    assert_true(lines_of(text) < 520);
}

static void a_chain_of_five_hundred_is_drawn(void **state)
{
    (void)state;
    struct paper paper = begin();
    struct span chain[500];
    for (unsigned i = 0; i < 500; i++)
        chain[i] = (struct span){.id = 500 - i, .parent = 499 - i, .name = "step", .start = 500 - i, .end = 1000};
    export_in(paper.console, chain, 500, the_trace);
    const char *text = end(&paper);
    assert_non_null(strstr(text, "+499 step"));
    assert_lines_fit(text, 80);
}

/* One batch of `traces` traces, all waiting for their roots: those that do not fit are drawn, each of them once. */
static void assert_each_drawn_once(size_t traces, size_t spans_each)
{
    const size_t count = traces * spans_each;
    struct wh_bytes *list = calloc(count, sizeof *list);
    assert_non_null(list);
    for (size_t i = 0; i < count; i++) {
        static struct bytes b;
        char id[17];
        snprintf(id, sizeof id, "trace number %03u", (unsigned)(i / spans_each % 1000));
        encode_in(&b, &(struct span){.id = 5 + (unsigned)(i % spans_each), .parent = 4, .name = "lonely", .end = 1},
            id);
        list[i] = (struct wh_bytes){memcpy(malloc(b.len), b.bytes, b.len), b.len};
    }
    struct paper paper = begin();
    size_t rejected = 0, drawn_traces = 0, drawn_spans = 0;
    const struct wh_batch batch = {.size = sizeof batch, .spans = list, .count = count};
    assert_int_equal(paper.console->export_batch(paper.console, &batch, WH_NEVER, &rejected), 0);
    assert_int_equal(rejected, 0);
    assert_true(size_of(&paper) > 0);
    const char *text = end(&paper);
    for (const char *p = text; (p = strstr(p, "trace 7472616365")); p++) drawn_traces++;
    for (const char *p = text; (p = strstr(p, "lonely")); p++) drawn_spans++;
    assert_int_equal(drawn_traces, traces);
    assert_int_equal(drawn_spans, count);
    for (size_t i = 0; i < count; i++) free((void *)list[i].ptr);
    free(list);
}

static void more_traces_than_can_be_kept_are_drawn_early(void **state)
{
    (void)state;
    assert_each_drawn_once(200, 1);
}

static void more_spans_than_can_be_kept_are_drawn_early(void **state)
{
    (void)state;
    assert_each_drawn_once(30, 300);
}

static void a_child_process_does_not_draw_what_its_parent_will(void **state)
{
    (void)state;
    int status;
    struct paper paper = begin();
    export_in(paper.console, entry, 1, the_trace);
    fflush(NULL);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        export_in(paper.console, local, 1, the_trace);
        paper.console->flush(paper.console, WH_NEVER);
        wh_exporter_free(paper.console);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    fseek(paper.out, 0, SEEK_END);
    const char *text = end(&paper);
    const char *first = strstr(text, "child"), *second = strstr(text, "entry");
    assert_true(first && second && first < second);
    assert_null(strstr(second + 1, "entry"));
}

/* ---- what is not as it should be ---- */

static void circles_and_doubles_are_drawn_once_each(void **state)
{
    (void)state;
    const struct span odd[] = {
        {.id = 1, .parent = 2, .name = "round"}, {.id = 2, .parent = 3, .name = "and"}, {.id = 3, .parent = 1,
         .name = "about"},
        {.id = 4, .parent = 4, .name = "myself"}, {.id = 5, .parent = 3, .name = "beside", .start = 4, .end = 2},
        {.id = 6, .name = "twin one"}, {.id = 6, .name = "twin two"}, {.id = 7, .parent = 6, .name = "of twins"},
    };
    struct paper paper = begin();
    export_in(paper.console, odd, 8, the_trace);
    const char *text = end(&paper);
    for (size_t i = 0; i < 8; i++) {
        const char *found = strstr(text, odd[i].name);
        assert_non_null(found);
        assert_null(strstr(found + 1, odd[i].name));
    }
}

static void what_is_no_span_is_refused(void **state)
{
    (void)state;
    struct paper paper = begin();
    struct bytes good, no_trace;
    const struct span span = {.id = 1, .name = "good"};
    encode_in(&good, &span, the_trace);
    encode_in(&no_trace, &span, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
    const struct wh_bytes list[] = {{good.bytes, good.len}, {good.bytes, good.len - 1}, {"", 0}, {no_trace.bytes,
        no_trace.len}};
    size_t rejected = 0;
    const struct wh_batch batch = {.size = sizeof batch, .spans = list, .count = 4};
    assert_int_equal(paper.console->export_batch(paper.console, &batch, WH_NEVER, &rejected), 0);
    assert_int_equal(rejected, 3);
    assert_non_null(strstr(end(&paper), "good"));
}

static void extreme_times_and_deadlines_are_drawn(void **state)
{
    (void)state;
    const struct span odd[] = {
        {.id = 1, .name = "root", .start = -1789992391204.0, .end = 9e12, .asked = 1e300, .budget = 5e-324,
         .left = -1e300},
        {.id = 2, .parent = 1, .name = "child", .start = 5, .end = 6, .asked = INFINITY, .budget = 1e300,
         .left = -INFINITY,
         .reason = "cancelled later", .cancelled = 1e12},
        {.id = 3, .parent = 1, .name = "reversed", .start = 6, .end = -5, .asked = 1, .budget = 1e-300, .left = NAN,
         .reason = "cancelled earlier", .cancelled = -1e12},
        {.id = 4, .parent = 1, .name = "least", .asked = -1e300, .budget = 1, .left = 1},
    };
    struct paper paper = begin();
    export_in(paper.console, odd, 4, the_trace);
    assert_lines_fit(end(&paper), 80);
    assert_non_null(strstr(drawn, "(-2562048 h asked), 1 ms left"));
}

static void a_reader_that_left_does_not_end_the_process(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    FILE *out = fdopen(ends[1], "w");
    struct wh_exporter *console = wh_console_exporter_new(out);
    close(ends[0]);
    assert_int_equal(export_in(console, local, 2, the_trace), 2); /* drawn at once, and lost */
    assert_non_null(strstr(console->last_error(console), strerror(EPIPE)));
    export_in(console, entry, 1, the_trace);
    assert_int_equal(console->flush(console, WH_NEVER), EPIPE);
    wh_exporter_free(console);
    fclose(out);
}

static size_t allowed;

static bool allow_some(size_t size)
{
    (void)size;
    return allowed ? allowed-- > 0 : false;
}

/* Every allocation fails in turn: nothing is drawn by halves, and every span is drawn or refused. */
static void without_memory_spans_are_refused(void **state)
{
    (void)state;
    set_environment("C", "80");
    bool went_well = false;
    for (size_t n = 0; n < 100 && !went_well; n++) {
        FILE *out = tmpfile();
        size_t refused = 0;
        allowed = n;
        wh__mem_gate = allow_some;
        struct wh_exporter *console = wh_console_exporter_new(out);
        if (console) refused = export_in(console, local, 2, the_trace);
        const int rc = console ? console->flush(console, WH_NEVER) : 0;
        wh__mem_gate = NULL;
        went_well = console && refused == 0 && rc == 0;
        wh_exporter_free(console);
        const char *text = read_back(out);
        assert_true(*text == '\0' || text[strlen(text) - 1] == '\n');
        assert_int_equal(strstr(text, "root") && strstr(text, "child"), went_well);
    }
    assert_true(went_well);
}

static void without_a_stream_there_is_no_exporter(void **state)
{
    (void)state;
    errno = 0;
    assert_null(wh_console_exporter_new(NULL));
    assert_int_equal(errno, EINVAL);
}

/* ---- with real spans ---- */

static void real_spans_say_why_they_stopped(void **state)
{
    (void)state;
    FILE *out = tmpfile();
    set_environment("C.UTF-8", "100");
    struct wh_exporter *console = wh_console_exporter_new(out);
    wh_provider *provider = wh_provider_new(.service = "orders", .exporters = &console, .exporter_count = 1);
    wh_ctx *root = wh_provider_root(provider);
    {
        WH_AUTO wh_ctx *order = wh_start(root, "GET /order", .kind = WH_SERVER, .timeout = WH_SEC(10));
        WH_AUTO wh_ctx *stock = wh_start(order, "reserve stock");
        assert_true(wh_cancel(order, WH_CLIENT_GONE, "connection reset"));
        assert_int_equal(wh_wait(wh_background(), WH_MS(3)), 0); /* does not listen */
    }
    wh_end(root);
    assert_int_equal(wh_provider_shutdown(provider, WH_SEC(10)), 0);
    const char *text = read_back(out);
    assert_non_null(strstr(text, "⊘ client_gone  "));
    assert_non_null(strstr(text, "2 spans of orders"));
    assert_non_null(strstr(text, "⊘ client_gone \"connection reset\", began here,"));
    assert_non_null(strstr(text, "at test_console.c:"));
    assert_non_null(strstr(text, "⊘ client_gone, by «GET /order»; ran on "));
    assert_non_null(strstr(text, "deadline 10 s, "));
    assert_non_null(strstr(text, "┃▒"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_is_well),
        cmocka_unit_test(a_client_hangs_up_on_three_services),
        cmocka_unit_test(a_deadline_fires_and_stops_those_below),
        cmocka_unit_test(an_inner_deadline_fires),
        cmocka_unit_test(one_fails_and_its_sibling_is_stopped),
        cmocka_unit_test(a_status_code_says_what_it_is),
        cmocka_unit_test(a_job_does_not_listen),
        cmocka_unit_test(the_origin_is_a_caller_that_is_not_here),
        cmocka_unit_test(parents_are_missing),
        cmocka_unit_test(hostile_text_is_disarmed),
        cmocka_unit_test(no_character_is_obeyed),
        cmocka_unit_test(durations_are_short_and_have_a_unit),
        cmocka_unit_test(a_terminal_gets_colour),
        cmocka_unit_test(no_colour_where_it_is_not_wanted),
        cmocka_unit_test(the_locale_is_looked_up_in_its_order),
        cmocka_unit_test(no_line_is_wider_than_the_terminal),
        cmocka_unit_test(a_trace_of_this_process_alone_is_drawn_at_once),
        cmocka_unit_test(a_trace_with_a_remote_parent_waits_for_a_quiet_batch),
        cmocka_unit_test(a_collector_waits_for_the_only_root),
        cmocka_unit_test(a_trace_whose_root_never_comes_is_drawn_in_the_end),
        cmocka_unit_test(a_flush_draws_everything),
        cmocka_unit_test(five_thousand_spans_are_bounded),
        cmocka_unit_test(a_chain_of_five_hundred_is_drawn),
        cmocka_unit_test(more_traces_than_can_be_kept_are_drawn_early),
        cmocka_unit_test(more_spans_than_can_be_kept_are_drawn_early),
        cmocka_unit_test(a_child_process_does_not_draw_what_its_parent_will),
        cmocka_unit_test(circles_and_doubles_are_drawn_once_each),
        cmocka_unit_test(what_is_no_span_is_refused),
        cmocka_unit_test(extreme_times_and_deadlines_are_drawn),
        cmocka_unit_test(a_reader_that_left_does_not_end_the_process),
        cmocka_unit_test(without_memory_spans_are_refused),
        cmocka_unit_test(without_a_stream_there_is_no_exporter),
        cmocka_unit_test(real_spans_say_why_they_stopped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) + written;
}
