/* The exporter, as its files share it: otlp.c is what a provider sees, deliver.c sends, say.c says what became of it. */
#ifndef OTLP_OTLP_H
#define OTLP_OTLP_H

#include <whence/exporters.h>

#include "otlp/answer.h"
#include "otlp/post.h"
#include "otlp/target.h"

struct wh__otlp {
    struct wh_exporter exporter;
    struct wh__otlp_target target;
    struct wh__otlp_post *post;   /* atomic, for interrupt(); NULL: made at the next export */
    uint32_t interrupted;         /* atomic */
    bool shut_down;
    bool was_reached;             /* some request was answered, whatever the answer */
    bool told_rejection, told_warning, told_nonsense, told_large, told_part; /* each is said once */
    char error[480];              /* what last_error() says; empty: nothing */
};

/* ---- deliver.c ---- */

/* Sends the batch in as many parts as it takes. 0: accepted but for *rejected of them; or an errno value: none was. */
int wh__otlp_deliver(struct wh__otlp *otlp, const struct wh_batch *batch, int64_t deadline, size_t *rejected);

/* ---- say.c ---- */

/* For last_error(). Both return the errno value. */
int wh__otlp_fail(struct wh__otlp *otlp, int error, const char *why);
int wh__otlp_fail_with(struct wh__otlp *otlp, const struct wh__otlp_verdict *verdict, unsigned tries);

/* What is to be said of a request that was accepted; of a span that is too large by itself; of a batch only a part of
 * which has arrived. */
void wh__otlp_note_accepted(struct wh__otlp *otlp, const struct wh__otlp_verdict *verdict, size_t count);
void wh__otlp_note_large(struct wh__otlp *otlp);
void wh__otlp_note_part(struct wh__otlp *otlp, size_t lost, size_t count);

#endif
