#include "otlp/target.h"

#include <errno.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>

#include "otlp/mem.h"

#define METHOD "/opentelemetry.proto.collector.trace.v1.TraceService/Export"

static int as_errno(CURLUcode code)
{
    return code == CURLUE_OK ? 0 : code == CURLUE_OUT_OF_MEMORY ? ENOMEM : EINVAL;
}

static bool begins(const char *text, const char *with)
{
    return strncasecmp(text, with, strlen(with)) == 0;
}

/* libcurl takes "http:/host" and "http:///host" for "http://host". */
static bool is_http(const char *text)
{
    const char *rest = text;
    if (begins(text, "http://")) rest = text + 7;
    if (begins(text, "https://")) rest = text + 8;
    return rest > text && *rest && !strchr("/?#:@", *rest);
}

/* ---- the path ---- */

static int append_path(CURLU *url)
{
    static const char added[] = "v1/traces";
    char *path = NULL;
    int rc = as_errno(curl_url_get(url, CURLUPART_PATH, &path, 0));
    if (rc) return rc;
    const size_t len = strlen(path);
    char *whole = wh__otlp_mem_get(len + 1 + sizeof added);
    rc = whole ? 0 : ENOMEM;
    if (whole) {
        memcpy(whole, path, len);
        char *end = whole + len;
        if (len == 0 || end[-1] != '/') *end++ = '/';
        memcpy(end, added, sizeof added);
        rc = as_errno(curl_url_set(url, CURLUPART_PATH, whole, 0));
    }
    wh__otlp_mem_free(whole);
    curl_free(path);
    return rc;
}

/* Of an endpoint for gRPC, scheme, host and port count: the path is that of the method. */
static int set_method(CURLU *url)
{
    int rc = as_errno(curl_url_set(url, CURLUPART_PATH, METHOD, 0));
    if (rc == 0) rc = as_errno(curl_url_set(url, CURLUPART_QUERY, NULL, 0));
    return rc ? rc : as_errno(curl_url_set(url, CURLUPART_FRAGMENT, NULL, 0));
}

/* ---- what it says ---- */

static int find_out_where(CURLU *url, struct wh__otlp_url *out)
{
    char *host = NULL;
    const int rc = as_errno(curl_url_get(url, CURLUPART_HOST, &host, 0));
    if (rc) return rc;
    out->is_local = out->unix_socket || strcasecmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0 ||
                    (strncmp(host, "127.", 4) == 0 && host[strspn(host, "0123456789.")] == '\0');
    curl_free(host);
    return 0;
}

static int take_text(CURLU *url, struct wh__otlp_url *out)
{
    static const CURLUPart secret[] = {CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_OPTIONS, CURLUPART_QUERY,
        CURLUPART_FRAGMENT};
    int rc = as_errno(curl_url_get(url, CURLUPART_URL, &out->url, 0));
    for (size_t i = 0; rc == 0 && i < sizeof secret / sizeof *secret; i++)
        rc = as_errno(curl_url_set(url, secret[i], NULL, 0));
    if (rc == 0) rc = as_errno(curl_url_get(url, CURLUPART_URL, &out->shown, 0));
    if (rc == 0) out->is_secure = begins(out->url, "https:");
    return rc;
}

static int take_apart(const struct wh_otlp_opts *opts, const char *text, struct wh__otlp_url *out)
{
    CURLU *url = curl_url();
    if (!url) return ENOMEM;
    const bool is_whole = opts->traces_endpoint && !begins(opts->traces_endpoint, "unix://");
    int rc = as_errno(curl_url_set(url, CURLUPART_URL, text, 0));
    if (rc == 0 && opts->protocol == WH_OTLP_GRPC) rc = set_method(url);
    if (rc == 0 && opts->protocol != WH_OTLP_GRPC && !is_whole) rc = append_path(url);
    if (rc == 0) rc = find_out_where(url, out);
    if (rc == 0) rc = take_text(url, out);
    curl_url_cleanup(url);
    return rc;
}

/* ---- which ---- */

/* Who the user is, and the password, may be in it. */
static int complain(const char *text)
{
    const char *at = strrchr(text, '@');
    wh_report(WH_ERROR, "OTLP: \"%.200s\" is not an http or https URL", at ? at + 1 : text);
    return EINVAL;
}

static int take_unix_socket(const char *path, struct wh__otlp_url *out)
{
    const size_t len = strlen(path);
    if (len == 0 || len >= sizeof ((struct sockaddr_un *)0)->sun_path) {
        wh_report(WH_ERROR, "OTLP: \"%.200s\" is not the path of a Unix domain socket: it has 1 to %zu characters", path,
            sizeof ((struct sockaddr_un *)0)->sun_path - 1);
        return EINVAL;
    }
    out->unix_socket = wh__otlp_mem_get(len + 1);
    if (out->unix_socket) memcpy(out->unix_socket, path, len + 1);
    return out->unix_socket ? 0 : ENOMEM;
}

/* gRPC's way: "host:port", and another option says whether it is TLS. */
static int add_scheme(const struct wh_otlp_opts *opts, const char *text, struct wh__otlp_url *out)
{
    const size_t len = strlen(text);
    char *whole = wh__otlp_mem_get(sizeof "https://" + len);
    if (!whole) return ENOMEM;
    strcpy(whole, opts->insecure ? "http://" : "https://");
    memcpy(whole + strlen(whole), text, len + 1);
    const int rc = is_http(whole) ? take_apart(opts, whole, out) : EINVAL;
    wh__otlp_mem_free(whole);
    return rc;
}

static int make(const struct wh_otlp_opts *opts, const char *text, struct wh__otlp_url *out)
{
    int rc = opts->unix_socket ? take_unix_socket(opts->unix_socket, out) : 0;
    if (rc) return rc;
    if (begins(text, "unix:///") && !opts->unix_socket) {
        rc = take_unix_socket(text + strlen("unix://"), out);
        return rc ? rc : take_apart(opts, "http://localhost", out);
    }
    if (opts->protocol == WH_OTLP_GRPC && !strstr(text, "://"))
        rc = add_scheme(opts, text, out);
    else
        rc = is_http(text) ? take_apart(opts, text, out) : EINVAL;
    return rc == EINVAL ? complain(text) : rc;
}

int wh__otlp_url_make(const struct wh_otlp_opts *opts, struct wh__otlp_url *out)
{
    const bool is_grpc = opts->protocol == WH_OTLP_GRPC;
    const char *text = opts->traces_endpoint ? opts->traces_endpoint : opts->endpoint;
    *out = (struct wh__otlp_url){.url = NULL};
    return make(opts, text ? text : is_grpc ? "http://localhost:4317" : "http://localhost:4318", out);
}

void wh__otlp_url_free(struct wh__otlp_url *url)
{
    curl_free(url->url);
    curl_free(url->shown);
    wh__otlp_mem_free(url->unix_socket);
}
