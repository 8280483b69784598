#include "compare.h"

#include <stdarg.h>
#include <string.h>

#include "real.h"

struct run {
    struct oracle oracle;
    struct real real;
    struct difference *difference;
    bool differs;
};

__attribute__((format(printf, 2, 3))) static void differ(struct run *run, const char *format, ...)
{
    va_list args;
    if (run->differs) return;
    run->differs = true;
    va_start(args, format);
    vsnprintf(run->difference->words, sizeof run->difference->words, format, args);
    va_end(args);
}

/* ---- one step ---- */

static const char *name_of(int reason)
{
    return reason == NONE ? "none" : reason_names[reason];
}

static void compare_context(struct run *run, int i)
{
    const struct seen expected = oracle_see(&run->oracle, i), seen = real_see(&run->real, i);
#define COMPARE(field) \
    if (seen.field != expected.field) differ(run, "c%d: " #field " is %d, the rules say %d", i, (int)seen.field, (int)expected.field)
    COMPARE(err);
    if (seen.reason != expected.reason)
        differ(run, "c%d: the cause is %s, the rules say %s", i, name_of(seen.reason), name_of(expected.reason));
    COMPARE(waited);
    COMPARE(origin);
    COMPARE(depth);
    COMPARE(site);
    COMPARE(text);
    COMPARE(losers);
    COMPARE(loser);
    COMPARE(loser_site);
    COMPARE(deadline);
    COMPARE(asks);
    COMPARE(is_cancellable);
    COMPARE(fd);
    for (int key = 0; key < KEYS; key++) COMPARE(values[key]);
#undef COMPARE
}

static void compare_ran(struct run *run, const char *where, const struct ran *ran, const struct ran *expected)
{
    char words[2][100] = {"", ""};
    const struct ran *const both[] = {ran, expected};
    if (ran->count == expected->count && !memcmp(ran->which, expected->which, (size_t)ran->count * sizeof *ran->which)) return;
    for (int i = 0; i < 2; i++)
        for (int f = 0; f < both[i]->count; f++) sprintf(words[i] + strlen(words[i]), " f%d", both[i]->which[f]);
    differ(run, "callbacks ran %s:%s, the rules say:%s", where, words[0], words[1]);
}

static void compare_callbacks(struct run *run)
{
    if (!real_settles(&run->real, run->oracle.ran_later.count)) differ(run, "a callback never runs");
    compare_ran(run, "inline", &run->real.ran_inline, &run->oracle.ran_inline);
    compare_ran(run, "on the library's thread", &run->real.ran_later, &run->oracle.ran_later);
    for (int f = 0; f < CALLBACKS && !run->differs; f++) {
        const struct callback *expected = &run->oracle.callbacks[f];
        const struct real_callback *callback = &run->real.callbacks[f];
        if (expected->state != RAN) continue;
        if (expected->acts && callback->result != expected->result) differ(run, "what f%d does says %d", f, callback->result);
        if (expected->is_inline && !callback->saw_done) differ(run, "f%d ran before its context was done", f);
    }
}

static void compare(struct run *run)
{
    compare_callbacks(run);
    for (int i = 0; i < CONTEXTS && !run->differs; i++) {
        if (run->real.destroyed[i] != run->oracle.destroyed[i])
            differ(run, "the value of c%d was destroyed %d times, the rules say %d", i, run->real.destroyed[i], run->oracle.destroyed[i]);
        if (oracle_reaches(&run->oracle, i)) compare_context(run, i);
    }
}

static void step(struct run *run, const struct op *op, int site)
{
    if (!oracle_allows(&run->oracle, op)) return;
    const bool expected = oracle_do(&run->oracle, op, site);
    const bool result = real_do(&run->real, op, site);
    if (result != expected) differ(run, "it returns %d, the rules say %d", result, expected);
    if (!run->differs) compare(run);
}

/* ---- the whole ---- */

/* Everything that the program still has is given back: compared too, unless they differ already. */
static void finish(struct run *run, int site)
{
    for (int i = CONTEXTS - 1; i >= 0; i--) {
        step(run, &(struct op){.kind = END, .at = i}, site);
        while (run->oracle.contexts[i].holds) step(run, &(struct op){.kind = RELEASE, .at = i}, site);
    }
    for (int f = 0; f < CALLBACKS; f++) step(run, &(struct op){.kind = STOP, .at = f}, site);
}

bool differs(const struct program *program, enum wrong wrong, struct difference *difference)
{
    static struct run run; /* callbacks that come too late find it still there */
    run = (struct run){.oracle = {.wrong = wrong}, .difference = difference};
    real_begin(&run.real, &run.oracle);
    difference->step = 0;
    for (; difference->step < program->count; difference->step++) {
        step(&run, &program->ops[difference->step], difference->step + 1);
        if (run.differs) break;
    }
    finish(&run, OPS + 1);
    real_end(&run.real);
    return run.differs;
}

/* ---- less of it ---- */

static struct program without(const struct program *program, int first, int count)
{
    struct program rest = *program;
    memmove(&rest.ops[first], &program->ops[first + count], (size_t)(program->count - first - count) * sizeof *rest.ops);
    rest.count -= count;
    return rest;
}

/* Whole halves first, single operations at last; again, as long as something goes. */
static bool cut(struct program *program, enum wrong wrong)
{
    struct difference difference;
    bool any = false;
    for (int size = program->count / 2 > 1 ? program->count / 2 : 1; size; size /= 2)
        for (int first = 0; first + size <= program->count;) {
            const struct program rest = without(program, first, size);
            if (differs(&rest, wrong, &difference)) {
                *program = rest;
                any = true;
            } else {
                first += size;
            }
        }
    return any;
}

/* Fewer words in what is left: made of nothing in particular, and doing nothing when they run. */
static bool simplify(struct program *program, enum wrong wrong)
{
    struct difference difference;
    bool any = false;
    for (int i = 0; i < program->count; i++) {
        struct program simpler = *program;
        struct op *op = &simpler.ops[i];
        if ((makes_context(op->kind) || makes_callback(op->kind)) && op->from != NONE) op->from = NONE;
        else if (op->kind == INLINE && op->deed) op->deed = NOTHING;
        else if (op->kind == DEADLINE || op->kind == DETACH || op->kind == CLOCK || op->kind == MERGE) op->kind = CHILD;
        else continue;
        if (!differs(&simpler, wrong, &difference)) continue;
        *program = simpler;
        any = true;
    }
    return any;
}

struct program shrunk(const struct program *program, enum wrong wrong)
{
    struct program rest = *program;
    while (cut(&rest, wrong) || simplify(&rest, wrong)) continue;
    return rest;
}

void print_difference(const struct program *program, enum wrong wrong, FILE *file)
{
    struct difference difference = {0};
    differs(program, wrong, &difference);
    program_print(program, file);
    if (difference.step < program->count)
        fprintf(file, "    /* after line %d: %s */\n", difference.step + 1, difference.words);
    else
        fprintf(file, "    /* while all is ended, the newest first: %s */\n", difference.words);
}
