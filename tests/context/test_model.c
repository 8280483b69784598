/* Random trees against a simple model of the rules, and random trees among threads against what must hold at any time. */
#include <errno.h>

#include "context/tree.h"
#include "shards_tools.h"

WH_KEY(number, int)
WH_REASON(reasons, "one of many");

/* ---- one thread, and a model that says exactly what each context must answer ---- */

enum { MOST = 64, BACKGROUND = -1 };

struct model {
    wh_ctx *real;         /* NULL: this place is free */
    bool owned, held, is_value, is_detached;
    int parent, refs;     /* refs: the owner, our hold, and children */
    int level, value;
    int err;
    int64_t deadline;
    const struct wh_reason *reason;
};

static struct model nodes[MOST];

/* What was done before keeps its own, and all below it was done then. */
static void expect_done(int i, int err, const struct wh_reason *reason)
{
    if (nodes[i].err) return;
    nodes[i].err = err;
    nodes[i].reason = reason;
    for (int j = 0; j < MOST; j++)
        if (nodes[j].real && nodes[j].parent == i && !nodes[j].is_detached) expect_done(j, err, reason);
}

static void expect_gone(int i)
{
    while (i != BACKGROUND && --nodes[i].refs == 0) {
        nodes[i].real = NULL;
        i = nodes[i].parent;
    }
}

static int free_place(void)
{
    for (int i = 0; i < MOST; i++)
        if (!nodes[i].real) return i;
    return -1;
}

static int any(uint32_t *seed)
{
    const int i = (int)(next_random(seed) % MOST);
    return nodes[i].real ? i : BACKGROUND;
}

/* Whether a parent can be done at all: a chain of values on a root cannot. */
static bool is_live(int i)
{
    while (i != BACKGROUND && nodes[i].is_value) i = nodes[i].parent;
    return i != BACKGROUND;
}

static void derive(uint32_t *seed)
{
    const int at = free_place(), parent = any(seed);
    if (at < 0) return;
    const wh_ctx *above = parent == BACKGROUND ? NULL : nodes[parent].real;
    const int64_t inherited = parent == BACKGROUND ? WH_NEVER : nodes[parent].deadline;
    struct model node = {.owned = true, .held = true, .parent = parent, .refs = 2, .deadline = inherited};
    node.value = parent == BACKGROUND ? 0 : nodes[parent].value;
    node.level = parent == BACKGROUND ? 0 : nodes[parent].level + 1;
    const int64_t far = wh_now() + WH_SEC(1000) + next_random(seed);
    switch (next_random(seed) % 5) {
    case 0:
        node.is_value = true;
        node.value = (int)(next_random(seed) % 1000) + 1;
        node.real = wh_with_number(above, node.value);
        break;
    case 1:
        node.is_detached = true;
        node.deadline = WH_NEVER;
        node.real = wh_detach(above);
        break;
    case 2:
        node.real = wh_with_deadline(above, far);
        if (far < inherited) node.deadline = far;
        break;
    case 3: {
        const int64_t past = wh_now() - 1 - next_random(seed) % 1000;
        node.real = wh_with_deadline(above, past);
        if (past < inherited) node.deadline = past;
        if (past < inherited) node.err = ETIMEDOUT, node.reason = WH_DEADLINE_EXCEEDED;
        break;
    }
    default:
        node.real = wh_with_cancel(above);
    }
    if (parent != BACKGROUND && !node.is_detached && nodes[parent].err) {
        node.err = nodes[parent].err;
        node.reason = nodes[parent].reason;
    }
    wh_hold(node.real);
    nodes[at] = node;
    if (parent != BACKGROUND) nodes[parent].refs++;
    assert_int_equal(wh_cancellable(node.real), is_live(at));
}

static void cancel(uint32_t *seed, const struct wh_reason *reason)
{
    const int i = any(seed);
    if (i == BACKGROUND || !nodes[i].owned) return;
    const bool wins = !nodes[i].is_value && !nodes[i].err;
    assert_int_equal(wh_cancel(nodes[i].real, reason, NULL), wins);
    if (wins) expect_done(i, ECANCELED, reason);
}

static void end(uint32_t *seed)
{
    const int i = any(seed);
    if (i == BACKGROUND || !nodes[i].owned) return;
    wh_end(nodes[i].real);
    nodes[i].owned = false;
    if (nodes[i].refs > 1 && !nodes[i].is_value && !nodes[i].err) expect_done(i, ECANCELED, WH_ENDED);
    expect_gone(i);
}

static void release(uint32_t *seed)
{
    const int i = any(seed);
    if (i == BACKGROUND || !nodes[i].held) return;
    wh_release(nodes[i].real);
    nodes[i].held = false;
    expect_gone(i);
}

static void compare(void)
{
    for (int i = 0; i < MOST; i++) {
        const struct model *node = &nodes[i];
        if (!node->real) continue;
        assert_int_equal(wh_err(node->real), node->err);
        assert_ptr_equal(wh_cause(node->real), node->reason);
        assert_int_equal(wh_deadline(node->real), node->deadline);
        assert_int_equal(wh_number(node->real), node->value);
        assert_int_equal(node->real->level, node->level);
        assert_int_equal(refs_of(node->real, node->owned), node->refs);
    }
}

static void T170_random_trees_do_what_the_model_says(void **state)
{
    (void)state;
    const int steps = chances(100000);
    struct wh_reason own[64];
    for (int i = 0; i < 64; i++) own[i] = reasons[0];
    for (uint32_t seed = 1, step = 0; step < (uint32_t)steps; step++) {
        next_random(&seed);
        switch (next_random(&seed) % 8) {
        case 0: cancel(&seed, &own[step % 64]); break;
        case 1: case 2: end(&seed); break;
        case 3: case 4: release(&seed); break;
        default: derive(&seed);
        }
        compare();
    }
    for (int i = 0; i < MOST; i++)
        if (nodes[i].real && nodes[i].owned) wh_end(nodes[i].real);
    for (int i = 0; i < MOST; i++)
        if (nodes[i].real && nodes[i].held) wh_release(nodes[i].real);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(T170_random_trees_do_what_the_model_says),
    };
    return cmocka_run_group_tests_name("model", tests, NULL, NULL);
}
