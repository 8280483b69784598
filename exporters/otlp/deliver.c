/* Sending a batch: as a whole; again after a pause, if that may help; in halves, if it is too large, down to the span
 * that is too large by itself. No part is sent again that was answered for good, and every span is counted once. */
#include <errno.h>
#include <string.h>

#include "otlp/otlp.h"
#include "otlp/retry.h"

/* A collector that says "too large" to one span after the other, and has taken none, means something else. */
enum { MOST_SINGLES = 16 };

struct delivery {
    struct wh__otlp *otlp;
    const struct wh_batch *batch;
    int64_t deadline;
    struct wh__otlp_split split;
    size_t lost;
    unsigned singles;             /* that were refused as too large, by the collector */
    bool was_accepted;            /* some request was */
    bool is_over;                 /* the rest would fare no better */
    int error;                    /* of the last part that failed */
};

static int64_t after(int64_t duration)
{
    int64_t instant;
    return __builtin_add_overflow(wh_now(), duration, &instant) ? WH_NEVER : instant;
}

/* ---- one part ---- */

/* Somebody who has never been there is not waited for: most programs without a collector will never have one. */
static bool may_try_again(const struct wh__otlp *otlp, const struct wh__otlp_verdict *verdict)
{
    return verdict->fate == WH__OTLP_LATER && (verdict->was_answered || otlp->was_reached);
}

/* Sends it until there is an answer that counts, or no time. */
static void send_body(struct delivery *delivery, struct wh_bytes body, size_t count, struct wh__otlp_verdict *verdict)
{
    struct wh__otlp *otlp = delivery->otlp;
    struct wh__otlp_http *http = otlp->post->http;
    struct wh__otlp_answer answer;
    for (unsigned tries = 1;; tries++) {
        const int64_t limit = after(otlp->target.timeout);
        wh__otlp_http_post(http, body, limit < delivery->deadline ? limit : delivery->deadline, &answer);
        wh__otlp_judge(&otlp->target, &answer, count, &otlp->post->answer, verdict);
        otlp->was_reached |= verdict->was_answered;
        if (verdict->fate == WH__OTLP_ACCEPTED) return;
        wh__otlp_fail_with(otlp, verdict, tries);
        if (!may_try_again(otlp, verdict)) return;
        const int64_t next = after(wh__otlp_pause(tries, verdict->pause));
        if (next >= delivery->deadline) return;
        if (wh__otlp_http_wait(http, next)) continue;
        *verdict = (struct wh__otlp_verdict){.fate = WH__OTLP_REFUSED,
            .error = wh__otlp_fail(otlp, ECANCELED, "interrupted while waiting to try again")};
        return;
    }
}

/* Makes the request, and sends it if there is anything in it. */
static void send_part(struct delivery *delivery, struct wh__otlp_range range, struct wh__otlp_verdict *verdict)
{
    struct wh__otlp *otlp = delivery->otlp;
    struct wh_bytes body;
    size_t written = 0;
    *verdict = (struct wh__otlp_verdict){.fate = WH__OTLP_REFUSED};
    const int rc = wh__otlp_request_make(&otlp->post->request, &otlp->target, delivery->batch, range, &body, &written);
    if (rc == EMSGSIZE) {
        char size[WH__OTLP_SIZE], why[96];
        wh__otlp_say_size(size, otlp->target.max_request);
        snprintf(why, sizeof why, "a request of more than %s is not sent", size);
        verdict->fate = WH__OTLP_TOO_LARGE;
        verdict->error = wh__otlp_fail(otlp, rc, why);
    } else if (rc) {
        verdict->error = wh__otlp_fail(otlp, rc, rc == ENOMEM ? "no memory" : strerror(rc));
    } else if (written == 0) {
        verdict->error = wh__otlp_fail(otlp, EBADMSG, "these are no spans");
        verdict->was_answered = true;
    } else {
        send_body(delivery, body, written, verdict);
        if (verdict->fate == WH__OTLP_ACCEPTED) {
            wh__otlp_note_accepted(otlp, verdict, written);
            verdict->rejected += range.count - written;
        }
    }
}

/* ---- the parts ---- */

/* A refusal by the collector is about what was in that part; without an answer there will be none for the next one. */
static void take_stock(struct delivery *delivery, struct wh__otlp_range range, const struct wh__otlp_verdict *verdict)
{
    const bool is_large = verdict->fate == WH__OTLP_TOO_LARGE;
    if (verdict->fate == WH__OTLP_ACCEPTED) {
        delivery->was_accepted = true;
        delivery->lost += verdict->rejected;
        return;
    }
    if (is_large && range.count > 1) {
        wh__otlp_split_halve(&delivery->split, range);
        return;
    }
    delivery->error = verdict->error;
    delivery->lost += range.count;
    if (is_large) {
        wh__otlp_note_large(delivery->otlp);
        delivery->singles += verdict->was_answered;
    }
    delivery->is_over = (!is_large && (!verdict->was_answered || verdict->fate == WH__OTLP_LATER)) ||
                        (delivery->singles >= MOST_SINGLES && !delivery->was_accepted);
}

int wh__otlp_deliver(struct wh__otlp *otlp, const struct wh_batch *batch, int64_t deadline, size_t *rejected)
{
    struct delivery delivery = {.otlp = otlp, .batch = batch, .deadline = deadline};
    struct wh__otlp_range range;
    struct wh__otlp_verdict verdict;
    wh__otlp_split_begin(&delivery.split, batch->count);
    while (!delivery.is_over && wh__otlp_split_next(&delivery.split, &range)) {
        send_part(&delivery, range, &verdict);
        take_stock(&delivery, range, &verdict);
        if (delivery.split.depth && wh_now() >= deadline) {
            delivery.error = wh__otlp_fail(otlp, ETIMEDOUT, "no time was left");
            delivery.is_over = true;
        }
    }
    delivery.lost += wh__otlp_split_left(&delivery.split);
    if (!delivery.was_accepted) return delivery.error;
    if (delivery.lost == 0)
        otlp->error[0] = '\0';
    else if (delivery.error)
        wh__otlp_note_part(otlp, delivery.lost, batch->count);
    *rejected = delivery.lost;
    return 0;
}
