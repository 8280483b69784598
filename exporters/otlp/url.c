#include "otlp/target.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "otlp/mem.h"

static int as_errno(CURLUcode code)
{
    return code == CURLUE_OK ? 0 : code == CURLUE_OUT_OF_MEMORY ? ENOMEM : EINVAL;
}

/* libcurl takes "http:/host" and "http:///host" for "http://host". */
static bool is_http(const char *text)
{
    const char *rest = text;
    if (strncasecmp(text, "http://", 7) == 0) rest = text + 7;
    if (strncasecmp(text, "https://", 8) == 0) rest = text + 8;
    return rest > text && *rest && !strchr("/?#:@", *rest);
}

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

static int find_out_where(CURLU *url, struct wh__otlp_url *out)
{
    char *host = NULL;
    const int rc = as_errno(curl_url_get(url, CURLUPART_HOST, &host, 0));
    if (rc) return rc;
    out->is_local = strcasecmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0 ||
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
    return rc ? rc : as_errno(curl_url_get(url, CURLUPART_URL, &out->shown, 0));
}

int wh__otlp_url_make(const struct wh_otlp_opts *opts, struct wh__otlp_url *out)
{
    const bool whole = opts->traces_endpoint != NULL;
    const char *text = whole ? opts->traces_endpoint : opts->endpoint ? opts->endpoint : "http://localhost:4318";
    struct wh__otlp_url made = {.url = NULL};
    if (!is_http(text)) return EINVAL;
    CURLU *url = curl_url();
    if (!url) return ENOMEM;
    int rc = as_errno(curl_url_set(url, CURLUPART_URL, text, 0));
    if (rc == 0 && !whole) rc = append_path(url);
    if (rc == 0) rc = find_out_where(url, &made);
    if (rc == 0) rc = take_text(url, &made);
    curl_url_cleanup(url);
    if (rc)
        wh__otlp_url_free(&made);
    else
        *out = made;
    return rc;
}

void wh__otlp_url_free(struct wh__otlp_url *url)
{
    curl_free(url->url);
    curl_free(url->shown);
}
