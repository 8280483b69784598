/* What one operation on a recorded span takes: a setter of each type, an event, a link, the end. */
#include "sinks.h"
#include "spans.h"

static struct source source; /* the exporter sleeps meanwhile */
static struct wh_span_context other;

static void rest(void) { source_flush(&source); }

/* ---- eight on each span, less the span ---- */

enum { EACH = 8 };

static void eight_ints(const wh_ctx *op)
{
    int value = request.status;
    HIDE(value);
    wh_set(op, "order.id", value), wh_set(op, "order.lines", value), wh_set(op, "order.weight", value);
    wh_set(op, "order.version", value), wh_set(op, "shelf.row", value), wh_set(op, "shelf.column", value);
    wh_set(op, "http.response.status_code", value), wh_set(op, "server.port", value);
}

static void eight_doubles(const wh_ctx *op)
{
    const double value = request.status;
    wh_set(op, "order.price", value), wh_set(op, "order.tax", value), wh_set(op, "order.weight", value);
    wh_set(op, "order.discount", value), wh_set(op, "shelf.height", value), wh_set(op, "shelf.load", value);
    wh_set(op, "queue.seconds", value), wh_set(op, "cache.hit_ratio", value);
}

static void eight_bools(const wh_ctx *op)
{
    const bool value = request.status == 200;
    wh_set_bool(op, "order.paid", value), wh_set_bool(op, "order.gift", value), wh_set_bool(op, "order.express", value);
    wh_set_bool(op, "customer.known", value), wh_set_bool(op, "shelf.full", value), wh_set_bool(op, "cache.hit", value);
    wh_set_bool(op, "queue.empty", value), wh_set_bool(op, "retry", value);
}

static void eight_strings(const wh_ctx *op)
{
    const char *value = request.path; /* 20 bytes */
    wh_set(op, "order.id", value), wh_set(op, "order.state", value), wh_set(op, "order.currency", value);
    wh_set(op, "url.path", value), wh_set(op, "shelf.name", value), wh_set(op, "server.address", value);
    wh_set(op, "user_agent.original", value), wh_set(op, "http.route", value);
}

static void eight_bytes(const wh_ctx *op)
{
    const struct wh_bytes value = {request.path, 20};
    wh_set(op, "order.key", value), wh_set(op, "order.hash", value), wh_set(op, "order.blob", value);
    wh_set(op, "request.head", value), wh_set(op, "shelf.tag", value), wh_set(op, "tls.session", value);
    wh_set(op, "cookie.digest", value), wh_set(op, "peer.key", value);
}

static void eight_arrays(const wh_ctx *op)
{
    const int64_t ports[] = {request.status, 80, 443, 8080};
    const struct wh_ints value = {ports, 4};
    wh_set(op, "order.ids", value), wh_set(op, "order.lines", value), wh_set(op, "shelf.rows", value);
    wh_set(op, "server.ports", value), wh_set(op, "retry.codes", value), wh_set(op, "cache.sizes", value);
    wh_set(op, "queue.lengths", value), wh_set(op, "peer.ports", value);
}

static void eight_maps(const wh_ctx *op)
{
    const struct wh_attr list[] = {wh_attr("attempt", request.status), wh_attr("server.address", request.server)};
    const struct wh_attrs value = {list, 2};
    wh_set(op, "order.first", value), wh_set(op, "order.second", value), wh_set(op, "shelf.place", value);
    wh_set(op, "server.self", value), wh_set(op, "retry.last", value), wh_set(op, "cache.state", value);
    wh_set(op, "queue.state", value), wh_set(op, "peer.state", value);
}

static void eight_times_the_same(const wh_ctx *op)
{
    int value = request.status;
    HIDE(value);
    for (int i = 0; i < EACH; i++) wh_set(op, "retry.count", value + i);
}

static void eight_events(const wh_ctx *op)
{
    for (int i = 0; i < EACH; i++) wh_event(op, "retry");
}

static void eight_events_with_2(const wh_ctx *op)
{
    for (int i = 0; i < EACH; i++)
        wh_event(op, "retry", .attrs = WH_ATTRS(wh_attr("attempt", i), wh_attr("server.address", request.server)));
}

static void eight_links(const wh_ctx *op)
{
    for (int i = 0; i < EACH; i++) wh_link_to(op, &other);
}

static void nothing(const wh_ctx *op) { (void)op; }

static struct lap spans(size_t n, void (*use)(const wh_ctx *op))
{
    struct lap lap = {0};
    const struct lap begin = lap_begin();
    while (n--) {
        wh_ctx *op = wh_start(source.span, "GET", .kind = WH_CLIENT);
        use(op);
        wh_end(op);
    }
    lap_add(&lap, begin);
    return lap;
}

/* n operations on n / EACH spans. */
static void on_spans(size_t n, struct lap *laps, void (*use)(const wh_ctx *op))
{
    const size_t count = (n + EACH - 1) / EACH;
    const struct lap with = spans(count, use), without = spans(count, nothing);
    laps[0].ns = with.ns > without.ns ? with.ns - without.ns : 0;
    laps[0].mallocs = with.mallocs > without.mallocs ? with.mallocs - without.mallocs : 0;
}

static void set_int(size_t n, struct lap *laps) { on_spans(n, laps, eight_ints); }
static void set_double(size_t n, struct lap *laps) { on_spans(n, laps, eight_doubles); }
static void set_bool(size_t n, struct lap *laps) { on_spans(n, laps, eight_bools); }
static void set_string(size_t n, struct lap *laps) { on_spans(n, laps, eight_strings); }
static void set_bytes(size_t n, struct lap *laps) { on_spans(n, laps, eight_bytes); }
static void set_array(size_t n, struct lap *laps) { on_spans(n, laps, eight_arrays); }
static void set_map(size_t n, struct lap *laps) { on_spans(n, laps, eight_maps); }
static void set_again(size_t n, struct lap *laps) { on_spans(n, laps, eight_times_the_same); }
static void add_event(size_t n, struct lap *laps) { on_spans(n, laps, eight_events); }
static void add_event_with_2(size_t n, struct lap *laps) { on_spans(n, laps, eight_events_with_2); }
static void add_link(size_t n, struct lap *laps) { on_spans(n, laps, eight_links); }

/* ---- the two ends ---- */

enum { OPEN = 64 };

static void starts_and_ends(size_t n, struct lap *laps)
{
    wh_ctx *open[OPEN];
    for (size_t done = 0; done < n; done += OPEN) {
        const size_t count = n - done < OPEN ? n - done : OPEN;
        const struct lap begin = lap_begin();
        for (size_t i = 0; i < count; i++) open[i] = wh_start(source.span, "GET", .kind = WH_CLIENT);
        lap_add(&laps[0], begin);
        const struct lap middle = lap_begin();
        for (size_t i = 0; i < count; i++) wh_end(open[i]);
        lap_add(&laps[1], middle);
    }
}

/* ---- the room ---- */

static void begin(void)
{
    source = source_new(reading_sink_new(), 1 << 18);
    wh_span_of(source.span, &other);
}

static void end(void) { source_end(&source, "of single operations"); }

#define COPY "memcpy of 256 B"
#define LESS "less the span; 8 on each"
#define ON_SPANS(name_, fn) {.rows = {{.name = name_, .floor = COPY, .note = LESS}}, .sample = fn, .rest = rest, .most = MOST_WAITING}
static const struct subject subjects[] = {
    ON_SPANS("wh_set, int", set_int),
    ON_SPANS("wh_set, double", set_double),
    ON_SPANS("wh_set, bool", set_bool),
    ON_SPANS("wh_set, string of 20 bytes", set_string),
    ON_SPANS("wh_set, 20 bytes", set_bytes),
    ON_SPANS("wh_set, array of 4 ints", set_array),
    ON_SPANS("wh_set, map of 2", set_map),
    ON_SPANS("wh_set, int, the same key again", set_again),
    ON_SPANS("wh_event", add_event),
    ON_SPANS("wh_event, 2 attributes", add_event_with_2),
    ON_SPANS("wh_link_to", add_link),
    {.rows = {{.name = "wh_start, sampled", .floor = "clock_gettime"}, {.name = "wh_end, sampled", .floor = "clock_gettime"}},
     .sample = starts_and_ends, .rest = rest, .most = MOST_WAITING},
    {.op = NULL},
};

const struct room operation_room = {.name = "operations", .begin = begin, .subjects = subjects, .end = end};
