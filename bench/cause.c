/* The field of a response that says why a callee gave up: what it costs to write, and to read. */
#include <string.h>
#include <whence/whence.h>

#include "bench.h"

#define SPAN ";t=\"4bf92f3577b34da6a3ce929d0e0e4736\";p=\"00f067aa0ba902b7\""
#define FIRST "deadline_exceeded;v=1;m=%\"budget spent\";s=\"rates.c:40 handle\"" SPAN ";n=%\"GET /rate\";o=%\"rates\""
#define MORE ", ETIMEDOUT;m=%\"no answer\";s=\"pool.c:217 pool_take\"" SPAN ";n=%\"GET /rate\";o=%\"rates\""

static const char one_cause[] = FIRST, four_causes[] = FIRST MORE MORE MORE;
static const char refused[] = FIRST MORE MORE MORE ", x;m=%\"not closed";

static wh_provider *provider;
static wh_ctx *root, *one, *four, *client;

/* A context that was cancelled because of what a callee has said. */
static wh_ctx *stopped_by(const char *field)
{
    wh_ctx *culprit = wh_start(root, "client", .kind = WH_CLIENT), *stopped = wh_start(root, "GET /price", .kind = WH_SERVER);
    if (field && !wh_cause_read(culprit, field)) bench_die("not taken: %s", field);
    wh_cancel_because(stopped, WH_SIBLING_FAILED, "no use without a price", culprit);
    wh_end(culprit);
    return stopped;
}

static void write_all(const wh_ctx *ctx, size_t n)
{
    char field[WH_CAUSE_SIZE];
    while (n--) {
        size_t len = wh_cause_write(ctx, field, sizeof field);
        HIDE(len);
    }
}

static void read_all(const char *field, size_t n)
{
    while (n--) wh_cause_read(client, field);
}

static void write_none(size_t n) { write_all(root, n); }
static void write_one(size_t n) { write_all(one, n); }
static void write_four(size_t n) { write_all(four, n); }
static void read_one(size_t n) { read_all(one_cause, n); }
static void read_four(size_t n) { read_all(four_causes, n); }
static void read_refused(size_t n) { read_all(refused, n); }

static void on_span(const char *field, size_t n)
{
    while (n--) {
        wh_ctx *span = wh_start(root, "client", .kind = WH_CLIENT);
        if (field) wh_cause_read(span, field);
        wh_end(span);
    }
}

static void span_alone(size_t n) { on_span(NULL, n); }
static void span_with_one(size_t n) { on_span(one_cause, n); }
static void span_with_four(size_t n) { on_span(four_causes, n); }

static void begin(void)
{
    char field[WH_CAUSE_SIZE];
    provider = wh_provider_new(.service = "bench");
    if (!provider) bench_die("no memory for a provider");
    root = wh_provider_root(provider);
    one = stopped_by(NULL);
    four = stopped_by(FIRST MORE MORE);
    client = wh_with_cancel(NULL);
    if (!wh_cause_write(one, field, sizeof field) || strchr(field, ',')) bench_die("not one cause: %s", field);
    if (!wh_cause_write(four, field, sizeof field)) bench_die("nothing is written");
    if (wh_cause_read(client, refused) || !wh_cause_read(client, four_causes)) bench_die("not taken, or not refused");
}

static void end(void)
{
    wh_end(client);
    wh_end(four);
    wh_end(one);
    wh_end(root);
    wh_provider_shutdown(provider, WH_SEC(5));
}

static const struct subject subjects[] = {
    {.rows = {{.name = "cause, nothing to write", .note = "the context is neither done nor failed"}}, .op = write_none},
    {.rows = {{.name = "cause, write 1"}}, .op = write_one},
    {.rows = {{.name = "cause, write 4"}}, .op = write_four},
    {.rows = {{.name = "cause, read 1", .note = "and it is noted for a failure to come"}}, .op = read_one},
    {.rows = {{.name = "cause, read 4"}}, .op = read_four},
    {.rows = {{.name = "cause, refused at the last byte"}}, .op = read_refused},
    {.rows = {{.name = "cause, a client span without one"}}, .op = span_alone},
    {.rows = {{.name = "cause, a client span that takes 1"}}, .op = span_with_one},
    {.rows = {{.name = "cause, a client span that takes 4"}}, .op = span_with_four},
    {.op = NULL},
};

const struct room cause_room = {.name = "causes", .begin = begin, .subjects = subjects, .end = end};
