#include "otlp/sockets.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

void wh__otlp_sockets_init(struct wh__otlp_sockets *sockets)
{
    sockets->is_closed = sockets->was_refused = false;
    for (size_t i = 0; i < WH__OTLP_MOST_SOCKETS; i++) sockets->open[i].fd = -1;
}

bool wh__otlp_sockets_any(const struct wh__otlp_sockets *sockets)
{
    for (size_t i = 0; i < WH__OTLP_MOST_SOCKETS; i++)
        if (sockets->open[i].fd >= 0) return true;
    return false;
}

static void remember(struct wh__otlp_sockets *sockets, int fd)
{
    struct stat st;
    size_t i = 0;
    while (i < WH__OTLP_MOST_SOCKETS && sockets->open[i].fd >= 0) i++;
    if (i == WH__OTLP_MOST_SOCKETS || fstat(fd, &st)) return;
    sockets->open[i].device = st.st_dev;
    sockets->open[i].inode = st.st_ino;
    sockets->open[i].fd = fd;
}

curl_socket_t wh__otlp_socket_open(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct wh__otlp_sockets *sockets = arg;
    sockets->was_refused = sockets->is_closed;
    if (purpose != CURLSOCKTYPE_IPCXN || sockets->is_closed) return CURL_SOCKET_BAD;
    const int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    if (fd < 0) return CURL_SOCKET_BAD;
    remember(sockets, fd);
    return fd;
}

/* Forgotten first: a fork in between then leaves a copy open, and does not close somebody else's descriptor. */
int wh__otlp_socket_close(void *arg, curl_socket_t fd)
{
    struct wh__otlp_sockets *sockets = arg;
    for (size_t i = 0; i < WH__OTLP_MOST_SOCKETS; i++)
        if (sockets->open[i].fd == fd) sockets->open[i].fd = -1;
    return close(fd);
}

void wh__otlp_sockets_close_copies(struct wh__otlp_sockets *sockets)
{
    struct stat st;
    for (size_t i = 0; i < WH__OTLP_MOST_SOCKETS; i++) {
        const int fd = sockets->open[i].fd;
        if (fd < 0 || fstat(fd, &st) || !S_ISSOCK(st.st_mode)) continue;
        if (st.st_dev == sockets->open[i].device && st.st_ino == sockets->open[i].inode) close(fd);
        sockets->open[i].fd = -1;
    }
}
