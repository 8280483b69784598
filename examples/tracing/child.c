/* A trace that goes on in a program that we start: its environment carries trace, baggage and what is left of the deadline. When
 * that is over the program is stopped, and the span that stands for it here says so.
 *
 *   ./tracing_child            starts itself once more, and then a program that takes too long
 */
#include <stdio.h>
#include <whence/whence.h>

static int in_the_child(wh_ctx *root)
{
    char trace[33];
    WH_AUTO wh_ctx *from = wh_extract_env(root);
    WH_AUTO wh_ctx *work = wh_start(from, "work in the child");
    printf("child:  trace %s, customer %s, %s left\n", wh_trace_id_hex(work, trace), wh_baggage(work, "customer"),
           wh_remaining(work) == WH_NEVER ? "no end of time" : "some time");
    return 0;
}

int main(int argc, char **argv)
{
    WH_AUTO wh_ctx *root = wh_main("child");
    if (argc > 1) return in_the_child(root);

    char trace[33], why[200];
    WH_AUTO wh_ctx *for_ada = wh_with_baggage(root, "customer", "ada");
    WH_AUTO wh_ctx *op = wh_start(for_ada, "start two programs", .timeout = WH_SEC(30));
    printf("parent: trace %s\n", wh_trace_id_hex(op, trace));
    fflush(stdout);

    WH_AUTO_CHILD wh_child *again = NULL, *sleeper = NULL;
    int status, rc = wh_child_start(op, &again, (char *[]){argv[0], (char *)"child", NULL});
    if (!rc) rc = wh_child_wait(again, &status);
    if (rc || status) return 1;

    WH_AUTO wh_ctx *soon = wh_start(op, "no more than this", .timeout = WH_MS(100));
    rc = wh_child_start(soon, &sleeper, (char *[]){(char *)"sleep", (char *)"60", NULL});
    if (!rc) rc = wh_child_wait(sleeper, &status);
    wh_log_line(soon, why, sizeof why);
    printf("parent: %s\n", why);
    return rc != wh_err(soon);
}
