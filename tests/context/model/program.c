#include "program.h"

const char *const reason_names[REASONS] = {"canceled", "x", "y", "late", "deadline_exceeded", "ended"};
const char *const instant_names[INSTANTS] = {"past2", "past1", "far1", "far2", "far3", "never"};
const char *const key_names[KEYS] = {"k", "l", "m"};

/* ---- at random ---- */

struct author {
    uint32_t seed;
    enum dialect dialect;
    int contexts, callbacks;
};

static int below(struct author *author, int limit)
{
    uint32_t *seed = &author->seed;
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return (int)(*seed % (uint32_t)limit);
}

/* One that was made, the later the likelier, or now and then a root. */
static int some_context(struct author *author)
{
    if (!author->contexts || below(author, 10) == 0) return TODO + below(author, 3);
    const int one = below(author, author->contexts), other = below(author, author->contexts);
    return one > other ? one : other;
}

static int one_made(struct author *author)
{
    return author->contexts ? below(author, author->contexts) : NONE;
}

static void give_deed(struct author *author, struct op *op)
{
    static const enum kind deeds[] = {NOTHING, NOTHING, CANCEL, END, STOP};
    op->deed = deeds[below(author, 5)];
    op->target = op->deed == STOP ? below(author, CALLBACKS) : one_made(author);
    op->number = below(author, GIVEN_REASONS);
}

static struct op some_op(struct author *author)
{
    static const enum kind often[] = {CLOCK, MERGE, MERGE, MERGE, ADVANCE, CHILD, CHILD, CHILD, CHILD, CHILD, DEADLINE, DEADLINE, VALUE, VALUE, DETACH, TAKE, HOLD,
        HOLD, RELEASE, RELEASE, FD, FD, CANCEL, CANCEL, CANCEL, CANCEL, END, END, END, AFTER, INLINE, INLINE, INLINE, STOP, STOP};
    const bool go = author->dialect == GO;
    struct op op = {.kind = often[below(author, sizeof often / sizeof *often)]};
    if (go && (op.kind == TAKE || op.kind == INLINE || op.kind == CLOCK || op.kind == MERGE || op.kind == ADVANCE)) op.kind = CHILD;
    if ((makes_context(op.kind) && author->contexts == CONTEXTS) || (makes_callback(op.kind) && author->callbacks == CALLBACKS))
        op.kind = CANCEL;
    op.at = makes_context(op.kind) ? author->contexts : makes_callback(op.kind) ? author->callbacks
          : op.kind == STOP ? below(author, CALLBACKS) : one_made(author);
    op.from = some_context(author);
    op.and = op.kind == MERGE ? some_context(author) : NONE;
    op.value = below(author, 8) + go;
    op.number = op.kind == CANCEL || op.kind == END ? below(author, go ? REASON_LATE : GIVEN_REASONS)
              : op.kind == ADVANCE ? FAR_1 + below(author, 3) : op.kind == DEADLINE ? below(author, INSTANTS) : op.kind == VALUE ? below(author, KEYS) : 0;
    if (op.kind == INLINE) give_deed(author, &op);
    author->contexts += makes_context(op.kind);
    author->callbacks += makes_callback(op.kind);
    return op;
}

struct program program_random(uint32_t *seed, enum dialect dialect)
{
    struct author author = {.seed = *seed, .dialect = dialect};
    struct program program = {.count = 3 + below(&author, 30)};
    for (int i = 0; i < program.count; i++) program.ops[i] = some_op(&author);
    *seed = author.seed;
    return program;
}

/* ---- in C ---- */

static const char *in_c(char *buf, size_t size, int context)
{
    if (context < 0) return context == NONE ? "NULL" : context == BACKGROUND ? "wh_background()" : "wh_todo()";
    snprintf(buf, size, "c%d", context);
    return buf;
}

static const char *reason_in_c(int reason)
{
    static const char *const names[] = {"WH_CANCELED", "reason_x", "reason_y", "reason_late"};
    return names[reason];
}

static void print_callback(const struct op *op, const char *from, FILE *file)
{
    fprintf(file, "wh_after%s(%s, f%d_runs, NULL, &f%d);", op->kind == INLINE ? "_inline" : "", from, op->at, op->at);
    if (op->deed == CANCEL) fprintf(file, " /* f%d_runs: wh_cancel(c%d, %s, NULL) */", op->at, op->target, reason_in_c(op->number));
    if (op->deed == END) fprintf(file, " /* f%d_runs: wh_end_because(c%d, %s) */", op->at, op->target, reason_in_c(op->number));
    if (op->deed == STOP) fprintf(file, " /* f%d_runs: wh_stop(f%d) */", op->at, op->target);
}

static void print_op(const struct op *op, FILE *file)
{
    char name[16];
    const char *from = in_c(name, sizeof name, op->from);
    switch (op->kind) {
    case CHILD: fprintf(file, "wh_ctx *c%d = wh_with_cancel(%s);", op->at, from); break;
    case DEADLINE: fprintf(file, "wh_ctx *c%d = wh_with_deadline(%s, %s);", op->at, from, instant_names[op->number]); break;
    case VALUE: fprintf(file, "wh_ctx *c%d = wh_with_%s(%s, %d);", op->at, key_names[op->number], from, op->value); break;
    case DETACH: fprintf(file, "wh_ctx *c%d = wh_detach(%s);", op->at, from); break;
    case CLOCK: fprintf(file, "wh_ctx *c%d = wh_with_clock(%s, clock);", op->at, from); break;
    case MERGE: fprintf(file, "wh_ctx *c%d = wh_merge(%s, %s);", op->at, from, in_c((char[16]){0}, 16, op->and)); break;
    case ADVANCE: fprintf(file, "wh_clock_advance(clock, %s - wh_clock_now(clock));", instant_names[op->number]); break;
    case TAKE: fprintf(file, "wh_take_over(c%d, its parent);", op->at); break;
    case HOLD: fprintf(file, "wh_hold(c%d);", op->at); break;
    case RELEASE: fprintf(file, "wh_release(c%d);", op->at); break;
    case FD: fprintf(file, "wh_done_fd(c%d);", op->at); break;
    case CANCEL: fprintf(file, "wh_cancel(c%d, %s, NULL);", op->at, reason_in_c(op->number)); break;
    case END: fprintf(file, op->number ? "wh_end_because(c%d, %s);" : "wh_end(c%d);", op->at, reason_in_c(op->number)); break;
    case AFTER: case INLINE: print_callback(op, from, file); break;
    case STOP: fprintf(file, "wh_stop(f%d);", op->at); break;
    case NOTHING: case KINDS: break;
    }
}

void program_print(const struct program *program, FILE *file)
{
    for (int i = 0; i < program->count; i++) {
        fputs("    ", file);
        print_op(&program->ops[i], file);
        fputc('\n', file);
    }
}
