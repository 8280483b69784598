/* Handlers of the program's own around a fork() may use the library: nothing of it is locked while they run. */
#include <pthread.h>

#include "../context/tools.h"

static wh_ctx *root;
static int ran;

static void use_it(void)
{
    WH_AUTO wh_ctx *ctx = wh_with_timeout(root, WH_SEC(100));
    wh_cancel(ctx, NULL, "around a fork");
    ran++;
}

static bool may_use_it(void *unused)
{
    (void)unused;
    use_it();
    return ran == 3;
}

/* A deadlock ends by the alarm. */
static void handlers_around_a_fork_may_use_the_library(void **state)
{
    (void)state;
    alarm(60);
    root = wh_with_cancel(NULL);
    assert_int_equal(in_child(may_use_it, NULL), 0);
    assert_int_equal(ran, 2);
    wh_end(root);
    alarm(0);
}

int main(void)
{
    pthread_atfork(use_it, use_it, use_it); /* before anything of the library's is called */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(handlers_around_a_fork_may_use_the_library),
    };
    return cmocka_run_group_tests_name("atfork", tests, NULL, NULL);
}
