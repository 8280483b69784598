/* Programs over contexts: short lists of operations that the oracle and Whence both run (compare.h), in words that Go can
 * read too (words.c). An operation that is not allowed where it stands, because its context was never made or is not the
 * program's any more, is left out by everybody: so whatever is cut from a program, the rest still is one. */
#ifndef MODEL_PROGRAM_H
#define MODEL_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum kind {
    NOTHING,
    CHILD, DEADLINE, VALUE, DETACH, CLOCK, MERGE, /* these make the context `at` below the context `from`, and `and` */
    TAKE, HOLD, RELEASE, FD, CANCEL, END,  /* these are about the context `at` */
    AFTER, INLINE,                         /* these make the callback `at` of the context `from` */
    STOP,                                  /* the callback `at` */
    ADVANCE,                               /* the clock, to an instant, if it is not there yet */
    KINDS
};

enum { CONTEXTS = 32, CALLBACKS = 16, OPS = 64, KEYS = 3 };

/* Contexts that nobody made; any other is from 0 to CONTEXTS - 1. */
enum { NONE = -1, BACKGROUND = -2, TODO = -3 };

enum { CANCELED, REASON_X, REASON_Y, REASON_LATE, GIVEN_REASONS, DEADLINE_EXCEEDED = GIVEN_REASONS, ENDED, REASONS };

/* Two that have passed, three that a clock of one's own comes to and the system's does not, and no instant at all. */
enum { PAST_2, PAST_1, FAR_1, FAR_2, FAR_3, NEVER, INSTANTS };

struct op {
    enum kind kind;
    int at, from, and;
    int number;      /* CANCEL, END: the reason; DEADLINE, ADVANCE: the instant; VALUE: the key */
    int value;       /* VALUE: 0 is the value that is nothing */
    enum kind deed;  /* INLINE: what the callback does to `target` when it runs: NOTHING, CANCEL, END or STOP */
    int target;
};

struct program {
    int count;
    struct op ops[OPS];
};

/* What Go has too: no callbacks on the canceller's thread, no context that is the owner of another, no
 * value that is nil, no clock, and no context below two. */
enum dialect { WHENCE, GO };
struct program program_random(uint32_t *seed, enum dialect dialect);

/* As C, with what each operation is to be pasted as. */
void program_print(const struct program *program, FILE *file);

/* Names, by the numbers above. */
extern const char *const reason_names[REASONS], *const instant_names[INSTANTS], *const key_names[KEYS];

static inline bool makes_context(enum kind kind)
{
    return kind >= CHILD && kind <= MERGE;
}

static inline bool makes_callback(enum kind kind)
{
    return kind == AFTER || kind == INLINE;
}

#endif
