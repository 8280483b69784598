#include "jaeger.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector.h"

#define QUERY "http://localhost:16686"
#define CANCELLED "service=gateway&tags=%7B%22whence.cancelled%22%3A%22true%22%7D"

static bool has_ui;

static size_t look(char *data, size_t one, size_t count, void *arg)
{
    char *page = arg;
    const size_t had = strlen(page), room = 16383 - had, bytes = one * count;
    memcpy(page + had, data, bytes < room ? bytes : room);
    page[had + (bytes < room ? bytes : room)] = '\0';
    return bytes;
}

/* A Jaeger that was built from its Go module alone has a page in place of the UI that says so, and the whole API. */
static bool finds_ui(void)
{
    static char page[16384];
    CURL *easy = curl_easy_init();
    page[0] = '\0';
    curl_easy_setopt(easy, CURLOPT_URL, QUERY "/");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, 2000L);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, look);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, (void *)page);
    const bool answers = curl_easy_perform(easy) == CURLE_OK;
    curl_easy_cleanup(easy);
    return answers && *page && !strstr(page, "not compiled with the UI");
}

const char *jaeger_find(void)
{
    const char *set = getenv("SHOP_JAEGER"), *otlp = set ? set : "http://127.0.0.1:4318";
    if (!collector_is_at(otlp)) return NULL;
    has_ui = !set && finds_ui();
    return otlp;
}

void jaeger_print_trace(const char *trace_id)
{
    printf("   in Jaeger: %s%s/%s\n", QUERY, has_ui ? "/trace" : "/api/traces", trace_id);
}

void jaeger_print_cancelled(void)
{
    printf("Those that were cancelled, in Jaeger: %s%s?%s\n", QUERY, has_ui ? "/search" : "/api/traces", CANCELLED);
    if (!has_ui) printf("This Jaeger was built without its UI; one that has it shows the same traces under /trace and /search.\n");
}
