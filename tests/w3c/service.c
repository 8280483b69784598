/* A service for the test suite of W3C Trace Context: POST it a JSON list of {"url": ..., "arguments": [...]}; for each entry
 * it POSTs the arguments to the URL, with the context of the request injected. How to run the suite: README.md, here.
 *
 *   service PORT
 */
#include <arpa/inet.h>
#include <cjson/cJSON.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <whence/curl.h>
#include <whence/microhttpd.h>

struct body {
    char *text;
    size_t len;
};

static size_t ignore(char *data, size_t one, size_t count, void *arg)
{
    (void)data, (void)arg;
    return one * count;
}

static void post(const wh_ctx *ctx, const char *url, const char *json)
{
    CURL *easy = curl_easy_init();
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, json);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, ignore);
    wh_curl_perform(ctx, easy, .headers = headers, .timeout = WH_SEC(10));
    curl_slist_free_all(headers);
    curl_easy_cleanup(easy);
}

static int call_all(const wh_ctx *ctx, const char *text)
{
    cJSON *list = cJSON_Parse(text);
    if (!cJSON_IsArray(list)) {
        cJSON_Delete(list);
        return 400;
    }
    const cJSON *entry;
    cJSON_ArrayForEach(entry, list)
    {
        const cJSON *url = cJSON_GetObjectItem(entry, "url"), *arguments = cJSON_GetObjectItem(entry, "arguments");
        char *json = arguments ? cJSON_PrintUnformatted(arguments) : NULL;
        if (cJSON_IsString(url)) post(ctx, url->valuestring, json ? json : "[]");
        free(json);
    }
    cJSON_Delete(list);
    return 200;
}

static enum MHD_Result on_request(void *root, struct MHD_Connection *connection, const char *url, const char *method,
                                  const char *version, const char *upload, size_t *upload_size, void **state)
{
    struct body *body = *state;
    (void)version;
    if (!body) return (*state = calloc(1, sizeof *body)) ? MHD_YES : MHD_NO;
    if (*upload_size) {
        char *text = realloc(body->text, body->len + *upload_size + 1);
        if (!text) return MHD_NO;
        memcpy(text + body->len, upload, *upload_size);
        body->text = text;
        text[body->len += *upload_size] = '\0';
        *upload_size = 0;
        return MHD_YES;
    }
    WH_AUTO wh_ctx *req = wh_mhd_start(root, connection, .method = method, .url = url);
    return wh_mhd_reply_text(req, connection, (unsigned)call_all(req, body->text ? body->text : "[]"), "application/json", "[]");
}

static void on_completed(void *arg, struct MHD_Connection *connection, void **state, enum MHD_RequestTerminationCode code)
{
    struct body *body = *state;
    (void)arg, (void)connection, (void)code;
    if (body) free(body->text);
    free(body);
}

int main(int argc, char **argv)
{
    const struct sockaddr_in loopback = {.sin_family = AF_INET, .sin_port = htons((unsigned short)(argc > 1 ? atoi(argv[1]) : 0)),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    curl_global_init(CURL_GLOBAL_DEFAULT);
    WH_AUTO wh_ctx *root = wh_main("w3c-test-service");
    struct MHD_Daemon *daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL,
        0, NULL, NULL, on_request, root, MHD_OPTION_SOCK_ADDR, &loopback, MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_END);
    if (!daemon) return 1;
    printf("listening on %u\n", MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
    fflush(stdout);
    wh_wait(root, WH_NEVER);
    wh_mhd_stop(daemon, WH_SEC(2));
    return 0;
}
