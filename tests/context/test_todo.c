/* wh_todo(): as the background, and it is known who calls it. */
#include "live_tools.h"

static uint64_t calls_at(int line)
{
    uint64_t count;
    const struct wh_site *site;
    for (size_t i = 0; (site = wh__todo_site(i, &count)); i++)
        if (site->line == line && strcmp(site->func, "T004_todo_is_background_and_is_counted_by_place") == 0) return count;
    return 0;
}

static void T004_todo_is_background_and_is_counted_by_place(void **state)
{
    (void)state;
    int lines[2] = {0};
    for (int i = 0; i < 3; i++) {
        const wh_ctx *todo = wh_todo(); lines[0] = __LINE__;
        assert_ptr_equal(todo, wh_todo()); lines[1] = __LINE__;
        assert_ptr_not_equal(todo, wh_background());
        assert_int_equal(wh_err(todo), 0);
        assert_false(wh_cancellable(todo));
        WH_AUTO wh_ctx *child = wh_with_cancel(todo);
        assert_true(wh_cancel(child, WH_CANCELED, NULL));
        assert_int_equal(wh_err(todo), 0);
        wh_end((wh_ctx *)todo);
    }
    assert_int_equal(calls_at(lines[0]), 3);
    assert_int_equal(calls_at(lines[1]), 3);
    char words[100], *text = dumped(WH_DUMP_TEXT);
    snprintf(words, sizeof words, "wh_todo() test_todo.c:%d %s, called 3 times\n", lines[0], __func__);
    assert_says(text, words);
    free(text);
    text = dumped(WH_DUMP_JSON);
    snprintf(words, sizeof words, "\"line\":%d},\"calls\":3}", lines[1]);
    assert_says(text, words);
    free(text);
}

enum { THREADS = 4 };
static struct wh_site sites[1000];

static void *call_everywhere(void *unused)
{
    for (size_t i = 0; i < 1000; i++) wh_todo_at(&sites[i % (i < 100 ? 10 : 1000)]);
    return unused;
}

/* Last, since what is full stays full. */
static void T004_from_many_threads_and_places_no_call_is_lost(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    for (int i = 0; i < 1000; i++) sites[i] = (struct wh_site){"many.c", "everywhere", i};
    for (int i = 0; i < THREADS; i++) threads[i] = start(call_everywhere, NULL);
    for (int i = 0; i < THREADS; i++) join(threads[i]);
    uint64_t count, all = wh__todo_lost(), tens = 0;
    const struct wh_site *site;
    for (size_t i = 0; (site = wh__todo_site(i, &count)); i++) {
        if (site < sites || site >= sites + 1000) continue;
        all += count;
        if (site < sites + 10) tens++, assert_int_equal(count, 10 * THREADS);
    }
    assert_int_equal(tens, 10);
    assert_int_equal(all, 1000 * THREADS);
    assert_true(wh__todo_lost() > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(T004_todo_is_background_and_is_counted_by_place),
        cmocka_unit_test(T004_from_many_threads_and_places_no_call_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
