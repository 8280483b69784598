/* Peers: programs that measure something else, one round at a time between our own. */
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "collector.h"
#include "measure.h"

enum { MOST_PEERS = 4 };

static struct peer {
    char *name, *program;
    pid_t pid;
    FILE *to, *from;
    bool gone;             /* it has stopped before its time */
} peers[MOST_PEERS];
static size_t peer_count;

void peer_add(const char *spec)
{
    const char *equals = strchr(spec, '=');
    if (!equals || peer_count == MOST_PEERS) bench_die("\"%s\" is no NAME=PROGRAM, or one too many", spec);
    struct peer *peer = &peers[peer_count++];
    peer->name = strndup(spec, (size_t)(equals - spec));
    peer->program = strdup(equals + 1);
}

/* Each has a collector of its own. */
static void start(struct peer *peer)
{
    int down[2], up[2];
    setenv("BENCH_COLLECTOR", collector_new()->endpoint, 1);
    if (pipe(down) || pipe(up)) bench_die("no pipe: %s", strerror(errno));
    peer->pid = fork();
    if (peer->pid < 0) bench_die("no process: %s", strerror(errno));
    if (peer->pid == 0) {
        take_any_cpu();
        dup2(down[0], 0);
        dup2(up[1], 1);
        for (int fd = 3; fd < 64; fd++) close(fd);
        execl(peer->program, peer->program, (char *)NULL);
        fprintf(stderr, "whence-bench: %s: %s\n", peer->program, strerror(errno));
        _exit(127);
    }
    close(down[0]);
    close(up[1]);
    peer->to = fdopen(down[1], "w");
    peer->from = fdopen(up[0], "r");
    if (!peer->to || !peer->from) bench_die("no memory");
}

/* ---- one row of a peer ---- */

static char *string_of(const char *line, const char *key)
{
    char quoted[32];
    snprintf(quoted, sizeof quoted, "\"%s\": \"", key);
    const char *value = strstr(line, quoted);
    return value ? strndup(value + strlen(quoted), strcspn(value + strlen(quoted), "\"")) : NULL;
}

static double number_of(const char *line, const char *key)
{
    char quoted[32];
    snprintf(quoted, sizeof quoted, "\"%s\": ", key);
    const char *value = strstr(line, quoted);
    return value ? strtod(value + strlen(quoted), NULL) : NAN;
}

static struct result *result_of(const struct peer *peer, const char *line, const char *name)
{
    for (size_t i = 0; i < result_count; i++)
        if (results[i].peer == peer->name && strcmp(results[i].name, name) == 0) return &results[i];
    struct result *result = result_new();
    *result = (struct result){.name = strdup(name), .floor = string_of(line, "against"), .unit = "ns", .peer = peer->name,
        .note = string_of(line, "note")};
    return result;
}

static void take_row(const struct peer *peer, const char *line)
{
    char *name = string_of(line, "name");
    if (!name) bench_die("%s says \"%s\"", peer->program, line);
    struct result *result = result_of(peer, line, name);
    char *invalid = string_of(line, "invalid");
    if (invalid) snprintf(result->invalid, sizeof result->invalid, "%s", invalid);
    if (result->samples < MOST_SAMPLES) result->ns[result->samples++] = number_of(line, "ns");
    const double allocs = number_of(line, "allocs");
    if (!isnan(allocs)) {
        result->mallocs += allocs;
        result->ops += 1;
    }
    free(invalid);
    free(name);
}

/* What it has said so far is not to be believed: it may have been in trouble for some time. */
static void lose(struct peer *peer)
{
    fprintf(stderr, "\nwhence-bench: %s has stopped and is left out\n", peer->program);
    peer->gone = true;
    for (size_t i = 0; i < result_count; i++)
        if (results[i].peer == peer->name) snprintf(results[i].invalid, sizeof results[i].invalid, "it has stopped");
}

static void run_round(struct peer *peer)
{
    char line[1024];
    if (peer->gone) return;
    fputc('\n', peer->to);
    fflush(peer->to);
    while (fgets(line, sizeof line, peer->from)) {
        if (*line == '\n') return;
        take_row(peer, line);
    }
    lose(peer);
}

/* The first round is for warming up. */
void peers_begin(void)
{
    if (peer_count) signal(SIGPIPE, SIG_IGN);
    for (struct peer *peer = peers; peer < peers + peer_count; peer++) {
        start(peer);
        const size_t before = result_count;
        run_round(peer);
        result_count = before;
    }
}

void peers_round(void)
{
    for (struct peer *peer = peers; peer < peers + peer_count; peer++) run_round(peer);
}

void peers_end(void)
{
    for (struct peer *peer = peers; peer < peers + peer_count; peer++) {
        fclose(peer->to);
        fclose(peer->from);
        waitpid(peer->pid, NULL, 0);
    }
}
