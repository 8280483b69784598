/* Services for tests: each a provider and a daemon of its own in this process, called over loopback. */
#ifndef SERVICES_H
#define SERVICES_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <whence/curl.h>
#include <whence/microhttpd.h>

#include "test.h"

struct service;
typedef enum MHD_Result handler(struct service *service, struct MHD_Connection *connection);

struct service {
    struct spans spans;
    wh_ctx *root;
    struct MHD_Daemon *daemon;
    handler *handle;
    struct service *callee; /* NULL: it calls nobody */
    unsigned short port;
    bool edge;
    int64_t limit;
};

static inline enum MHD_Result service_answers(void *arg, struct MHD_Connection *connection, const char *url, const char *method,
                                              const char *version, const char *upload, size_t *upload_size, void **state)
{
    struct service *service = arg;
    (void)url, (void)method, (void)version, (void)upload, (void)upload_size, (void)state;
    return service->handle(service, connection);
}

/* spans.root is that of clients; the service has its own, which a test may cancel. */
static inline void service_begin(struct service *service, const char *name, handler *handle, struct service *callee)
{
    const struct sockaddr_in loopback = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    service->spans = spans_begin_with((struct wh_provider_opts){.service = name});
    service->root = wh_with_cancel(service->spans.root);
    service->handle = handle;
    service->callee = callee;
    service->daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL, 0, NULL, NULL,
        service_answers, service, MHD_OPTION_SOCK_ADDR, &loopback, WH_MHD_OPTIONS, MHD_OPTION_END);
    assert_non_null(service->daemon);
    service->port = MHD_get_daemon_info(service->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
}

/* Its spans stay until service_end(). */
static inline void service_stop(struct service *service)
{
    wh_mhd_stop(service->daemon, WH_SEC(30));
    wh_end(service->root);
}

static inline void service_end(struct service *service)
{
    spans_end(&service->spans);
}

static inline struct wh_span_view span_of_kind(struct spans *spans, enum wh_kind kind)
{
    struct wh_span_view view, found = {0};
    int count = 0;
    assert_int_equal(wh_provider_flush(spans->provider, WH_SEC(30)), 0);
    for (size_t i = 0; wh_memory_span(spans->memory, i, &view); i++)
        if (view.kind == kind) found = view, count++;
    if (count != 1) fail_msg("%d spans of kind %d", count, (int)kind);
    return found;
}

static inline size_t ignore_body(char *data, size_t one, size_t count, void *arg)
{
    (void)data, (void)arg;
    return one * count;
}

/* GET /, and the status; 0 if there was none. */
static inline long call_port(const wh_ctx *ctx, unsigned short port, int64_t timeout, CURLcode *result)
{
    char url[64];
    long status = 0;
    CURL *easy = curl_easy_init();
    snprintf(url, sizeof url, "http://127.0.0.1:%u/", port);
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, ignore_body);
    const CURLcode rc = wh_curl_perform(ctx, easy, .timeout = timeout);
    if (result) *result = rc;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_cleanup(easy);
    return status;
}

static inline int connect_to(unsigned short port)
{
    const struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

/* Until the other side closes, or there is no more room. */
static inline void read_all(int fd, char *answer, size_t size)
{
    size_t len = 0;
    for (ssize_t n; len + 1 < size && (n = read(fd, answer + len, size - 1 - len)) > 0;) len += (size_t)n;
    answer[len] = '\0';
}

static inline int set_up_curl(void **state)
{
    (void)state;
    return (int)curl_global_init(CURL_GLOBAL_DEFAULT);
}

static inline int clean_up_curl(void **state)
{
    (void)state;
    curl_global_cleanup();
    return 0;
}

#endif
