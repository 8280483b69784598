#include "collector.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <whence/whence.h>

static struct {
    pthread_mutex_t lock;
    struct MHD_Daemon *daemon;
    struct wh_exporter *console, *file;
    char forward[256];
    unsigned long spans;
    char trace_id[33];
} collector = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* ---- what comes in ---- */

struct body {
    char *bytes;
    size_t len;
};

static int take_batch(const struct wh_batch *batch, void *arg)
{
    size_t rejected = 0;
    struct wh_span_view span;
    (void)arg;
    collector.console->export_batch(collector.console, batch, WH_NEVER, &rejected);
    collector.file->export_batch(collector.file, batch, WH_NEVER, &rejected);
    collector.spans += batch->count;
    if (wh_span_read(batch->scopes[0].spans[0], &span))
        for (int i = 0; i < 16; i++) snprintf(collector.trace_id + 2 * i, 3, "%02x", span.trace_id[i]);
    return 0;
}

static size_t ignore(char *data, size_t one, size_t count, void *arg)
{
    (void)data, (void)arg;
    return one * count;
}

static long post(const char *base_url, const char *bytes, size_t len)
{
    char url[300];
    long status = 0;
    CURL *easy = curl_easy_init();
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/x-protobuf");
    snprintf(url, sizeof url, "%s/v1/traces", base_url);
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, bytes);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)len);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, ignore);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, 2000L);
    curl_easy_perform(easy);
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    curl_slist_free_all(headers);
    curl_easy_cleanup(easy);
    return status;
}

static unsigned take_request(const struct body *body)
{
    pthread_mutex_lock(&collector.lock);
    const int rc = wh_read_request((struct wh_bytes){body->bytes, body->len}, take_batch, NULL);
    pthread_mutex_unlock(&collector.lock);
    if (rc == 0 && *collector.forward) post(collector.forward, body->bytes, body->len);
    return rc ? MHD_HTTP_BAD_REQUEST : MHD_HTTP_OK;
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *url, const char *method,
                                  const char *version, const char *upload, size_t *upload_size, void **state)
{
    struct body *body = *state;
    (void)arg, (void)url, (void)method, (void)version;
    if (!body) return (*state = calloc(1, sizeof *body)) ? MHD_YES : MHD_NO;
    if (*upload_size) {
        char *bytes = realloc(body->bytes, body->len + *upload_size);
        if (!bytes) return MHD_NO;
        memcpy(bytes + body->len, upload, *upload_size);
        body->bytes = bytes;
        body->len += *upload_size;
        *upload_size = 0;
        return MHD_YES;
    }
    struct MHD_Response *response = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    const enum MHD_Result queued = MHD_queue_response(connection, take_request(body), response);
    MHD_destroy_response(response);
    return queued;
}

static void on_completed(void *arg, struct MHD_Connection *connection, void **state, enum MHD_RequestTerminationCode code)
{
    struct body *body = *state;
    (void)arg, (void)connection, (void)code;
    if (body) free(body->bytes);
    free(body);
}

/* ---- starting, showing, stopping ---- */

bool collector_is_at(const char *base_url)
{
    return post(base_url, "", 0) == 200;
}

unsigned short collector_start(const char *file, const char *forward)
{
    const struct sockaddr_in loopback = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    collector.console = wh_console_exporter_new(stdout);
    collector.file = wh_file_exporter_new(file);
    snprintf(collector.forward, sizeof collector.forward, "%s", forward ? forward : "");
    if (!collector.console || !collector.file) return 0;
    collector.daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL, 0, NULL, NULL, on_request, NULL,
        MHD_OPTION_SOCK_ADDR, &loopback, MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_END);
    return collector.daemon ? MHD_get_daemon_info(collector.daemon, MHD_DAEMON_INFO_BIND_PORT)->port : 0;
}

bool collector_show(char trace_id[33])
{
    pthread_mutex_lock(&collector.lock);
    const bool any = collector.spans > 0;
    fflush(stdout);
    collector.console->flush(collector.console, WH_NEVER);
    collector.spans = 0;
    memcpy(trace_id, collector.trace_id, sizeof collector.trace_id);
    pthread_mutex_unlock(&collector.lock);
    return any;
}

void collector_stop(void)
{
    MHD_stop_daemon(collector.daemon);
    wh_exporter_free(collector.console);
    wh_exporter_free(collector.file);
}
