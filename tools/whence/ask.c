/* Asking a Jaeger: /api/traces, which it has had for ever and finds by tags, for ids; /api/v3/traces/{id}, which is OTLP, for the
 * spans. An older one that does not know the second is asked by the first alone. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ids.h"
#include "json.h"
#include "options.h"
#include "store.h"

#ifndef TOOL_HAS_CURL
long jaeger_ask(struct model *model, const struct options *options)
{
    (void)model, (void)options;
    fputs("whence: built without libcurl: no Jaeger can be asked\n", stderr);
    return -1;
}
#else

#include <curl/curl.h>

enum { MOST_ANSWER = 1 << 30, PATIENCE_MS = 60000, CONNECT_MS = 10000, MOST_SERVICES = 1000 };

struct asking {
    CURL *easy;
    const char *base;   /* the address, as given */
    struct model *model;
    char *body;         /* of the last answer; terminated */
    size_t len, capacity;
    long status;
    char error[CURL_ERROR_SIZE];
};

/* ---- one question ---- */

static size_t keep(char *data, size_t one, size_t count, void *arg)
{
    struct asking *asking = arg;
    const size_t bytes = one * count;
    if (bytes > MOST_ANSWER - asking->len) return 0;
    if (asking->capacity - asking->len < bytes + 1) {
        asking->capacity = 2 * asking->capacity + bytes + 4096;
        asking->body = must_resize(asking->body, asking->capacity, 1);
    }
    memcpy(asking->body + asking->len, data, bytes);
    asking->body[asking->len += bytes] = '\0';
    return bytes;
}

/* http://host:16686 of whatever of it was given. */
static char *url_of(const char *base, const char *path)
{
    const bool has_scheme = strstr(base, "://");
    const char *host = has_scheme ? strstr(base, "://") + 3 : base, *port = strrchr(host, ':');
    const bool has_port = (port && !strchr(port, ']')) || strchr(host, '/') || (has_scheme && strncmp(base, "https", 5) == 0);
    size_t len = strlen(base);
    while (len && base[len - 1] == '/') len--;
    const size_t size = len + strlen(path) + 32;
    char *url = must_get(size);
    snprintf(url, size, "%s%.*s%s%s", has_scheme ? "" : "http://", (int)len, base, has_port ? "" : ":16686", path);
    return url;
}

/* False, after a word on standard error, if there was no answer; 404 is one. */
static bool ask(struct asking *asking, const char *path)
{
    char *url = url_of(asking->base, path);
    asking->len = 0;
    asking->status = 0;
    asking->error[0] = '\0';
    curl_easy_setopt(asking->easy, CURLOPT_URL, url);
    const CURLcode rc = curl_easy_perform(asking->easy);
    curl_easy_getinfo(asking->easy, CURLINFO_RESPONSE_CODE, &asking->status);
    const bool good = rc == CURLE_OK && (asking->status == 200 || asking->status == 404);
    if (rc != CURLE_OK) fprintf(stderr, "whence: %s: %s\n", url, asking->error[0] ? asking->error : curl_easy_strerror(rc));
    else if (!good) fprintf(stderr, "whence: %s: HTTP %ld\n", url, asking->status);
    free(url);
    return good;
}

static long read_answer(struct asking *asking)
{
    char why[80];
    const long count = model_read_json(asking->model, asking->len ? asking->body : "", asking->len, why, sizeof why);
    if (count < 0) fprintf(stderr, "whence: what %s answers %s\n", asking->base, why);
    return count;
}

/* ---- one trace ---- */

/* All the digits are needed: a Jaeger finds no trace by the first of them. raw: as it was sent. */
static long ask_trace(struct asking *asking, const char *id)
{
    char path[128];
    if (strlen(id) != 32) {
        fprintf(stderr, "whence: a Jaeger wants all 32 digits of a trace id, and here are %zu; the first of them are enough for files: %s\n",
            strlen(id), id);
        return -1;
    }
    snprintf(path, sizeof path, "/api/v3/traces/%s?raw_traces=true", id);
    if (!ask(asking, path)) return -1;
    if (asking->status == 200) return read_answer(asking);
    snprintf(path, sizeof path, "/api/traces/%s", id);
    if (!ask(asking, path)) return -1;
    return asking->status == 200 ? read_answer(asking) : 0;
}

/* ---- a search ---- */

/* The ids of what /api/traces has found. */
static long ask_found(struct asking *asking)
{
    long count = 0;
    uint8_t id[16];
    char hex[TRACE_HEX];
    cJSON *answer = cJSON_ParseWithLength(asking->len ? asking->body : "", asking->len);
    const cJSON *trace;
    cJSON_ArrayForEach(trace, json_get(answer, "data")) {
        if (!id_read(id, 16, json_string(json_get(trace, "traceID")))) continue;
        const long read = ask_trace(asking, id_hex(hex, id, 16));
        if (read < 0) return cJSON_Delete(answer), -1;
        count += read;
    }
    cJSON_Delete(answer);
    return count;
}

static long search(struct asking *asking, const struct options *options, const char *service)
{
    static const char tags[] = "{\"whence.cancelled\":\"true\"}";
    const uint64_t now = (uint64_t)time(NULL) * 1000000 + 999999, since = options->since / 1000;
    char *name = curl_easy_escape(asking->easy, service, 0), *filter = curl_easy_escape(asking->easy, tags, 0);
    char *path = must_get(strlen(name ? name : "") + strlen(filter ? filter : "") + 160);
    sprintf(path, "/api/traces?service=%s&tags=%s&start=%llu&end=%llu&limit=%u", name ? name : "", filter ? filter : "",
        (unsigned long long)(now > since ? now - since : 0), (unsigned long long)now, options->limit);
    const bool good = ask(asking, path);
    curl_free(name);
    curl_free(filter);
    free(path);
    return good ? asking->status == 200 ? ask_found(asking) : 0 : -1;
}

/* A search of Jaeger's is one of a service: without one, of all in turn. */
static long search_all(struct asking *asking, const struct options *options)
{
    long count = 0;
    const cJSON *name;
    unsigned services = 0;
    if (!ask(asking, "/api/services")) return -1;
    cJSON *answer = cJSON_ParseWithLength(asking->len ? asking->body : "", asking->len);
    if (!answer) fprintf(stderr, "whence: what %s answers is no JSON: is it a Jaeger?\n", asking->base);
    long read = answer ? 0 : -1;
    cJSON_ArrayForEach(name, json_get(answer, "data")) {
        if (read < 0 || services++ >= MOST_SERVICES) break;
        read = search(asking, options, json_string(name));
        count += read > 0 ? read : 0;
    }
    cJSON_Delete(answer);
    return read < 0 ? -1 : count;
}

/* ---- all of it ---- */

static void prepare(struct asking *asking)
{
    curl_easy_setopt(asking->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(asking->easy, CURLOPT_WRITEFUNCTION, keep);
    curl_easy_setopt(asking->easy, CURLOPT_WRITEDATA, asking);
    curl_easy_setopt(asking->easy, CURLOPT_ERRORBUFFER, asking->error);
    curl_easy_setopt(asking->easy, CURLOPT_TIMEOUT_MS, (long)PATIENCE_MS);
    curl_easy_setopt(asking->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    curl_easy_setopt(asking->easy, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(asking->easy, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(asking->easy, CURLOPT_MAXREDIRS, 4L);
    curl_easy_setopt(asking->easy, CURLOPT_USERAGENT, "whence");
}

static long ask_all(struct asking *asking, const struct options *options)
{
    long count = 0, read = 0;
    for (size_t i = 0; i < options->trace_count && read >= 0; i++) count += read = ask_trace(asking, options->traces[i]);
    if (read >= 0 && !options->trace_count)
        count = read = options->service ? search(asking, options, options->service) : search_all(asking, options);
    return read < 0 ? -1 : count;
}

long jaeger_ask(struct model *model, const struct options *options)
{
    struct asking asking = {.base = options->jaeger, .model = model};
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0 || !(asking.easy = curl_easy_init())) {
        fputs("whence: libcurl does not start\n", stderr);
        return -1;
    }
    prepare(&asking);
    const long count = ask_all(&asking, options);
    curl_easy_cleanup(asking.easy);
    curl_global_cleanup();
    free(asking.body);
    return count;
}

#endif
