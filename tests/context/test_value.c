/* Values: the nearest wins, none is lost, and each is destroyed once. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "context/tree.h"
#include "tools.h"

WH_REASON(reason_x, "x");
WH_KEY(tenant, const char *)
WH_KEY(number, int)

static void T072_the_nearest_wins(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *outer = wh_with_number(NULL, 1);
    WH_AUTO wh_ctx *inner = wh_with_number(outer, 2);
    WH_AUTO wh_ctx *other = wh_with_tenant(inner, "acme");
    assert_int_equal(wh_number(inner), 2);
    assert_int_equal(wh_number(other), 2);
    assert_int_equal(wh_number(outer), 1);
    assert_null(wh_tenant(outer));
    assert_string_equal(wh_tenant(other), "acme");
}

static void T073_a_null_value_is_a_value(void **state)
{
    (void)state;
    const char *found = "untouched";
    WH_AUTO wh_ctx *outer = wh_with_tenant(NULL, "acme");
    WH_AUTO wh_ctx *inner = wh_with_tenant(outer, NULL);
    assert_false(wh_find_tenant(NULL, &found));
    assert_string_equal(found, "untouched");
    assert_true(wh_find_tenant(inner, &found));
    assert_null(found);
    assert_null(wh_tenant(inner));
    assert_int_equal(wh_number(inner), 0);
}

static void T074_two_keys_of_one_name_are_two(void **state)
{
    (void)state;
    static const struct wh_key one = {.size = sizeof one, .name = "same", .value_size = 1};
    static const struct wh_key two = {.size = sizeof two, .name = "same", .value_size = 1};
    WH_AUTO wh_ctx *ctx = wh_with_value(NULL, &one, "1");
    assert_null(wh_value(ctx, &two));
    assert_memory_equal(wh_value(ctx, &one), "1", 1);
}

static void T076_no_key_is_refused(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *ctx = wh_with_value(NULL, NULL, "x");
    assert_ptr_equal(wh_cause(ctx), WH_NO_MEMORY);
    assert_int_equal(wh_err(ctx), ECANCELED);
    assert_null(wh_value(ctx, NULL));
}

static void T077_values_stay_readable(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *value = wh_with_number(NULL, 7);
    WH_AUTO wh_ctx *cancelled = wh_with_cancel(value);
    WH_AUTO wh_ctx *inside = wh_with_tenant(cancelled, "acme");
    WH_AUTO wh_ctx *expired = wh_with_timeout(inside, 0);
    wh_cancel(cancelled, reason_x, NULL);
    WH_AUTO wh_ctx *detached = wh_detach(expired);
    const wh_ctx *all[] = {cancelled, inside, expired, detached};
    for (int i = 0; i < 4; i++) assert_int_equal(wh_number(all[i]), 7);
    assert_string_equal(wh_tenant(detached), "acme");
}

/* ---- types and sizes ---- */

struct user {
    char name[12];
    double weight;
};
WH_KEY(user, struct user)
WH_KEY(ratio, double)
WH_KEY_DECLARE(shared, int64_t)
WH_KEY_DEFINE(shared, int64_t)

static void values_of_any_type_are_copied_in(void **state)
{
    (void)state;
    struct user anna = {"anna", 62.5};
    WH_AUTO wh_ctx *user = wh_with_user(NULL, anna);
    WH_AUTO wh_ctx *ratio = wh_with_ratio(user, 0.5);
    WH_AUTO wh_ctx *all = wh_with_shared(ratio, INT64_MIN);
    anna.name[0] = 'h';
    assert_string_equal(wh_user(all).name, "anna");
    assert_true(wh_user(all).weight > 62 && wh_ratio(all) > 0.4);
    assert_int_equal(wh_shared(all), INT64_MIN);
    assert_int_equal(wh_shared(ratio), 0);
    assert_string_equal(wh_user(NULL).name, "");
}

static void values_of_any_size_are_whole_and_aligned(void **state)
{
    (void)state;
    unsigned char bytes[5000];
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (unsigned char)(i * 7);
    wh_ctx *above = NULL;
    struct wh_key keys[70];
    for (size_t i = 0; i < 70; i++) {
        keys[i] = (struct wh_key){.size = sizeof *keys, .name = "bytes", .value_size = i < 60 ? i * 9 : i * 70};
        wh_ctx *ctx = wh_with_value(above, &keys[i], bytes);
        above = above ? wh_take_over(ctx, above) : ctx;
    }
    for (size_t i = 0; i < 70; i++) {
        const void *value = wh_value(above, &keys[i]);
        assert_int_equal((uintptr_t)value % 16, 0);
        assert_memory_equal(value, bytes, keys[i].value_size);
    }
    wh_end(above);
}

/* ---- destroying ---- */

struct owned {
    int *count;
    wh_ctx *end_too;
};

static void destroy_owned(struct owned *owned)
{
    assert_int_equal(wh__self()->critical, 0); /* no lock of the library's is held */
    ++*owned->count;
    WH_AUTO wh_ctx *ctx = wh_with_timeout(owned->end_too, WH_SEC(10)); /* a destructor may do anything */
    wh_cancel(ctx, reason_x, NULL);
    wh_end(owned->end_too);
}
WH_KEY_OWNED(owned, struct owned, destroy_owned)

static void T078_destroyed_once_after_the_last_who_sees_it(void **state)
{
    (void)state;
    int count = 0;
    wh_ctx *value = wh_with_owned(NULL, (struct owned){&count, NULL});
    wh_ctx *child = wh_with_cancel(value);
    wh_ctx *grandchild = wh_with_number(child, 1);
    const wh_ctx *held = wh_hold(grandchild);
    wh_end(value);
    wh_end(child);
    wh_end(grandchild);
    assert_int_equal(count, 0);
    assert_ptr_equal(wh_owned(held).count, &count);
    wh_release(held);
    assert_int_equal(count, 1);
}

static void T079_a_destructor_may_end_others(void **state)
{
    (void)state;
    int count = 0;
    wh_ctx *last = NULL;
    for (int i = 0; i < 100; i++) last = wh_with_owned(NULL, (struct owned){&count, last});
    wh_end(last);
    assert_int_equal(count, 100);
}

/* One thread is cancelling a child, another cancels its parent and waits for that. The value between them goes with the last
 * reference to the child, and its destructor cancels the parent: by then the news must have arrived everywhere, or it would
 * wait for the thread that runs it. The test keeps the child's cancel on its way by the lock of the lowest node. */
struct late {
    wh_ctx *root;
    int *count;
};

static void destroy_late(struct late *late)
{
    wh_cancel(late->root, reason_x, NULL);
    __atomic_fetch_add(late->count, 1, __ATOMIC_RELAXED);
}
WH_KEY_OWNED(late, struct late, destroy_late)

static void *cancel(void *arg)
{
    wh_cancel(arg, reason_x, NULL);
    return NULL;
}

static void *cancel_and_end_all(void *arg)
{
    wh_ctx **family = arg;
    wh_cancel(family[0], reason_x, NULL);
    for (int i = 2; i >= 0; i--) wh_end(family[i]);
    return NULL;
}

static void T078_no_destructor_before_the_news_is_everywhere(void **state)
{
    (void)state;
    int count = 0;
    for (int i = 0; i < 20; i++) {
        WH_AUTO wh_ctx *root = wh_with_cancel(NULL);
        wh_ctx *value = wh_with_late(root, (struct late){root, &count});
        wh_ctx *family[3] = {wh_with_cancel(value)};
        family[1] = wh_with_cancel(family[0]);
        family[2] = wh_with_cancel(family[1]);
        const wh_ctx *child = family[0];
        wh_end(value);
        wh__lock(&family[2]->state);
        const pthread_t one = start(cancel_and_end_all, family);
        EVENTUALLY(wh_err(child));
        const pthread_t two = start(cancel, root);
        EVENTUALLY(wh_err(root));
        wh_wait(NULL, WH_MS(1));
        wh__unlock(&family[2]->state);
        join(one);
        join(two);
    }
    assert_int_equal(count, 20);
}

/* ---- looking while others derive ---- */

struct readers {
    const wh_ctx *ctx;
    bool stop, failed;
};

static void *read_on(void *arg)
{
    struct readers *readers = arg;
    while (!__atomic_load_n(&readers->stop, __ATOMIC_RELAXED))
        if (wh_number(readers->ctx) != 1 || strcmp(wh_tenant(readers->ctx), "acme")) readers->failed = true;
    return NULL;
}

static void T024_T082_read_while_others_derive_and_cancel(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *root = wh_with_number(NULL, 1);
    WH_AUTO wh_ctx *middle = wh_with_cancel(root);
    WH_AUTO wh_ctx *leaf = wh_with_tenant(middle, "acme");
    struct readers readers = {.ctx = leaf};
    pthread_t threads[64];
    const uint32_t refs = leaf->refs;
    for (int i = 0; i < 64; i++) threads[i] = start(read_on, &readers);
    for (int i = 0; i < rounds(10000); i++) {
        WH_AUTO wh_ctx *child = wh_with_number(leaf, i);
        WH_AUTO wh_ctx *below = wh_with_cancel(child);
        wh_cancel(below, NULL, NULL);
        if (i == 1000) wh_cancel(middle, reason_x, NULL);
    }
    __atomic_store_n(&readers.stop, true, __ATOMIC_RELAXED);
    for (int i = 0; i < 64; i++) join(threads[i]);
    assert_false(readers.failed);
    assert_int_equal(leaf->refs, refs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(T072_the_nearest_wins),
        cmocka_unit_test(T073_a_null_value_is_a_value),
        cmocka_unit_test(T074_two_keys_of_one_name_are_two),
        cmocka_unit_test(T076_no_key_is_refused),
        cmocka_unit_test(T077_values_stay_readable),
        cmocka_unit_test(values_of_any_type_are_copied_in),
        cmocka_unit_test(values_of_any_size_are_whole_and_aligned),
        cmocka_unit_test(T078_destroyed_once_after_the_last_who_sees_it),
        cmocka_unit_test(T079_a_destructor_may_end_others),
        cmocka_unit_test(T078_no_destructor_before_the_news_is_everywhere),
        cmocka_unit_test(T024_T082_read_while_others_derive_and_cancel),
    };
    return cmocka_run_group_tests_name("value", tests, NULL, NULL);
}
