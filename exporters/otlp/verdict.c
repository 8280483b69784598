#include "otlp/answer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* ---- what both ways have in common ---- */

static void say(struct wh__otlp_verdict *verdict, enum wh__otlp_fate fate, int error, const char *words)
{
    verdict->fate = fate;
    verdict->error = error;
    wh__otlp_copy_words(verdict->words, words, strlen(words));
}

/* Whatever was said before it broke off. */
static void judge_failure(const struct wh__otlp_answer *answer, struct wh__otlp_verdict *verdict)
{
    say(verdict, answer->transient ? WH__OTLP_LATER : WH__OTLP_REFUSED, answer->error, answer->reason);
}

static void judge_success(int read, struct wh__otlp_verdict *verdict)
{
    verdict->is_nonsense = read == EBADMSG;
    if (read == ENOMEM) say(verdict, WH__OTLP_REFUSED, ENOMEM, "no memory for the answer");
}

/* ---- OTLP/HTTP ---- */

bool wh__otlp_may_try_again(long status)
{
    return status == 429 || status == 502 || status == 503 || status == 504;
}

/* Collectors that limit the body say so with a 400 too, in words. */
static bool tells_of_size(const char *words)
{
    return strcasestr(words, "too large") || strcasestr(words, "larger than");
}

/* In the encoding that it has been given; where nothing is said, in that of the request. */
static bool is_json(const struct wh__otlp_target *target, const struct wh__otlp_answer *answer)
{
    const enum wh__otlp_content content = answer->fields.content;
    return content == WH__OTLP_JSON || (content != WH__OTLP_PROTOBUF && target->protocol == WH_OTLP_HTTP_JSON);
}

static void read_refusal(const struct wh__otlp_target *target, const struct wh__otlp_answer *answer,
                         char words[WH__OTLP_WORDS])
{
    const char *text = answer->body.ptr;
    if (answer->fields.content == WH__OTLP_PLAIN) {
        const char *const end = answer->body.len ? memchr(text, '\n', answer->body.len) : NULL;
        wh__otlp_copy_words(words, text, end ? (size_t)(end - text) : answer->body.len);
    } else if (is_json(target, answer)) {
        wh__otlp_read_json_refusal(answer->body, words);
    } else {
        wh__otlp_read_refusal(answer->body, words);
    }
}

/* A status counts even where the rest of the answer broke off. */
static void judge_status(const struct wh__otlp_target *target, const struct wh__otlp_answer *answer,
                         struct wh__otlp_verdict *verdict)
{
    snprintf(verdict->label, sizeof verdict->label, "HTTP %ld", answer->status);
    if (answer->error) {
        judge_failure(answer, verdict);
        if (!answer->transient) return;
    } else {
        verdict->error = EIO;
        read_refusal(target, answer, verdict->words);
    }
    if (answer->status == 413 || (answer->status == 400 && tells_of_size(verdict->words)))
        verdict->fate = WH__OTLP_TOO_LARGE;
    else
        verdict->fate = wh__otlp_may_try_again(answer->status) ? WH__OTLP_LATER : WH__OTLP_REFUSED;
}

static void judge_http(const struct wh__otlp_target *target, const struct wh__otlp_answer *answer, size_t count,
                       struct wh__otlp_verdict *verdict)
{
    verdict->pause = answer->fields.retry_after;
    if (answer->status >= 300 || (answer->status < 200 && !answer->error))
        judge_status(target, answer, verdict);
    else if (answer->error)
        judge_failure(answer, verdict);
    else if (is_json(target, answer))
        judge_success(wh__otlp_read_json_success(answer->body, count, &verdict->rejected, verdict->words), verdict);
    else
        judge_success(wh__otlp_read_success(answer->body, count, &verdict->rejected, verdict->words), verdict);
}

/* ---- OTLP/gRPC ---- */

static void judge_message(const struct wh__otlp_target *target, const struct wh__otlp_answer *answer, size_t count,
                          struct wh__otlp_room *room, struct wh__otlp_verdict *verdict)
{
    struct wh_bytes message;
    int rc = wh__otlp_grpc_unframe(answer->body, answer->fields.grpc.gzip, target->max_response, room, &message);
    if (rc == 0) rc = wh__otlp_read_success(message, count, &verdict->rejected, verdict->words);
    if (rc == EMSGSIZE)
        say(verdict, WH__OTLP_REFUSED, EIO, "the answer is too long");
    else
        judge_success(rc, verdict);
}

static void judge_code(const struct wh__otlp_grpc_status *status, int code, struct wh__otlp_verdict *verdict)
{
    verdict->error = EIO;
    if (wh__otlp_grpc_may_try_again(code, status->has_retry_info))
        verdict->fate = WH__OTLP_LATER;
    else
        verdict->fate = code == WH__GRPC_RESOURCE_EXHAUSTED ? WH__OTLP_TOO_LARGE : WH__OTLP_REFUSED;
}

/* The trailers of a good answer may be lost, when the server wants to close the connection. A server that has failed
 * sends no message: one that is whole says that all went well, and without one the request may be made again. */
static void judge_without_trailers(const struct wh__otlp_target *target, const struct wh__otlp_answer *answer,
                                   size_t count, struct wh__otlp_room *room, struct wh__otlp_verdict *verdict)
{
    judge_message(target, answer, count, room, verdict);
    if (verdict->fate == WH__OTLP_ACCEPTED && verdict->is_nonsense)
        say(verdict, WH__OTLP_LATER, EIO, "the connection was closed before the status came");
}

/* Somebody in between, who speaks HTTP only; or somebody who breaks the rules. */
static void judge_without_code(const struct wh__otlp_answer *answer, struct wh__otlp_verdict *verdict)
{
    const struct wh__otlp_grpc_status *status = &answer->fields.grpc;
    if (answer->status < 200 || answer->status >= 300) {
        snprintf(verdict->label, sizeof verdict->label, "HTTP %ld", answer->status);
        judge_code(status, wh__otlp_grpc_from_http(answer->status), verdict);
        if (answer->status == 413) verdict->fate = WH__OTLP_TOO_LARGE;
        return;
    }
    snprintf(verdict->label, sizeof verdict->label, "gRPC %s", wh__otlp_grpc_name(WH__GRPC_UNKNOWN));
    say(verdict, WH__OTLP_REFUSED, EIO,
        answer->fields.content == WH__OTLP_FRAMES ? "the answer ends without a status" : "the answer is not gRPC");
}

static void judge_grpc(const struct wh__otlp_target *target, const struct wh__otlp_answer *answer, size_t count,
                       struct wh__otlp_room *room, struct wh__otlp_verdict *verdict)
{
    const struct wh__otlp_grpc_status *status = &answer->fields.grpc;
    const bool has_code = status->code > 0 || (status->code == 0 && answer->status / 100 == 2);
    verdict->pause = status->retry_delay >= 0 ? status->retry_delay : answer->fields.retry_after;
    if (answer->error && (!answer->transient || (!has_code && answer->status / 100 <= 2))) {
        judge_failure(answer, verdict);
    } else if (status->code < 0 && answer->may_lack_trailers && answer->status == 200 &&
               answer->fields.content == WH__OTLP_FRAMES) {
        judge_without_trailers(target, answer, count, room, verdict);
    } else if (!has_code) {
        judge_without_code(answer, verdict);
    } else if (status->code == WH__GRPC_OK) {
        judge_message(target, answer, count, room, verdict);
    } else {
        snprintf(verdict->label, sizeof verdict->label, "gRPC %s", wh__otlp_grpc_name(status->code));
        memcpy(verdict->words, status->words, sizeof verdict->words);
        judge_code(status, status->code, verdict);
    }
}

void wh__otlp_judge(const struct wh__otlp_target *target, const struct wh__otlp_answer *answer, size_t count,
                    struct wh__otlp_room *room, struct wh__otlp_verdict *verdict)
{
    *verdict = (struct wh__otlp_verdict){.fate = WH__OTLP_ACCEPTED, .was_answered = answer->status != 0, .pause = -1};
    if (answer->cut_short) {
        say(verdict, WH__OTLP_TOO_LARGE, answer->error, answer->reason);
        verdict->was_answered = true;
    } else if (target->protocol == WH_OTLP_GRPC) {
        judge_grpc(target, answer, count, room, verdict);
    } else {
        judge_http(target, answer, count, verdict);
    }
}
