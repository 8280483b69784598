/* What a context must answer, said again as simply as it can be: plain arrays, one thread, no memory to manage, no clock.
 * Where this and Whence differ, one of them is wrong; oracle.c is short enough to be held against the rules by reading. */
#ifndef MODEL_ORACLE_H
#define MODEL_ORACLE_H

#include "program.h"

/* A rule that the oracle is to get wrong, to see that a difference is found. */
enum wrong { RIGHT, R3, R5, R6, R9, R13, R15, R16, R20, R21, R23, R24, R25, WRONGS };

struct context {
    bool is_made, is_gone;
    enum kind kind;
    int parent, other;         /* other: the second source of a merged one; NONE */
    bool is_clocked;           /* goes by the program's own clock */
    int refs;                  /* its owner, holds, children, and a cancel that is under way */
    bool is_mine;              /* the program is its owner */
    int owner;                 /* the context that is, after TAKE; NONE */
    int holds;                 /* the program's own */
    int err;                   /* 0, ECANCELED or ETIMEDOUT */
    bool by_other;             /* it was done through its second source */
    int origin;                /* the context on which cancel was called; these only there: */
    int reason, site, text;
    int losers, loser, loser_site;
    int deadline;              /* an instant */
    bool asks, is_timed;       /* for a deadline of its own; and it is the one that holds */
    int key, value;
    bool has_fd;
};

enum state { UNKNOWN, WAITING, RAN, DROPPED, STOPPED, IDLE };

struct callback {
    enum state state;
    bool is_held;              /* has not been given to a stop function */
    bool is_inline;
    int context;               /* the one that it waits for */
    struct op op;
    bool acts, result;         /* when it ran: whether its deed was allowed, and what came of it */
};

/* Which callbacks have run, in this order. */
struct ran {
    int count, which[CALLBACKS];
};

struct oracle {
    enum wrong wrong;
    struct context contexts[CONTEXTS];
    struct callback callbacks[CALLBACKS];
    struct ran ran_inline, ran_later;
    int now;                   /* the instant at which the program's clock stands; 0: PAST_1 */
    int destroyed[CONTEXTS];   /* how often the value of that context was */
};

/* Whether the program may do this now. */
bool oracle_allows(const struct oracle *oracle, const struct op *op);

/* Does it; `site` is the place in the source. Returns what a CANCEL or STOP returns, else true. */
bool oracle_do(struct oracle *oracle, const struct op *op, int site);

/* All that can be asked of a context; compared field by field. */
struct seen {
    int err, waited;           /* wh_err(), wh_wait() */
    int reason, origin, depth; /* of wh_cause_info(); NONE where there is nothing */
    int site, text;
    int losers, loser, loser_site;
    int deadline;              /* an instant */
    bool asks, is_cancellable;
    int fd;                    /* NONE: there is none; else whether it is readable */
    int values[KEYS];          /* NONE: there is none */
};
struct seen oracle_see(const struct oracle *oracle, int context);

/* Whether the program can still reach it. */
bool oracle_reaches(const struct oracle *oracle, int context);

/* The places in the source where contexts are made and callbacks cancel; places of a program's own are below these. */
enum { SITES_OF_CALLBACKS = 1000, SITES_OF_CONTEXTS = 2000 };

#endif
