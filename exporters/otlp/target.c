#include "otlp/target.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "otlp/mem.h"

/* A message's length is 32 bits wide in gRPC, and zlib takes no more at once. */
static const size_t largest = (size_t)1 << 30;

static size_t limit(size_t given, size_t otherwise)
{
    return given == 0 ? otherwise : given < largest ? given : largest;
}

static int copy(char **out, const char *text)
{
    if (!text) return 0;
    *out = wh__otlp_mem_get(strlen(text) + 1);
    if (*out) strcpy(*out, text);
    return *out ? 0 : ENOMEM;
}

/* "product/1.0 OTel-OTLP-Exporter-C/0.1.0" (OTLP exporter, User Agent). */
static int make_user_agent(const char *product, char **out)
{
    const size_t len = product ? strlen(product) + 1 : 0;
    const char own[] = "OTel-OTLP-Exporter-C/" WH_VERSION;
    *out = wh__otlp_mem_get(len + sizeof own);
    if (!*out) return ENOMEM;
    snprintf(*out, len + sizeof own, "%s%s%s", product ? product : "", product ? " " : "", own);
    return 0;
}

/* What ends a line would end the header field. */
static int check_user_agent(const char *product)
{
    for (const char *p = product; p && *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f) {
            wh_report(WH_ERROR, "OTLP: a control character in the user agent");
            return EINVAL;
        }
    return 0;
}

static int check_protocol(int64_t protocol)
{
    if (protocol >= WH_OTLP_HTTP_PROTOBUF && protocol <= WH_OTLP_GRPC) return 0;
    wh_report(WH_ERROR, "OTLP: there is no protocol number %lld", (long long)protocol);
    return EINVAL;
}

static bool has_http2(void)
{
    return curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_HTTP2;
}

static int check(const struct wh_otlp_opts *opts)
{
    const int rc = check_protocol(opts->protocol);
    if (rc) return rc;
    if (opts->protocol == WH_OTLP_GRPC && !has_http2()) {
        wh_report(WH_ERROR, "OTLP: this libcurl has no HTTP/2, which gRPC needs");
        return EINVAL;
    }
    return check_user_agent(opts->user_agent);
}

int wh__otlp_target_make(const struct wh_otlp_opts *opts, struct wh__otlp_target *out)
{
    *out = (struct wh__otlp_target){.protocol = (enum wh_otlp_protocol)opts->protocol, .gzip = opts->gzip,
        .timeout = opts->timeout > 0 ? opts->timeout : WH_SEC(10),
        .max_request = limit(opts->max_request, (size_t)64 << 20),
        .max_response = limit(opts->max_response, (size_t)4 << 20)};
    int rc = check(opts);
    if (rc == 0) rc = wh__otlp_url_make(opts, &out->url);
    if (rc == 0) rc = wh__otlp_tls_check(opts, &out->url);
    if (rc == 0) rc = wh__otlp_headers_make(opts, &out->headers);
    if (rc == 0) rc = copy(&out->certificate, opts->certificate);
    if (rc == 0) rc = copy(&out->client_key, opts->client_key);
    if (rc == 0) rc = copy(&out->client_certificate, opts->client_certificate);
    if (rc == 0) rc = copy(&out->proxy, opts->proxy);
    return rc ? rc : make_user_agent(opts->user_agent, &out->user_agent);
}

void wh__otlp_target_free(struct wh__otlp_target *target)
{
    wh__otlp_url_free(&target->url);
    curl_slist_free_all(target->headers);
    wh__otlp_mem_free(target->certificate);
    wh__otlp_mem_free(target->client_key);
    wh__otlp_mem_free(target->client_certificate);
    wh__otlp_mem_free(target->proxy);
    wh__otlp_mem_free(target->user_agent);
}
