#include "otlp/target.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "otlp/mem.h"
#include "otlp/text.h"

static bool append(struct curl_slist **list, const char *line)
{
    struct curl_slist *longer = curl_slist_append(*list, line);
    if (longer) *list = longer;
    return longer != NULL;
}

/* ---- one pair ---- */

/* Writes what [text, end) stands for at out, terminated; returns its end, or NULL. */
static char *decode(const char *text, const char *end, char *out)
{
    for (; text < end; text++) {
        char c = *text;
        if (c == '%') {
            const int high = end - text > 2 ? wh__otlp_hex_digit(text[1]) : -1, low = high < 0 ? -1 : wh__otlp_hex_digit(text[2]);
            if (low < 0) return NULL;
            c = (char)(high << 4 | low);
            text += 2;
        }
        *out++ = c;
    }
    *out = '\0';
    return out;
}

/* RFC 9110, section 5.6.2. */
static bool is_token(const char *text, const char *end)
{
    if (text == end) return false;
    for (; text < end; text++) {
        const char c = *text;
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) continue;
        if (c == '\0' || !strchr("!#$%&'*+-.^_`|~", c)) return false;
    }
    return true;
}

/* Nothing that ends a line; bytes from 0x80 on are allowed (RFC 9110, section 5.5). */
static bool is_field_value(const char *text, const char *end)
{
    for (; text < end; text++)
        if (((unsigned char)*text < 0x20 && *text != '\t') || *text == 0x7f) return false;
    return true;
}

/* What says how the body is to be read is for us alone to say. */
static bool is_ours(const char *name)
{
    static const char *const names[] = {
        "content-type", "content-encoding", "content-length", "transfer-encoding", "connection", "te", "grpc-timeout",
        "grpc-encoding", "grpc-accept-encoding"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcasecmp(name, names[i]) == 0) return true;
    return false;
}

static void trim(const char **text, const char **end)
{
    while (*text < *end && (**text == ' ' || **text == '\t')) ++*text;
    while (*text < *end && ((*end)[-1] == ' ' || (*end)[-1] == '\t')) --*end;
}

/* Makes "name: value" of [text, end), as libcurl likes it: one without a value is "name;". */
static bool make_line(const char *text, const char *end, char *line)
{
    const char *equals = memchr(text, '=', (size_t)(end - text));
    if (!equals) return false;
    const char *name_end = equals, *value = equals + 1;
    trim(&text, &name_end);
    trim(&value, &end);
    char *p = decode(text, name_end, line);
    if (!p || !is_token(line, p) || is_ours(line)) return false;
    *p++ = ':';
    *p++ = ' ';
    char *const value_end = decode(value, end, p);
    if (!value_end || !is_field_value(p, value_end)) return false;
    if (value_end == p) memcpy(p - 2, ";", 2);
    return true;
}

/* ---- the list ---- */

static int append_pairs(struct curl_slist **headers, const char *list)
{
    unsigned number = 0, bad = 0, first_bad = 0;
    char *line = wh__otlp_mem_get(strlen(list) + 3);
    if (!line) return ENOMEM;
    int rc = 0;
    for (const char *text = list, *end; rc == 0; text = end + 1) {
        end = text + strcspn(text, ",");
        const char *first = text, *last = end;
        trim(&first, &last);
        if (first < last) {
            number++;
            if (make_line(first, last, line))
                rc = append(headers, line) ? 0 : ENOMEM;
            else if (bad++ == 0)
                first_bad = number;
        }
        if (!*end) break;
    }
    wh__otlp_mem_free(line);
    /* They are not shown: they may be secrets. */
    if (rc == 0 && bad)
        wh_report(WH_WARNING, "%u of the %u headers for OTLP are malformed, and ignored (the first: number %u)", bad,
            number, first_bad);
    return rc;
}

enum { OWN = 5 };

/* "Expect:" keeps libcurl from asking leave before it sends a large body. "TE: trailers": a proxy that would drop them is
 * found out (gRPC over HTTP/2). The last of each is for gzip only. */
static const char *const own[][OWN] = {
    [WH_OTLP_HTTP_PROTOBUF] = {"Expect:", "Content-Type: application/x-protobuf", NULL, NULL, "Content-Encoding: gzip"},
    [WH_OTLP_HTTP_JSON] = {"Expect:", "Content-Type: application/json", NULL, NULL, "Content-Encoding: gzip"},
    [WH_OTLP_GRPC] = {"Expect:", "Content-Type: application/grpc", "TE: trailers", "grpc-accept-encoding: gzip",
        "grpc-encoding: gzip"},
};

int wh__otlp_headers_make(const struct wh_otlp_opts *opts, struct curl_slist **out)
{
    struct curl_slist *headers = NULL;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < (opts->gzip ? OWN : OWN - 1); i++)
        if (own[opts->protocol][i]) rc = append(&headers, own[opts->protocol][i]) ? 0 : ENOMEM;
    if (rc == 0 && opts->headers) rc = append_pairs(&headers, opts->headers);
    if (rc)
        curl_slist_free_all(headers);
    else
        *out = headers;
    return rc;
}
