#include "shop.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- serving ---- */

struct service {
    const wh_ctx *root;
    shop_handler *handler;
};

static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *url, const char *method,
                                  const char *version, const char *upload, size_t *upload_size, void **state)
{
    const struct service *service = arg;
    (void)version, (void)upload, (void)upload_size, (void)state;
    return service->handler(service->root, connection, url, method);
}

int shop_serve(const wh_ctx *root, unsigned short port, shop_handler *handler)
{
    struct service service = {root, handler};
    const struct sockaddr_in loopback = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct MHD_Daemon *daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL,
        0, NULL, NULL, on_request, &service, MHD_OPTION_SOCK_ADDR, &loopback, WH_MHD_OPTIONS, MHD_OPTION_END);
    if (!daemon) {
        fprintf(stderr, "cannot listen on 127.0.0.1:%u\n", port);
        return 1;
    }
    printf("listening on %u\n", MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
    fflush(stdout);
    wh_wait(root, WH_NEVER);
    wh_mhd_stop(daemon, WH_SEC(2));
    return 0;
}

/* ---- logging ---- */

void shop_log(const wh_ctx *req, const char *what, unsigned status)
{
    char trace[33], why[1024];
    fprintf(stderr, "%s %u request=%s trace=%s\n", what, status, wh_request_id(req), wh_trace_id_hex(req, trace));
    if (!wh_err(req)) return;
    wh_explain(req, why, sizeof why);
    fprintf(stderr, "%s\n", why);
}

/* ---- asking each other ---- */

const char *shop_parameter(struct MHD_Connection *connection, const char *name)
{
    const char *value = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, name);
    return value ? value : "";
}

int64_t shop_limit(struct MHD_Connection *connection, const char *name, int64_t otherwise)
{
    const char *value = shop_parameter(connection, name);
    return *value ? WH_MS(atol(value)) : otherwise;
}

struct body {
    char *buf;
    size_t size, len;
};

static size_t keep(char *data, size_t one, size_t count, void *arg)
{
    struct body *body = arg;
    const size_t room = body->size - 1 - body->len, bytes = one * count;
    const size_t kept = bytes < room ? bytes : room;
    memcpy(body->buf + body->len, data, kept);
    body->buf[body->len += kept] = '\0';
    return bytes;
}

int shop_get_at(const struct wh_site *site, const wh_ctx *ctx, const char *url, const char *route, int64_t timeout, char *buf, size_t size)
{
    struct body body = {buf, size, 0};
    long status = 0;
    CURL *easy = curl_easy_init();
    if (!easy) return ENOMEM;
    buf[0] = '\0';
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, keep);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &body);
    const struct wh_curl_opts opts = {.size = sizeof opts, .site = site, .easy = easy, .route = route, .timeout = timeout};
    const CURLcode rc = wh_curl_perform_at(ctx, &opts);
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_cleanup(easy);
    if (rc == CURLE_OK) return status < 400 ? 0 : EIO;
    return rc == CURLE_OPERATION_TIMEDOUT ? ETIMEDOUT : rc == CURLE_ABORTED_BY_CALLBACK ? ECANCELED : EIO;
}
