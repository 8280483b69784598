/* Processes, sockets, and what a process has used. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <signal.h>
#include <unistd.h>

#include "experiment.h"

void must(bool good, const char *what)
{
    if (good) return;
    perror(what);
    exit(1);
}

void *shared_memory(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    must(memory != MAP_FAILED, "mmap");
    return memory;
}

static struct sockaddr_in loopback(uint16_t port)
{
    return (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

int listen_on_loopback(uint16_t *port)
{
    struct sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(fd >= 0, "socket");
    must(bind(fd, (struct sockaddr *)&address, size) == 0, "bind");
    must(listen(fd, 4096) == 0, "listen");
    must(getsockname(fd, (struct sockaddr *)&address, &size) == 0, "getsockname");
    *port = ntohs(address.sin_port);
    return fd;
}

int connect_to(uint16_t port)
{
    const struct sockaddr_in address = loopback(port);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) == 0) return fd;
    if (fd >= 0) close(fd);
    return -1;
}

pid_t spawn(void (*fn)(void *arg), void *arg)
{
    const pid_t pid = fork();
    must(pid >= 0, "fork");
    if (pid) return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* nobody is left behind if the experiment is interrupted */
    fn(arg);
    exit(0);
}

/* The number behind that name in a file of /proc, or 0. */
static long number_in(const char *path, const char *name)
{
    char line[256];
    long number = 0;
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, name, strlen(name)) == 0) number = strtol(line + strlen(name), NULL, 10);
    if (file) fclose(file);
    return number;
}

struct usage own_usage(void)
{
    struct rusage used;
    must(getrusage(RUSAGE_SELF, &used) == 0, "getrusage");
    return (struct usage){
        .cpu = WH_SEC(used.ru_utime.tv_sec + used.ru_stime.tv_sec) + WH_US(used.ru_utime.tv_usec + used.ru_stime.tv_usec),
        .peak_kib = number_in("/proc/self/status", "VmHWM:"),
    };
}

long rss_kib(pid_t pid)
{
    char path[40];
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    return number_in(path, "VmRSS:");
}
