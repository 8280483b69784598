#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "otlp/http_inside.h"

/* ---- what libcurl calls ---- */

size_t wh__otlp_http_take_body(char *bytes, size_t one, size_t len, void *arg)
{
    struct wh__otlp_http *http = arg;
    struct wh__otlp_room *body = &http->body;
    /* A message of gRPC has its length before it. */
    const size_t most = http->target->max_response + (http->target->protocol == WH_OTLP_GRPC ? WH__OTLP_FRAME : 0);
    (void)one;
    if (len == 0) return 0;
    http->body_too_long = len > most - body->used;
    if (http->body_too_long) return 0;
    http->no_memory = !wh__otlp_room_grow(body, body->used + len);
    if (http->no_memory) return 0;
    memcpy(body->bytes + body->used, bytes, len);
    body->used += len;
    return len;
}

size_t wh__otlp_http_take_header(char *line, size_t one, size_t len, void *arg)
{
    struct wh__otlp_http *http = arg;
    (void)one;
    http->header_too_long = !wh__otlp_fields_take(&http->fields, line, len, time(NULL));
    return http->header_too_long ? 0 : len;
}

void wh__otlp_http_begin_answer(struct wh__otlp_http *http, struct wh__otlp_answer *answer)
{
    *answer = (struct wh__otlp_answer){.error = 0};
    wh__otlp_fields_begin(&http->fields);
    http->error[0] = '\0';
    http->body_too_long = http->header_too_long = http->no_memory = false;
    wh__otlp_room_trim(&http->body);
    http->body.used = 0;
}

/* ---- no answer ---- */

/* libcurl's reasons may repeat what the collector has sent: nothing in them may move the cursor of a terminal. */
void wh__otlp_http_fail(struct wh__otlp_answer *answer, int error, bool transient, const char *reason)
{
    answer->error = error;
    answer->transient = transient;
    snprintf(answer->reason, sizeof answer->reason, "%s", reason);
    for (char *p = answer->reason; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f) *p = '?';
}

/* Whether the same request may fare better later (OTLP/HTTP: a disconnect without a response, a failure to connect). */
static bool is_transient(CURLcode code)
{
    switch (code) {
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM: return true;
    default: return false;
    }
}

/* A server whose TLS is of version 1.3 looks at the client's certificate when the handshake is over for the client, and
 * may be gone with its reasons unread. */
static void add_hint(const struct wh__otlp_http *http, struct wh__otlp_answer *answer, CURLcode code)
{
    static const char hint[] = " (right after the TLS handshake: does the server want another client certificate?)";
    const size_t len = strlen(answer->reason);
    const bool is_handshake_over = code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR || code == CURLE_GOT_NOTHING ||
                                   code == CURLE_HTTP2;
    if (!http->target->url.is_secure || http->was_answered || !is_handshake_over) return;
    if (len + sizeof hint <= sizeof answer->reason) memcpy(answer->reason + len, hint, sizeof hint);
}

/* Some versions of libcurl lose the answer then. */
static bool is_cut_short(const struct wh__otlp_http *http, CURLcode code)
{
    long status = 0;
    curl_off_t sent = 0;
    curl_easy_getinfo(http->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(http->easy, CURLINFO_SIZE_UPLOAD_T, &sent);
    return code == CURLE_HTTP2_STREAM && !http->error[0] && status == 0 && (size_t)sent < http->sending;
}

void wh__otlp_http_fail_as(const struct wh__otlp_http *http, struct wh__otlp_answer *answer, CURLcode code)
{
    char size[WH__OTLP_SIZE], too_long[96];
    long os_error = 0;
    if (code == CURLE_OUT_OF_MEMORY || http->no_memory) {
        wh__otlp_http_fail(answer, ENOMEM, false, "no memory");
        return;
    }
    if (http->header_too_long) {
        wh__otlp_http_fail(answer, EIO, false, "the header of the answer is longer than 256 KiB");
        return;
    }
    if (http->body_too_long) {
        wh__otlp_say_size(size, http->target->max_response);
        snprintf(too_long, sizeof too_long, "the answer is longer than %s", size);
        wh__otlp_http_fail(answer, EIO, false, too_long);
        return;
    }
    if (is_cut_short(http, code)) {
        wh__otlp_http_fail(answer, EIO, true, "the server refused it before it had all of it");
        answer->cut_short = true;
        return;
    }
    curl_easy_getinfo(http->easy, CURLINFO_OS_ERRNO, &os_error);
    if (code == CURLE_COULDNT_CONNECT && os_error > 0)
        wh__otlp_http_fail(answer, (int)os_error, true, strerror((int)os_error));
    else
        wh__otlp_http_fail(answer, EIO, is_transient(code), http->error[0] ? http->error : curl_easy_strerror(code));
    add_hint(http, answer, code);
}
