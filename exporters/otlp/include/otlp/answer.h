/* What the collector has said, and what is to become of the spans. */
#ifndef OTLP_ANSWER_H
#define OTLP_ANSWER_H

#include <whence/exporters.h>

#include "otlp/http.h"
#include "otlp/text.h"

/* ---- bodies: answer_protobuf.c, answer_json.c ---- */

/* That of a success. 0, and *rejected is from 0 to count, whatever it says; EBADMSG: it is not OTLP; ENOMEM. An empty one
 * is a success without a word. */
int wh__otlp_read_success(struct wh_bytes body, size_t count, size_t *rejected, char words[WH__OTLP_WORDS]);
int wh__otlp_read_json_success(struct wh_bytes body, size_t count, size_t *rejected, char words[WH__OTLP_WORDS]);

/* The message in that of a refusal, a google.rpc.Status; empty if there is none. */
void wh__otlp_read_refusal(struct wh_bytes body, char words[WH__OTLP_WORDS]);
void wh__otlp_read_json_refusal(struct wh_bytes body, char words[WH__OTLP_WORDS]);

/* ---- verdicts: verdict.c ---- */

enum wh__otlp_fate {
    WH__OTLP_ACCEPTED,
    WH__OTLP_REFUSED,             /* for good */
    WH__OTLP_TOO_LARGE,           /* as one request */
    WH__OTLP_LATER,               /* the same request may fare better */
};

struct wh__otlp_verdict {
    enum wh__otlp_fate fate;
    bool was_answered;            /* there is a status: whoever is there has looked at it */
    int error;                    /* an errno value, 0 if accepted */
    size_t rejected;              /* of what was accepted */
    bool is_nonsense;             /* accepted, but not in OTLP */
    int64_t pause;                /* what was asked for before the next try; -1: nothing was */
    char label[40];               /* "HTTP 503", "gRPC UNAVAILABLE"; or empty */
    char words[WH__OTLP_WORDS];   /* the collector's own, or why there are none */
};

/* count: spans in the request. room: for what has to be decompressed. */
void wh__otlp_judge(const struct wh__otlp_target *target, const struct wh__otlp_answer *answer, size_t count,
                    struct wh__otlp_room *room, struct wh__otlp_verdict *verdict);

/* Whether a request answered so may succeed when it is made again (OTLP/HTTP, retryable response codes). */
bool wh__otlp_may_try_again(long status);

#endif
