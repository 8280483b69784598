#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static int path_of(char *path, size_t size, const char *name)
{
    char self[PATH_MAX];
    const ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
    if (len < 0) return errno;
    self[len] = '\0';
    return (size_t)snprintf(path, size, "%s/%s", dirname(self), name) < size ? 0 : ENAMETOOLONG;
}

static void become(const char *path, const char *const *arguments, int output, int errors)
{
    char *argv[8] = {(char *)path};
    for (int i = 0; i < 6 && arguments[i]; i++) argv[i + 1] = (char *)arguments[i];
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    dup2(output, STDOUT_FILENO);
    dup2(errors, STDERR_FILENO);
    execv(path, argv);
    _exit(127);
}

static int read_port(int output, unsigned short *port)
{
    char line[64] = "";
    size_t len = 0;
    struct pollfd ready = {.fd = output, .events = POLLIN};
    while (len + 1 < sizeof line && !strchr(line, '\n')) {
        if (poll(&ready, 1, 10000) <= 0) return ETIMEDOUT;
        const ssize_t got = read(output, line + len, sizeof line - 1 - len);
        if (got <= 0) return ECHILD;
        line[len += (size_t)got] = '\0';
    }
    return sscanf(line, "listening on %hu", port) == 1 ? 0 : EPROTO;
}

int process_start(struct process *process, const char *name, const char *const *arguments)
{
    char path[PATH_MAX];
    int output[2], errors[2];
    const int rc = path_of(path, sizeof path, name);
    if (rc) return rc;
    if (pipe2(output, O_CLOEXEC) || pipe2(errors, O_CLOEXEC)) return errno;
    *process = (struct process){.name = name, .pid = fork(), .errors = errors[0]};
    if (process->pid < 0) return errno;
    if (process->pid == 0) become(path, arguments, output[1], errors[1]);
    close(output[1]);
    close(errors[1]);
    fcntl(process->errors, F_SETFL, O_NONBLOCK);
    const int read_rc = read_port(output[0], &process->port);
    close(output[0]);
    return read_rc;
}

int process_stop(struct process *process, int signal)
{
    int status = 0;
    if (process->pid <= 0) return 0;
    kill(process->pid, signal);
    for (int i = 0; i < 400; i++) {
        if (waitpid(process->pid, &status, WNOHANG) == process->pid) {
            process->pid = 0;
            return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        }
        poll(NULL, 0, 10);
    }
    kill(process->pid, SIGKILL);
    waitpid(process->pid, &status, 0);
    process->pid = 0;
    return 128 + SIGKILL;
}

/* ---- what it says ---- */

static void listen_to(struct process *process)
{
    size_t len = strlen(process->said);
    for (ssize_t got; (got = read(process->errors, process->said + len, sizeof process->said - 1 - len)) > 0;)
        process->said[len += (size_t)got] = '\0';
}

int process_said(struct process *process, const char *words)
{
    int times = 0;
    listen_to(process);
    for (const char *at = process->said; (at = strstr(at, words)); at += strlen(words)) times++;
    return times;
}

void process_print_said(struct process *process)
{
    listen_to(process);
    char *rest = process->said;
    for (char *line; (line = strsep(&rest, "\n"));)
        if (*line) printf("  %-7s | %s\n", process->name, line);
}

void process_forget(struct process *process)
{
    if (process->errors > 0) close(process->errors);
    *process = (struct process){0};
}
