/* A program as users write it, for test_environment.py to run in many environments.
 *
 *   program           one span, and out of main
 *   program exit      the same, by exit() instead
 *   program wait      prints "ready" and waits for a signal; then says why
 *   program live      prints the contexts that are alive, in the format given: text, json or dot; leaves two
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

/* What is hostile in it must not break the format. */
static int show(const wh_ctx *root, const char *format)
{
    static const struct wh_key key = {.size = sizeof key, .name = "name \"of\" \\a\n\t\x1b\xff stranger", .value_size = 4};
    wh_ctx *value = wh_with_value(root, &key, "abc");
    wh_ctx *detached = wh_detach(value);
    {
        WH_AUTO wh_ctx *span = wh_start(value, "span", .timeout = WH_SEC(100));
        WH_AUTO wh_ctx *inner = wh_with_timeout(span, WH_SEC(1000));
        WH_AUTO wh_ctx *done = wh_with_cancel(wh_todo());
        WH_AUTO wh_ctx *expired = wh_with_timeout(inner, 0);
        wh_cancelf(done, WH_CLIENT_GONE, "%s", "\"\r\x80\xe2\x80\xa8\\");
        wh_dump(STDOUT_FILENO, strcmp(format, "json") == 0 ? WH_DUMP_JSON : strcmp(format, "dot") == 0 ? WH_DUMP_DOT : WH_DUMP_TEXT);
    }
    return detached ? 5 : 6;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    WH_AUTO wh_ctx *root = wh_main("program", .version = "2.1", .flush_timeout = WH_SEC(2));
    if (strcmp(what, "wait") == 0) return wait_for_signal(root);
    if (strcmp(what, "live") == 0) return show(root, argc > 2 ? argv[2] : "text");
    if (strcmp(what, "fork") == 0) return fork_twice(root);
    work(root, "work");
    puts("ran");
    if (strcmp(what, "exit") == 0) exit(3);
    return 0;
}
