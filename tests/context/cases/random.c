/* Programs of the model in the words of the cases, done by Whence as they are written. */
#include "cases.h"

#include <string.h>

#include "../model/oracle.h"

static void say(const char *line)
{
    const char *result = case_do(line);
    printf("    %s%s%s\n", line, result ? " -> " : "", result ? result : "");
}

static const char *name_of(int context, char buf[static 16])
{
    if (context < 0) return context == TODO ? "todo" : "bg";
    snprintf(buf, 16, "c%d", context);
    return buf;
}

/* Returns false where the words have none for it. */
static bool in_words(const struct op *op, char line[static 100])
{
    char buf[16];
    const char *from = name_of(op->from, buf);
    char value[16] = "nil";
    if (op->value) snprintf(value, sizeof value, "%d", op->value);
    switch (op->kind) {
    case CHILD: snprintf(line, 100, "c%d = child %s", op->at, from); break;
    case DEADLINE: snprintf(line, 100, "c%d = deadline %s %s", op->at, from, instant_names[op->number]); break;
    case VALUE: snprintf(line, 100, "c%d = value %s %s %s", op->at, from, key_names[op->number], value); break;
    case DETACH: snprintf(line, 100, "c%d = detach %s", op->at, from); break;
    case HOLD: snprintf(line, 100, "hold c%d", op->at); break;
    case RELEASE: snprintf(line, 100, "release c%d", op->at); break;
    case CANCEL: snprintf(line, 100, "cancel c%d %s", op->at, op->number == CANCELED ? "" : reason_names[op->number]); break;
    case END: snprintf(line, 100, "end c%d", op->at); break;
    case AFTER: snprintf(line, 100, "f%d = after %s", op->at, from); break;
    case STOP: snprintf(line, 100, "stop f%d", op->at); break;
    default: return false;
    }
    return true;
}

static void say_callbacks(const struct oracle *oracle)
{
    char line[100];
    for (int f = 0; f < CALLBACKS; f++) {
        const enum state state = oracle->callbacks[f].state;
        if (state == UNKNOWN) continue;
        /* Where nobody else has a context, Whence lets its callbacks go with it; in Go its cancel function runs them. */
        if (state == DROPPED) continue;
        snprintf(line, sizeof line, "ran f%d", f);
        say(line);
    }
}

static void say_program(const struct program *program)
{
    static struct oracle oracle;
    char line[100];
    oracle = (struct oracle){.wrong = RIGHT};
    case_begin();
    for (int i = 0; i < program->count; i++) {
        const struct op *op = &program->ops[i];
        if (!oracle_allows(&oracle, op) || !in_words(op, line)) continue;
        if (op->kind == STOP && oracle.callbacks[op->at].state == DROPPED) continue;
        oracle_do(&oracle, op, i);
        say(line);
        if (op->kind != HOLD && op->kind != RELEASE) say("all");
    }
    say_callbacks(&oracle);
    case_end();
}

void random_cases(int count, uint32_t seed)
{
    for (int i = 0; i < count; i++) {
        printf("case random %u\n", seed);
        const struct program program = program_random(&seed, GO);
        say_program(&program);
    }
}
