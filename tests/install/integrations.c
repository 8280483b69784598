/* One call of each integration: a port where nobody listens, a daemon that is stopped, a database in memory. */
#include <stdio.h>
#include <whence/curl.h>
#include <whence/microhttpd.h>
#include <whence/sqlite.h>

static enum MHD_Result answer(void *root, struct MHD_Connection *connection, const char *url, const char *method,
                              const char *version, const char *body, size_t *size, void **state)
{
    (void)version, (void)body, (void)size, (void)state;
    WH_AUTO wh_ctx *request = wh_mhd_start((const wh_ctx *)root, connection, .method = method, .url = url);
    return wh_mhd_reply_text(request, connection, MHD_HTTP_OK, "text/plain", "here\n");
}

static CURLcode get(const wh_ctx *root, unsigned port)
{
    char url[64];
    CURL *easy = curl_easy_init();
    snprintf(url, sizeof url, "http://127.0.0.1:%u/", port);
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
    const CURLcode code = wh_curl_perform(root, easy, .route = "/");
    curl_easy_cleanup(easy);
    return code;
}

int main(void)
{
    WH_AUTO wh_ctx *root = wh_main("integrations");
    sqlite3 *db;
    if (sqlite3_open(":memory:", &db) || wh_sqlite_exec(root, db, "create table t (a)")) return 1;
    sqlite3_close(db);

    struct MHD_Daemon *daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION, 0, NULL,
                                                 NULL, answer, (void *)root, WH_MHD_OPTIONS, MHD_OPTION_END);
    if (!daemon) return 2;
    const unsigned port = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
    if (get(root, port) != CURLE_OK) return 3;
    wh_mhd_stop(daemon, WH_MS(100)); /* curl keeps its connection open */
    if (get(root, port) != CURLE_COULDNT_CONNECT) return 4;
    return 0;
}
