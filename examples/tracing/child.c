/* A trace that goes on in a program that we start: its environment carries trace, baggage and what is left of the deadline.
 *
 *   ./tracing_child            starts itself once more
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <whence/whence.h>

extern char **environ;

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

    char trace[33];
    WH_AUTO wh_ctx *for_ada = wh_with_baggage(root, "customer", "ada");
    WH_AUTO wh_ctx *op = wh_start(for_ada, "start a child", .timeout = WH_SEC(30));
    printf("parent: trace %s\n", wh_trace_id_hex(op, trace));
    fflush(stdout);
    char **env = wh_inject_env(op, environ);
    const pid_t child = env ? fork() : -1;
    if (child == 0) {
        execve("/proc/self/exe", (char *[]){argv[0], (char *)"child", NULL}, env);
        _exit(127);
    }
    free(env);
    int status = 0;
    return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
