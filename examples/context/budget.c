/* The deadline crosses processes as the time that is left, with what has passed deducted; no clocks are compared: pattern
 * 26. The request id, and the span where there is one, travel with it. */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <whence/whence.h>

/* Stands for the headers of an HTTP request. */
struct headers {
    struct { char name[32], value[128]; } line[8];
    size_t count;
};

static void set_header(void *carrier, const char *name, const char *value)
{
    struct headers *headers = carrier;
    if (headers->count == 8) return;
    snprintf(headers->line[headers->count].name, sizeof headers->line->name, "%s", name);
    snprintf(headers->line[headers->count++].value, sizeof headers->line->value, "%s", value);
}

static const char *get_header(void *carrier, const char *name)
{
    struct headers *headers = carrier;
    for (size_t i = 0; i < headers->count; i++)
        if (strcasecmp(headers->line[i].name, name) == 0) return headers->line[i].value;
    return NULL;
}

/* Another process, further on. */
static void serve(const wh_ctx *root, struct headers *received, int64_t callers_left)
{
    WH_AUTO wh_ctx *from = wh_extract(root, get_header, received);
    WH_AUTO wh_ctx *request = wh_with_timeout(from, WH_MIN(5)); /* its own limit: the caller's holds, it is earlier */
    printf("request %s: no more time than the caller had when it called: %s\n", wh_request_id(request),
           wh_remaining(request) <= callers_left ? "yes" : "no");
    printf("and some: %s\n", wh_remaining(request) > 0 ? "yes" : "no");
}

int main(void)
{
    struct headers headers = {.count = 0};
    WH_AUTO wh_ctx *id = wh_with_request_id(NULL, "r-17");
    WH_AUTO wh_ctx *request = wh_with_timeout(id, WH_SEC(60));
    wh_sleep(request, WH_MS(20)); /* what is spent here is not there to be spent by others */
    const int64_t left = wh_remaining(request);
    wh_inject(request, set_header, &headers);
    for (size_t i = 0; i < headers.count; i++)
        printf("header %s: %s\n", headers.line[i].name, headers.line[i].value);
    serve(wh_background(), &headers, left + WH_MS(1)); /* it is rounded up */
    return 0;
}
