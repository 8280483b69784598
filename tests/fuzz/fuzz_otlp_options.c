/* The texts that say where OTLP goes and with which header fields, as they stand in the environment. Input: a character for
 * the protocol, the endpoint in one line, the list of headers in the next. What becomes a field must not be two. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "otlp/target.h"

static void say_nothing(enum wh_severity severity, const char *line, void *arg)
{
    (void)severity;
    (void)arg;
    if (strpbrk(line, "\r\n")) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    char *text = malloc(size + 1), *rest = text + 1;
    memcpy(text, data, size);
    text[size] = '\0';
    struct wh_otlp_opts opts = {.size = sizeof opts, .protocol = data[0] % 3, .insecure = data[0] & 64};
    struct wh__otlp_target target;
    opts.endpoint = strsep(&rest, "\n");
    opts.headers = rest;
    wh_report_to(say_nothing, NULL);
    if (wh__otlp_target_make(&opts, &target) == 0)
        for (const struct curl_slist *line = target.headers; line; line = line->next)
            if (strpbrk(line->data, "\r\n")) abort();
    wh__otlp_target_free(&target);
    free(text);
    return 0;
}
