/* Links of a chain of causes (whence/context.h, wh_causes()).
 *
 * A link is one block that never changes once others see it, and holds the next by a reference: so links are shared by all
 * whom they concern, a chain has no cycle, since a link only leads to older ones, and its length is known when it is made.
 * Nothing here is called under a lock, but for wh__because_hold(). */
#ifndef CONTEXT_BECAUSE_H
#define CONTEXT_BECAUSE_H

#include "context/node.h"

enum wh__because_kind {
    WH__BY_CANCEL,   /* why a context is done */
    WH__BY_SIBLING,  /* the same, and site, text and span are those of the member that failed */
    WH__BY_FAILURE,  /* wh_fail() */
    WH__BY_OTHERS,   /* a context below whose own deadline passed, or a callee: what counts where nobody has called wh_fail() */
};

struct wh__because {
    uint32_t refs;             /* atomic */
    uint8_t length;            /* from here to the first cause; at most WH_CAUSES_MAX */
    uint8_t kind;              /* enum wh__because_kind */
    uint16_t used;             /* of the bytes */
    struct wh__because *next;  /* what it was because of, held; or NULL */
    const struct wh_site *place, *made; /* where it happened, where its context was made; NULL in another process */
    int64_t at;                /* when it was made */
    struct wh_because said;    /* its texts are in the bytes, or live for ever */
    char bytes[512 - 128];
};
_Static_assert(sizeof(struct wh__because) <= 512, "one block");

/* What is known of a link that is about to be made. Its texts are copied, and cut where they are too long. */
struct wh__because_facts {
    enum wh__because_kind kind;
    struct wh_because said;    /* `site` only if there is no place */
    const struct wh_site *place, *made;
};

/* A link in front of `next`, which is taken over in any case, and without memory returned alone. */
struct wh__because *wh__because_new(const struct wh__because_facts *facts, struct wh__because *next);
struct wh__because *wh__because_hold(struct wh__because *link); /* one more reference; NULL is none. Returns link */
void wh__because_put(struct wh__because *link);                 /* one less; NULL is ignored */

/* Where the links of a member of a group stand. */
struct wh__notes {
    struct wh__because *failure; /* the first wh_fail() below it */
    struct wh__because *others;  /* else the latest WH__BY_OTHERS */
};
void wh__notes_clear(struct wh__notes *notes); /* nobody else can see them any more */

/* What has become of ctx: why it is done, or the latest failure on it or below it. The caller's; NULL if there is nothing to
 * say, or no memory. */
struct wh__because *wh__because_of(const wh_ctx *ctx);

/* Why ctx, which is done, is so, if that has a cause of its own; borrowed. NULL: nothing is known beyond wh_cause_info(). */
const struct wh__because *wh__because_known(const wh_ctx *ctx);

/* Of a node that holds a cause: that as a link, which stays as long as the node. NULL without memory. */
struct wh__because *wh__because_of_origin(wh_ctx *origin);

/* What a failure of ctx that happens now is because of. The caller's; NULL: of nothing that is known. `span_id` of its span. */
struct wh__because *wh__because_behind(const wh_ctx *ctx, const struct wh_because *failure);

/* Notes it on ctx, on the spans above it in this process, and with the member of a group that it works for. Taken over. Not above a
 * group which the failure of another member has stopped: that has been noted there. */
void wh__because_note(const wh_ctx *ctx, struct wh__because *link);

/* A group was stopped by the failure of a member, whose note this is; NULL is ignored. On the spans above the group it takes the
 * place of what other members have noted before it was known whose failure is the first. */
void wh__because_settle(wh_ctx *group, struct wh__because *link);

/* What has failed since then was tried again, and in the end has gone well. */
void wh__because_forget(const wh_ctx *ctx, int64_t since);

/* A node with a deadline is ended, and was not waiting for it any more. If the deadline has passed, and nobody has said of it that
 * it failed, that is noted on the spans above it and with the member that it works for. */
void wh__because_late(wh_ctx *node);

/* The nearest node at or above ctx that begins a struct of the trace room; NULL: none. */
const wh_ctx *wh__because_trace(const wh_ctx *ctx);

/* The block goes, and with it what it holds. */
void wh__because_leave(struct wh__extra *extra);

#endif
