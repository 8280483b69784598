/* Every public call of context.h and the headers beside it, in short scenarios: for what must hold of each of them, as how
 * it takes that memory fails (test_sweep.c) and how much stack it needs (test_stack.c). tests/house/test_scenarios.py sees
 * to it that no call is missing. */
#ifndef SCENARIOS_H
#define SCENARIOS_H

#include <stdbool.h>
#include <stddef.h>

struct scenario {
    const char *name;
    void (*run)(void);
};
extern const struct scenario scenarios[];
extern const size_t scenario_count;

/* Whether what must hold in a scenario, with memory or without, has not; said on standard error. */
extern bool scenario_failed;

#endif
