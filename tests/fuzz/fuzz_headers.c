/* Whatever comes in as header fields: traceparent, tracestate, request id, timeouts. Input: one field a line. What is
 * accepted goes out again, and must then be accepted unchanged. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <whence/whence.h>

static const char *const names[] = {"traceparent", "tracestate", "x-request-id", "whence-timeout", "grpc-timeout"};
enum { NAMES = sizeof names / sizeof *names };

struct carrier {
    char *values[NAMES];
};

static const char *get(void *arg, const char *name)
{
    const struct carrier *carrier = arg;
    for (int i = 0; i < NAMES; i++)
        if (strcmp(names[i], name) == 0) return carrier->values[i];
    return NULL;
}

static void set(void *arg, const char *name, const char *value)
{
    struct carrier *carrier = arg;
    for (int i = 0; i < NAMES; i++)
        if (strcmp(names[i], name) == 0) carrier->values[i] = strdup(value);
}

static void require(bool holds)
{
    if (!holds) abort();
}

static bool same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1), *rest = text;
    struct carrier in = {{NULL}}, out = {{NULL}}, again = {{NULL}};
    memcpy(text, data, size);
    text[size] = '\0';
    for (int i = 0; i < NAMES && rest; i++) in.values[i] = strsep(&rest, "\n");
    wh_ctx *from = wh_extract(NULL, get, &in);
    wh_inject(from, set, &out);
    wh_ctx *second = wh_extract(NULL, get, &out);
    wh_inject(second, set, &again);
    for (int i = 0; i < 3; i++) require(same(out.values[i], again.values[i]));
    require(!out.values[3] == !again.values[3]);
    wh_end(second);
    wh_end(from);
    for (int i = 0; i < NAMES; i++) {
        free(out.values[i]);
        free(again.values[i]);
    }
    free(text);
    return 0;
}
