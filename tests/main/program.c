/* A program as users write it, for test_environment.py to run in many environments.
 *
 *   program           one span, and out of main
 *   program exit      the same, by exit() instead
 *   program wait      prints "ready" and waits for a signal; then says why
 *   program fork      a child that records a span of its own, and one that records nothing
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <whence/whence.h>

static void work(const wh_ctx *root, const char *name)
{
    WH_AUTO wh_ctx *span = wh_start(root, (const char *)name, .kind = WH_CONSUMER);
    wh_set(span, "answer", 42);
}

static int wait_for_signal(const wh_ctx *root)
{
    char why[1000];
    puts("ready");
    fflush(stdout);
    WH_AUTO wh_ctx *span = wh_start(root, "waiting");
    wh_wait(span, WH_SEC(30));
    wh_explain(span, why, sizeof why);
    puts(why);
    fflush(stdout);
    if (getenv("STUBBORN")) wh_wait(wh_background(), WH_SEC(30));
    return 0;
}

static int fork_twice(const wh_ctx *root)
{
    work(root, "before");
#ifdef __SANITIZE_ADDRESS__ /* its allocator stays locked in the child, if a thread that is just starting holds it */
    wh_wait(NULL, WH_MS(200));
#endif
    for (int i = 0; i < 2; i++) {
        const pid_t child = fork();
        if (child == 0) {
            if (i == 0) work(root, "in the child");
            exit(0);
        }
        waitpid(child, NULL, 0);
    }
    work(root, "after");
    return 0;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    WH_AUTO wh_ctx *root = wh_main("program", .version = "2.1", .flush_timeout = WH_SEC(2));
    if (strcmp(what, "wait") == 0) return wait_for_signal(root);
    if (strcmp(what, "fork") == 0) return fork_twice(root);
    work(root, "work");
    puts("ran");
    if (strcmp(what, "exit") == 0) exit(3);
    return 0;
}
