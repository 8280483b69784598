/* Where contexts begin: patterns 1 and 2. A root is made in main(), in a test, and nowhere else; code that does not know
 * yet whose context it should take says so with wh_todo(), which is counted by the line where it stands, so that what is
 * left to be done does not get lost. */
#include <stdio.h>
#include <unistd.h>
#include <whence/whence.h>

static int save(const wh_ctx *ctx, const char *what)
{
    if (wh_err(ctx)) return wh_err(ctx);
    printf("saved %s, %s\n", what, wh_cancellable(ctx) ? "and could have been stopped" : "and nothing could have stopped it");
    return 0;
}

/* Called from a hundred places that have no context to give. It can be moved to contexts one caller at a time. */
static int save_as_ever(const char *what)
{
    return save(wh_todo(), what);
}

int main(void)
{
    /* The root of a program: the first SIGTERM or Ctrl-C cancels it, and with it everything that is derived from it. */
    WH_AUTO wh_ctx *root = wh_main("roots");
    int rc = save(root, "a page");
    for (int i = 0; i < 3 && rc == 0; i++) rc = save_as_ever("a log line");
    /* No root at all: a library that is called without one, or a small tool. NULL is the same. */
    if (rc == 0) rc = save(wh_background(), "a cache");
    if (rc == 0) rc = save(NULL, "a core dump");
    fflush(stdout);
    return rc || wh_dump(STDOUT_FILENO, WH_DUMP_TEXT) ? 1 : 0; /* among others, the places that call wh_todo() */
}
