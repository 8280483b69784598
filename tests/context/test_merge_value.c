/* Merged contexts: which values they see, and long ways through them. */
#include <errno.h>

#include "context/merge.h"
#include "tools.h"

WH_REASON(reason_x, "x");
WH_KEY(number, int)
WH_KEY(color, int)
WH_KEY(size, int)

/* ---- values ---- */

static void T095_values_of_the_first_come_first_and_then_the_nexts(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *a = wh_with_number(NULL, 1);
    WH_AUTO wh_ctx *b0 = wh_with_color(NULL, 20);
    WH_AUTO wh_ctx *b1 = wh_with_cancel(b0);
    WH_AUTO wh_ctx *b2 = wh_with_number(b1, 2);
    WH_AUTO wh_ctx *b3 = wh_with_color(b2, 21);
    WH_AUTO wh_ctx *c0 = wh_with_size(NULL, 300);
    WH_AUTO wh_ctx *c1 = wh_with_color(c0, 30);
    const wh_ctx *sources[] = {a, b3, c1};
    wh_ctx *all = wh_merge_at(sources, 3, WH_HERE);
    assert_int_equal(wh_number(all), 1);
    assert_int_equal(wh_color(all), 21);
    assert_int_equal(wh_size(all), 300);
    WH_AUTO wh_ctx *far = wh_with_cancel(all);
    WH_AUTO wh_ctx *shadow = wh_with_color(far, 99);
    WH_AUTO wh_ctx *detached = wh_detach(shadow);
    wh_end(all);
    assert_int_equal(wh_err(far), ECANCELED);
    assert_int_equal(wh_number(detached), 1);
    assert_int_equal(wh_color(detached), 99);
    assert_int_equal(wh_size(detached), 300);
    assert_int_equal(wh_color(far), 21);
}

/* What a merged context sees, as the rule says it: the first source's whole chain, then the next one's. */
static const void *by_the_rule(const wh_ctx *ctx, const struct wh_key *key)
{
    for (; ctx; ctx = ctx->parent) {
        const struct wh__value_node *node = (const void *)ctx;
        if (ctx->flags & WH__VALUE && !(ctx->flags & WH__IMMORTAL) && node->key == key) return node->value;
        if (!(ctx->flags & WH__MERGED)) continue;
        const void *found = by_the_rule(ctx->parent, key);
        for (const struct wh__tie *tie = wh__merged(ctx)->ties; tie && !found; tie = tie->also) found = by_the_rule(tie->parent, key);
        return found;
    }
    return NULL;
}

static void T095_values_of_random_graphs_are_those_of_the_rule(void **state)
{
    (void)state;
    enum { MOST = 40 };
    const struct wh_key *keys[] = {&wh_key_number, &wh_key_color, &wh_key_size};
    uint32_t seed = 11;
    for (int round = chances(150); round; round--) {
        wh_ctx *all[MOST];
        for (int i = 0; i < MOST; i++) {
            const wh_ctx *sources[3];
            for (int j = 0; j < 3; j++) sources[j] = i && next_random(&seed) % 8 ? all[next_random(&seed) % (unsigned)i] : NULL;
            switch (next_random(&seed) % 6) {
            case 0: all[i] = wh_with_number(sources[0], i); break;
            case 1: all[i] = wh_with_color(sources[0], i); break;
            case 2: all[i] = wh_with_size(sources[0], i); break;
            case 3: all[i] = wh_with_cancel(sources[0]); break;
            default: all[i] = wh_merge_at(sources, next_random(&seed) % 4, WH_HERE);
            }
            for (int k = 0; k < 3; k++) assert_ptr_equal(wh_value(all[i], keys[k]), by_the_rule(all[i], keys[k]));
        }
        for (int i = 0; i < MOST; i++) wh_end(all[i]);
    }
}

/* ---- long ways ---- */

enum { SAME_SIDE, OTHER_SIDE, SIDES };

static void T025_T095_long_chains_of_merged_contexts(void **state)
{
    (void)state;
    enum { LENGTH = 100000 };
    const int length = rounds(LENGTH);
    wh_ctx **chain = calloc((size_t)length, sizeof *chain);
    assert_non_null(chain);
    for (int kind = 0; kind < SIDES; kind++) {
        for (int ends = 0; ends < 4; ends++) {
            wh_ctx *first = wh_with_color(NULL, 5);
            chain[0] = wh_with_cancel(first);
            wh_ctx *shared = wh_with_cancel(NULL), *other = wh_with_size(shared, 6);
            for (int i = 1; i < length; i++) chain[i] = kind == SAME_SIDE ? wh_merge(chain[i - 1], other) : wh_merge(other, chain[i - 1]);
            wh_ctx *last = chain[length - 1];
            assert_int_equal(wh_color(last), 5);
            assert_int_equal(wh_size(last), 6);
            assert_int_equal(wh_number(last), 0);
            if (ends % 2) {
                wh_cancel(ends == 1 ? chain[0] : shared, reason_x, NULL);
                for (int i = 1; i < length; i++) assert_ptr_equal(wh_cause(chain[i]), reason_x);
                assert_int_equal(cause_of(last).depth, ends == 1 ? length - 1 : 2); /* it is tied to each of them, newest first */
            }
            wh_end(first);
            for (int i = 0; i < length; i++) wh_end(chain[ends < 2 ? i : length - 1 - i]);
            assert_null(shared->children);
            assert_int_equal(shared->refs, 2);
            wh_end(shared);
            wh_end(other);
        }
    }
    free(chain);
}

/* Looked at naively there are two to the thousandth ways through it. */
static void T099_a_tower_of_diamonds(void **state)
{
    (void)state;
    enum { FLOORS = 1000 };
    wh_ctx *all[3 * FLOORS + 1];
    all[0] = wh_with_cancel(NULL);
    for (int i = 1; i < 3 * FLOORS; i += 3) {
        all[i] = wh_with_number(all[i - 1], i);
        all[i + 1] = wh_with_cancel(all[i - 1]);
        all[i + 2] = wh_merge(all[i + 1], all[i]);
    }
    const wh_ctx *top = all[3 * FLOORS];
    assert_int_equal(wh_number(top), 1); /* the first source's whole chain comes first, which ends in the lowest diamond */
    assert_int_equal(wh_color(top), 0);
    wh_cancel(all[0], reason_x, NULL);
    for (int i = 0; i <= 3 * FLOORS; i++) assert_ptr_equal(wh_cause(all[i]), reason_x);
    assert_int_equal(cause_of(top).depth, 2 * FLOORS);
    for (int i = 0; i <= 3 * FLOORS; i++) wh_end(all[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(T095_values_of_the_first_come_first_and_then_the_nexts),
        cmocka_unit_test(T095_values_of_random_graphs_are_those_of_the_rule),
        cmocka_unit_test(T025_T095_long_chains_of_merged_contexts),
        cmocka_unit_test(T099_a_tower_of_diamonds),
    };
    return cmocka_run_group_tests_name("merge value", tests, NULL, NULL);
}
