/* One link of a chain of services: answers /chain by asking the next one for it, for as long as its request lasts.
 *
 *   link NAME PORT [URL_OF_THE_NEXT]       port 0: any; without a next one it is the last
 *
 * In the query: slow=NAME: that one asks nobody, and works until it is stopped, ten seconds at most; limit=NAME:MS: that one's own
 * limit. GET /cancel cancels the request that is under way here.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <whence/curl.h>
#include <whence/microhttpd.h>

WH_REASON(drained, "drained", .http_status = 503);

static const char *name, *next;
static const wh_ctx *root;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static wh_ctx *under_way; /* the lock's */

static void set_under_way(wh_ctx *req)
{
    pthread_mutex_lock(&lock);
    under_way = req;
    pthread_mutex_unlock(&lock);
}

static void cancel_it(void)
{
    pthread_mutex_lock(&lock);
    if (under_way) wh_cancel(under_way, drained, "this machine is taken out of service");
    pthread_mutex_unlock(&lock);
}

static const char *parameter(struct MHD_Connection *connection, const char *key)
{
    const char *value = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, key);
    return value ? value : "";
}

static int64_t own_limit(struct MHD_Connection *connection)
{
    const char *limit = parameter(connection, "limit"), *colon = strchr(limit, ':');
    return colon && strlen(name) == (size_t)(colon - limit) && strncmp(limit, name, (size_t)(colon - limit)) == 0 ? WH_MS(atoi(colon + 1)) : 0;
}

static size_t forget(char *data, size_t one, size_t count, void *arg)
{
    (void)data, (void)arg;
    return one * count;
}

static unsigned ask(const wh_ctx *req, struct MHD_Connection *connection)
{
    char url[512];
    long status = 0;
    CURL *easy = curl_easy_init();
    if (!easy) return 500;
    snprintf(url, sizeof url, "%s/chain?slow=%s&limit=%s", next, parameter(connection, "slow"), parameter(connection, "limit"));
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, forget);
    const CURLcode rc = wh_curl_perform(req, easy, .route = "/chain");
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_cleanup(easy);
    if (wh_err(req)) return (unsigned)wh_http_status(req);
    return rc == CURLE_OK && status < 400 ? 200 : status == 504 ? 504 : 502;
}

static unsigned work(const wh_ctx *req)
{
    return wh_sleep(req, WH_SEC(10)) ? (unsigned)wh_http_status(req) : 200;
}

static enum MHD_Result handle(void *arg, struct MHD_Connection *connection, const char *url, const char *method,
                              const char *version, const char *upload, size_t *upload_size, void **state)
{
    char trace[33];
    (void)arg, (void)version, (void)upload, (void)upload_size, (void)state;
    if (strcmp(url, "/cancel") == 0) {
        cancel_it();
        return wh_mhd_reply_text(root, connection, 200, "text/plain", "done\n");
    }
    WH_MHD_AUTO wh_ctx *req = wh_mhd_start(root, connection, .method = method, .url = url, .route = "/chain",
        .timeout = own_limit(connection));
    set_under_way(req);
    fprintf(stderr, "reached %s\n", wh_trace_id_hex(req, trace));
    const bool is_slow = strcmp(parameter(connection, "slow"), name) == 0;
    const unsigned status = is_slow ? work(req) : next ? ask(req, connection) : 200;
    set_under_way(NULL);
    return wh_mhd_reply_text(req, connection, status, "text/plain", status == 200 ? "yes\n" : "no\n");
}

int main(int argc, char **argv)
{
    if (argc < 3) return 2;
    name = argv[1];
    next = argv[3];
    const struct sockaddr_in loopback = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(argv[2])),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    curl_global_init(CURL_GLOBAL_DEFAULT);
    WH_AUTO wh_ctx *program = wh_main(name);
    root = program;
    struct MHD_Daemon *daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL,
        0, NULL, NULL, handle, NULL, MHD_OPTION_SOCK_ADDR, &loopback, WH_MHD_OPTIONS, MHD_OPTION_END);
    if (!daemon) return 1;
    printf("listening on %u\n", MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
    fflush(stdout);
    wh_wait(program, WH_NEVER);
    wh_mhd_stop(daemon, WH_SEC(2));
    return 0;
}
