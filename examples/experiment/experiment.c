/* With and without contexts: the same server, the same clients, the same backends, twice.
 *
 *   experiment [--quick] [--requests N] [--rate N] [--unit MS] [--slots N] [--asks N] [--csv FOLDER]
 *
 * Every request starts one unit of work of five seconds; nearly every client gives up long before. What does the server do then?
 * And three backends with a slow tail are asked at the same time, behind one deadline, or none. Each side is a process of
 * its own, on loopback. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "experiment.h"

static const struct plan full = {
    .requests = 10000, .rate = 250, .unit = WH_SEC(5), .steps = 25, .step_bytes = 4096, .slots = 1000,
    .least_patience = WH_MS(100), .most_patience = WH_MS(900), .patient_every = 20, .grace = WH_MS(200),
    .asks = 3000, .callers = 16, .deadline = WH_MS(500), .least_delay = WH_MS(20), .most_delay = WH_MS(60),
    .least_tail = WH_MS(1500), .most_tail = WH_MS(2500), .tail_every = 50,
};
static const struct plan quick = {
    .requests = 200, .rate = 100, .unit = WH_SEC(1), .steps = 10, .step_bytes = 4096, .slots = 1000,
    .least_patience = WH_MS(20), .most_patience = WH_MS(100), .patient_every = 20, .grace = WH_MS(300),
    .asks = 120, .callers = 8, .deadline = WH_MS(500), .least_delay = WH_MS(5), .most_delay = WH_MS(20),
    .least_tail = WH_MS(1500), .most_tail = WH_MS(1500), .tail_every = 20,
};

struct stage {
    const struct plan *plan;
    bool with;
    struct shared *shared;
    int listeners[PARTS], server_listener;
    uint16_t ports[PARTS], server_port;
    int part;
};

static void run_backend(void *arg)
{
    const struct stage *stage = arg;
    backend(stage->listeners[stage->part], stage->plan, (unsigned)stage->part + 1);
}

static void run_server(void *arg)
{
    const struct stage *stage = arg;
    server(stage->server_listener, stage->ports[0], stage->plan, stage->with, stage->shared);
}

static void run_clients(void *arg)
{
    const struct stage *stage = arg;
    clients(stage->server_port, stage->plan, stage->shared);
}

static void run_fan_out(void *arg)
{
    const struct stage *stage = arg;
    fan_out(stage->ports, stage->plan, stage->with, stage->shared);
}

/* Waits for pid, and meanwhile notes what `watched` needs. */
static void wait_for(pid_t pid, pid_t watched, struct shared *shared)
{
    int status = 0;
    while (waitpid(pid, &status, WNOHANG) == 0) {
        if (watched && shared->sample_count < MAX_SAMPLES)
            shared->samples[shared->sample_count++] = (struct sample){wh_now(), rss_kib(watched)};
        wh_sleep(NULL, WH_MS(100));
    }
    must(WIFEXITED(status) && WEXITSTATUS(status) == 0, "a process of the experiment has failed");
}

static void stop(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static void run_requests(struct stage *stage)
{
    stage->part = 0;
    const pid_t slow = spawn(run_backend, stage), serving = spawn(run_server, stage), asking = spawn(run_clients, stage);
    wait_for(asking, serving, stage->shared);
    kill(serving, SIGTERM); /* no more requests; those that are under way are worked off */
    wait_for(serving, serving, stage->shared);
    stop(slow);
}

static void run_fan_outs(struct stage *stage)
{
    pid_t slow[PARTS];
    for (stage->part = 0; stage->part < PARTS; stage->part++) slow[stage->part] = spawn(run_backend, stage);
    wait_for(spawn(run_fan_out, stage), 0, stage->shared);
    for (int i = 0; i < PARTS; i++) stop(slow[i]);
}

static struct outcome run(const struct plan *plan, bool with)
{
    struct stage stage = {.plan = plan, .with = with, .shared = shared_memory(sizeof *stage.shared)};
    stage.shared->records = shared_memory(sizeof(struct record) * (size_t)plan->requests);
    stage.shared->took = shared_memory(sizeof(int64_t) * (size_t)plan->asks);
    stage.server_listener = listen_on_loopback(&stage.server_port);
    for (int i = 0; i < PARTS; i++) stage.listeners[i] = listen_on_loopback(&stage.ports[i]);
    fprintf(stderr, "%s contexts: requests\n", with ? "with" : "without");
    run_requests(&stage);
    fprintf(stderr, "%s contexts: fan-out\n", with ? "with" : "without");
    run_fan_outs(&stage);
    close(stage.server_listener);
    for (int i = 0; i < PARTS; i++) close(stage.listeners[i]);
    struct outcome outcome = {.shared = stage.shared};
    judge(plan, &outcome);
    return outcome;
}

/* ---- the command line ---- */

static int usage(void)
{
    fputs("experiment [--quick] [--requests N] [--rate N] [--unit MS] [--slots N] [--asks N] [--csv FOLDER]\n", stderr);
    return 2;
}

static bool number(const char *text, int *value)
{
    char *end;
    const long read = text ? strtol(text, &end, 10) : 0;
    if (!text || *end || read < 1 || read > 1000000) return false;
    *value = (int)read;
    return true;
}

static bool read_arguments(char **argument, struct plan *plan, const char **folder)
{
    for (; *argument; argument++) {
        int ms;
        if (strcmp(*argument, "--quick") == 0) {
            *plan = quick;
            continue;
        }
        const char *name = *argument++;
        if (!*argument) return false;
        if (strcmp(name, "--csv") == 0) *folder = *argument;
        else if (strcmp(name, "--requests") == 0 && number(*argument, &plan->requests)) continue;
        else if (strcmp(name, "--rate") == 0 && number(*argument, &plan->rate)) continue;
        else if (strcmp(name, "--slots") == 0 && number(*argument, &plan->slots)) continue;
        else if (strcmp(name, "--asks") == 0 && number(*argument, &plan->asks)) continue;
        else if (strcmp(name, "--unit") == 0 && number(*argument, &ms)) plan->unit = WH_MS(ms);
        else return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    struct plan plan = full;
    const char *folder = NULL;
    if (argc < 1 || !read_arguments(argv + 1, &plan, &folder)) return usage();
    struct rlimit files;
    must(getrlimit(RLIMIT_NOFILE, &files) == 0, "getrlimit");
    files.rlim_cur = files.rlim_max; /* a socket or two for every worker */
    must(setrlimit(RLIMIT_NOFILE, &files) == 0, "setrlimit");

    const struct outcome without = run(&plan, false), with = run(&plan, true);
    print_table(&plan, &without, &with);
    if (folder) write_csv(folder, &plan, &without, &with);
    return 0;
}
