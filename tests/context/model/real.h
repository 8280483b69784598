/* The same program done on Whence. Call by call; what the oracle has decided says whether a callback's deed is allowed. */
#ifndef MODEL_REAL_H
#define MODEL_REAL_H

#include <whence/whence.h>

#include "oracle.h"

struct real_callback {
    struct real *real;
    int number;
    wh_callback *handle;
    bool result;           /* of its deed */
    bool saw_done;         /* its context was done, with a cause, when it ran */
};

struct real {
    const struct oracle *oracle;
    wh_ctx *contexts[CONTEXTS];
    int from[CONTEXTS];    /* what it was derived from */
    int fds[CONTEXTS];
    struct real_callback callbacks[CALLBACKS];
    struct ran ran_inline, ran_later; /* count: atomic */
    int destroyed[CONTEXTS];
    wh_clock *clock;
    int64_t begun;         /* the instant that the others are counted from */
};

/* real_end(): all that it has made is ended. */
void real_begin(struct real *real, const struct oracle *oracle);
void real_end(struct real *real);
bool real_do(struct real *real, const struct op *op, int site);
struct seen real_see(struct real *real, int context);

/* Waits until so many callbacks have run on the library's thread; false if they never do. */
bool real_settles(struct real *real, int count);

#endif
