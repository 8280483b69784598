/* A service with Whence: README.md, one folder up. */
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

static bool append(struct body *body, const char *data, size_t len)
{
    char *text = realloc(body->text, body->len + len + 1);
    if (!text) return false;
    memcpy(text + body->len, data, len);
    body->text = text;
    text[body->len += len] = '\0';
    return true;
}

/* ---- what is seen ---- */

static cJSON *baggage_of(const wh_ctx *ctx)
{
    struct wh_baggage_member member;
    cJSON *baggage = cJSON_CreateObject();
    for (size_t i = 0; wh_baggage_at(ctx, i, &member); i++)
        cJSON_AddItemToObject(baggage, member.name,
                              cJSON_CreateStringArray((const char *const[]){member.value, member.metadata ? member.metadata : ""}, 2));
    return baggage;
}

static cJSON *seen(const wh_ctx *ctx)
{
    struct wh_span_context span;
    char hex[33];
    cJSON *object = cJSON_CreateObject();
    wh_span_of(ctx, &span);
    cJSON_AddStringToObject(object, "service", getenv("OTEL_SERVICE_NAME"));
    cJSON_AddStringToObject(object, "trace_id", wh_trace_id_hex(ctx, hex));
    cJSON_AddStringToObject(object, "span_id", wh_span_id_hex(ctx, hex));
    cJSON_AddBoolToObject(object, "sampled", span.flags & WH_SAMPLED);
    cJSON_AddStringToObject(object, "tracestate", span.tracestate ? span.tracestate : "");
    cJSON_AddItemToObject(object, "baggage", baggage_of(ctx));
    return object;
}

/* ---- calling the next ---- */

static size_t on_data(char *data, size_t one, size_t count, void *answer)
{
    return append(answer, data, one * count) ? one * count : 0;
}

static bool post(const wh_ctx *ctx, const char *url, const char *json, struct body *answer)
{
    long status = 0;
    CURL *easy = curl_easy_init();
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, json);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_data);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, answer);
    const CURLcode code = wh_curl_perform(ctx, easy, .headers = headers, .route = "/hop", .timeout = WH_SEC(30));
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    curl_slist_free_all(headers);
    curl_easy_cleanup(easy);
    return code == CURLE_OK && status == 200;
}

/* Adds what the others have seen; `next` loses its first URL. */
static bool call(const wh_ctx *ctx, cJSON *next, cJSON *list)
{
    struct body answer = {0};
    cJSON *url = cJSON_DetachItemFromArray(next, 0), *asked = cJSON_CreateObject(), *others, *one;
    cJSON_AddItemReferenceToObject(asked, "next", next);
    char *json = cJSON_PrintUnformatted(asked);
    const bool ok = json && cJSON_IsString(url) && post(ctx, url->valuestring, json, &answer);
    others = ok && answer.text ? cJSON_Parse(answer.text) : NULL;
    while (cJSON_IsArray(others) && (one = cJSON_DetachItemFromArray(others, 0))) cJSON_AddItemToArray(list, one);
    const bool understood = cJSON_IsArray(others);
    cJSON_Delete(others);
    cJSON_Delete(asked);
    cJSON_Delete(url);
    free(json);
    free(answer.text);
    return understood;
}

/* Below a context for each member that is to be added. */
static bool call_with(const wh_ctx *ctx, const cJSON *member, cJSON *next, cJSON *list)
{
    if (!member) return call(ctx, next, list);
    const char *word[3] = {"", "", ""};
    for (int i = 0; i < 3; i++) {
        const cJSON *item = cJSON_GetArrayItem(member, i);
        if (cJSON_IsString(item)) word[i] = item->valuestring;
    }
    WH_AUTO wh_ctx *with = wh_with_baggage(ctx, word[0], word[1], .metadata = *word[2] ? word[2] : NULL);
    return call_with(with, member->next, next, list);
}

/* The answer, to be freed; NULL if it did not go well. */
static char *hop(const wh_ctx *req, const char *text)
{
    cJSON *asked = cJSON_Parse(text), *next = cJSON_GetObjectItem(asked, "next"), *list = cJSON_CreateArray();
    const cJSON *baggage = cJSON_GetObjectItem(asked, "baggage");
    cJSON_AddItemToArray(list, seen(req));
    const bool ok = cJSON_IsArray(next) &&
                    (cJSON_GetArraySize(next) == 0 || call_with(req, baggage ? baggage->child : NULL, next, list));
    char *answer = ok ? cJSON_PrintUnformatted(list) : NULL;
    cJSON_Delete(asked);
    cJSON_Delete(list);
    return answer;
}

/* ---- being called ---- */

static enum MHD_Result on_request(void *root, struct MHD_Connection *connection, const char *url, const char *method,
                                  const char *version, const char *upload, size_t *upload_size, void **state)
{
    struct body *body = *state;
    (void)version;
    if (!body) return (*state = calloc(1, sizeof *body)) ? MHD_YES : MHD_NO;
    if (*upload_size) {
        const size_t len = *upload_size;
        *upload_size = 0;
        return append(body, upload, len) ? MHD_YES : MHD_NO;
    }
    WH_AUTO wh_ctx *req = wh_mhd_start(root, connection, .method = method, .url = url, .route = "/hop");
    char *answer = hop(req, body->text ? body->text : "");
    const enum MHD_Result result = wh_mhd_reply_text(req, connection, answer ? 200 : 500, "application/json", answer ? answer : "[]");
    free(answer);
    return result;
}

static void on_completed(void *arg, struct MHD_Connection *connection, void **state, enum MHD_RequestTerminationCode code)
{
    struct body *body = *state;
    (void)arg, (void)connection, (void)code;
    if (body) free(body->text);
    free(body);
}

int main(void)
{
    const struct sockaddr_in loopback = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    curl_global_init(CURL_GLOBAL_DEFAULT);
    WH_AUTO wh_ctx *root = wh_main("whence");
    struct MHD_Daemon *daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL,
        0, NULL, NULL, on_request, root, MHD_OPTION_SOCK_ADDR, &loopback, MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_END);
    if (!daemon) return 1;
    printf("listening on %u\n", MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
    fflush(stdout);
    wh_wait(root, WH_NEVER);
    wh_mhd_stop(daemon, WH_SEC(2));
    return 0;
}
