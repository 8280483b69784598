/* nowhere: an address that never answers. Its queue of connections is full, so the kernel drops whatever else knocks, as a
 * firewall would that drops packets; who connects waits until somebody makes him stop. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* Whether one more connection was let in. */
static int fill(const struct sockaddr_in *address)
{
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct pollfd connected = {.fd = fd, .events = POLLOUT};
    connect(fd, (const struct sockaddr *)address, sizeof *address);
    return poll(&connected, 1, 200) > 0; /* stays open: it holds its place */
}

int main(int argc, char **argv)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)(argc > 1 ? atoi(argv[1]) : 0)),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(fd, (struct sockaddr *)&address, len) || listen(fd, 0) || getsockname(fd, (struct sockaddr *)&address, &len)) return 1;
    while (fill(&address)) continue;
    printf("listening on %u\n", ntohs(address.sin_port));
    fflush(stdout);
    for (;;) pause();
}
