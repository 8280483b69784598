#include "otlp/target.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "otlp/mem.h"

/* ---- files ---- */

enum { MOST_FILE = 16 << 20 }; /* bytes: bundles of authorities have a few hundred KB */

/* The text, terminated, freed by the caller; or NULL and an errno value in *error. */
static char *read_file(const char *path, int *error)
{
    FILE *file = fopen(path, "rbe");
    char *text = NULL;
    size_t len = 0, size = 0;
    *error = file ? 0 : errno;
    while (file && *error == 0) {
        if (size - len < 2) {
            size = size ? 4 * size : 16384;
            char *larger = size <= MOST_FILE ? wh__otlp_mem_get(size) : NULL;
            *error = larger ? 0 : size <= MOST_FILE ? ENOMEM : EFBIG;
            if (larger && len) memcpy(larger, text, len);
            wh__otlp_mem_free(text);
            text = larger;
            continue;
        }
        const size_t got = fread(text + len, 1, size - len - 1, file);
        len += got;
        text[len] = '\0';
        if (ferror(file)) *error = errno ? errno : EIO;
        if (got == 0) break;
    }
    if (file) fclose(file);
    if (*error) {
        wh__otlp_mem_free(text);
        text = NULL;
    }
    return text;
}

/* "-----BEGIN CERTIFICATE-----" and "-----BEGIN TRUSTED CERTIFICATE-----"; "-----BEGIN PRIVATE KEY-----", and those that
 * name an algorithm or are encrypted (RFC 7468). */
static bool holds(const char *text, const char *what)
{
    for (const char *at = text; (at = strstr(at, "-----BEGIN ")); at++) {
        const char *const end = at + strcspn(at, "\r\n");
        const char *const label = strstr(at, what);
        if (label && label < end) return true;
    }
    return false;
}

static int check_file(const char *option, const char *path, const char *label)
{
    int error;
    char *text = read_file(path, &error);
    if (error == ENOMEM) return ENOMEM;
    const bool good = text && holds(text, label);
    wh__otlp_mem_free(text);
    if (good) return 0;
    if (error)
        wh_report(WH_ERROR, "OTLP: the %s %.200s cannot be read: %s", option, path, strerror(error));
    else
        wh_report(WH_ERROR, "OTLP: the %s %.200s holds no %s in PEM", option, path, label);
    return EINVAL;
}

int wh__otlp_tls_check(const struct wh_otlp_opts *opts, const struct wh__otlp_url *url)
{
    const char *key = opts->client_key ? opts->client_key : opts->client_certificate;
    int rc = opts->certificate ? check_file("certificate", opts->certificate, "CERTIFICATE-----") : 0;
    if (rc == 0 && opts->client_certificate)
        rc = check_file("client certificate", opts->client_certificate, "CERTIFICATE-----");
    if (rc == 0 && key) rc = check_file("client key", key, "PRIVATE KEY-----");
    if (rc == 0 && opts->client_key && !opts->client_certificate) {
        wh_report(WH_ERROR, "OTLP: a client key is of no use without a client certificate");
        rc = EINVAL;
    }
    if (rc == 0 && !url->is_secure && (opts->certificate || opts->client_certificate))
        wh_report(WH_WARNING, "OTLP: %.200s is not https: the certificates are not used", url->shown);
    return rc;
}

/* ---- libcurl ---- */

static bool set_path(CURL *easy, CURLoption option, const char *path)
{
    return !path || curl_easy_setopt(easy, option, path) == CURLE_OK;
}

bool wh__otlp_tls_set(CURL *easy, const struct wh__otlp_target *target)
{
    return curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
           set_path(easy, CURLOPT_CAINFO, target->certificate) &&
           set_path(easy, CURLOPT_SSLCERT, target->client_certificate) &&
           set_path(easy, CURLOPT_SSLKEY, target->client_key);
}
