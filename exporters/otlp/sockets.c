#include "otlp/sockets.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

void wh__otlp_sockets_init(struct wh__otlp_sockets *sockets)
{
    pthread_mutex_init(&sockets->lock, NULL);
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
    if (fstat(fd, &st)) return;
    pthread_mutex_lock(&sockets->lock);
    while (i < WH__OTLP_MOST_SOCKETS && sockets->open[i].fd >= 0) i++;
    if (i < WH__OTLP_MOST_SOCKETS) {
        sockets->open[i].device = st.st_dev;
        sockets->open[i].inode = st.st_ino;
        sockets->open[i].fd = fd;
    }
    pthread_mutex_unlock(&sockets->lock);
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

/* Forgotten first: a fork in between then leaves a copy open, and does not close somebody else's descriptor; nor does
 * wh__otlp_sockets_shut() meet one. */
int wh__otlp_socket_close(void *arg, curl_socket_t fd)
{
    struct wh__otlp_sockets *sockets = arg;
    pthread_mutex_lock(&sockets->lock);
    for (size_t i = 0; i < WH__OTLP_MOST_SOCKETS; i++)
        if (sockets->open[i].fd == fd) sockets->open[i].fd = -1;
    pthread_mutex_unlock(&sockets->lock);
    return close(fd);
}

static void shut_all(const struct wh__otlp_sockets *sockets)
{
    for (size_t i = 0; i < WH__OTLP_MOST_SOCKETS; i++)
        if (sockets->open[i].fd >= 0) shutdown(sockets->open[i].fd, SHUT_RDWR);
}

void wh__otlp_sockets_shut(struct wh__otlp_sockets *sockets)
{
    pthread_mutex_lock(&sockets->lock);
    shut_all(sockets);
    pthread_mutex_unlock(&sockets->lock);
}

void wh__otlp_sockets_shut_while(struct wh__otlp_sockets *sockets, const uint32_t *flag)
{
    pthread_mutex_lock(&sockets->lock);
    if (__atomic_load_n(flag, __ATOMIC_SEQ_CST)) shut_all(sockets);
    pthread_mutex_unlock(&sockets->lock);
}

void wh__otlp_sockets_lower(struct wh__otlp_sockets *sockets, uint32_t *flag)
{
    pthread_mutex_lock(&sockets->lock);
    __atomic_store_n(flag, 0, __ATOMIC_SEQ_CST);
    pthread_mutex_unlock(&sockets->lock);
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
