#include "collector_inside.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* ---- waiting ---- */

int64_t collector_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int collector_wait_for(const struct collector *collector, int fd, int64_t ns)
{
    struct pollfd polled[2] = {{.fd = collector->stop[0], .events = POLLIN}, {.fd = fd, .events = POLLIN}};
    const struct timespec time = {.tv_sec = (time_t)(ns / 1000000000), .tv_nsec = (long)(ns % 1000000000)};
    for (;;) {
        const int n = ppoll(polled, 2, ns < 0 ? NULL : &time, NULL);
        if (n < 0 && errno == EINTR) continue;
        need(n >= 0, "poll");
        if (polled[0].revents) return IS_STOPPED;
        return n ? CAN_READ : WAIT_IS_OVER;
    }
}

size_t connection_read(const struct connection *connection, void *bytes, size_t size)
{
    if (collector_wait_for(connection->collector, connection->fd, -1) != CAN_READ) return 0;
    const ssize_t n = recv(connection->fd, bytes, size, 0);
    return n > 0 ? (size_t)n : 0;
}

/* ---- connections ---- */

/* Returns whether the connection goes on. */
static bool serve_request(struct connection *connection)
{
    return connection_take_request(connection) &&
           connection_answer(connection, collector_take_answer(connection->collector, false));
}

static void *serve(void *arg)
{
    struct connection *connection = arg;
    const struct collector_answer *answer = collector_take_answer(connection->collector, true);
    if (answer)
        connection_answer(connection, answer);
    else
        while (serve_request(connection)) continue;
    close(connection->fd);
    pthread_mutex_lock(&connection->collector->lock);
    connection->collector->closed_count++;
    pthread_cond_broadcast(&connection->collector->came);
    pthread_mutex_unlock(&connection->collector->lock);
    return NULL;
}

static void *accept_all(void *arg)
{
    struct collector *collector = arg;
    while (collector_wait_for(collector, collector->fd, -1) == CAN_READ) {
        const struct timeval patience = {.tv_sec = 20};
        const int fd = accept4(collector->fd, NULL, NULL, SOCK_CLOEXEC), one = 1;
        if (fd < 0) continue; /* it has gone again */
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
        struct connection *connection = get(sizeof *connection);
        connection->collector = collector;
        connection->fd = fd;
        pthread_mutex_lock(&collector->lock);
        need(collector->connection_count < MOST_CONNECTIONS, "too many connections");
        connection->number = collector->connection_count;
        collector->connections[collector->connection_count++] = connection;
        pthread_mutex_unlock(&collector->lock);
        need(pthread_create(&connection->thread, NULL, serve, connection) == 0, "a thread");
    }
    return NULL;
}

/* ---- the collector ---- */

/* Two sockets may share the port, so that it is never free while one takes over from the other. Only one that listens
 * gets connections. */
static int bound_socket(struct sockaddr_in *address)
{
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), one = 1;
    socklen_t len = sizeof *address;
    need(fd >= 0, "socket");
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
    need(bind(fd, (struct sockaddr *)address, sizeof *address) == 0, "bind");
    need(getsockname(fd, (struct sockaddr *)address, &len) == 0, "getsockname");
    return fd;
}

struct collector *collector_start_refusing(const struct collector_answer *script, size_t count)
{
    struct collector *collector = get(sizeof *collector);
    collector->script = get(count * sizeof *script);
    if (count) memcpy(collector->script, script, count * sizeof *script);
    collector->script_len = count;
    pthread_mutex_init(&collector->lock, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&collector->came, &monotonic);
    pthread_condattr_destroy(&monotonic);
    collector->address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    collector->fd = bound_socket(&collector->address);
    const unsigned port = ntohs(collector->address.sin_port);
    snprintf(collector->url, sizeof collector->url, "http://127.0.0.1:%u", port);
    return collector;
}

void collector_listen(struct collector *collector)
{
    need(pipe2(collector->stop, O_CLOEXEC) == 0, "pipe");
    need(listen(collector->fd, 64) == 0, "listen");
    collector->listens = true;
    need(pthread_create(&collector->thread, NULL, accept_all, collector) == 0, "a thread");
}

struct collector *collector_start(const struct collector_answer *script, size_t count)
{
    struct collector *collector = collector_start_refusing(script, count);
    collector_listen(collector);
    return collector;
}

void collector_refuse(struct collector *collector)
{
    const int next = bound_socket(&collector->address);
    need(write(collector->stop[1], "", 1) == 1, "write");
    pthread_join(collector->thread, NULL);
    close(collector->fd);
    collector->fd = next;
    collector->listens = false;
    for (; collector->joined < collector->connection_count; collector->joined++)
        pthread_join(collector->connections[collector->joined]->thread, NULL);
    close(collector->stop[0]);
    close(collector->stop[1]);
}

void collector_stop(struct collector *collector)
{
    if (collector->listens) collector_refuse(collector);
    close(collector->fd);
    for (size_t i = 0; i < collector->connection_count; i++) free(collector->connections[i]);
    for (size_t i = 0; i < collector->request_count; i++) collector_drop_request(&collector->requests[i]);
    pthread_cond_destroy(&collector->came);
    pthread_mutex_destroy(&collector->lock);
    free(collector->script);
    free(collector);
}

/* ---- asking ---- */

const char *collector_url(const struct collector *collector)
{
    return collector->url;
}

static size_t ask(struct collector *collector, const size_t *count)
{
    pthread_mutex_lock(&collector->lock);
    const size_t n = *count;
    pthread_mutex_unlock(&collector->lock);
    return n;
}

size_t collector_requests(struct collector *collector)
{
    return ask(collector, &collector->request_count);
}

size_t collector_connections(struct collector *collector)
{
    return ask(collector, &collector->connection_count);
}

static bool wait_until(struct collector *collector, const size_t *count, size_t enough, int64_t limit)
{
    const int64_t until = collector_now() + limit;
    const struct timespec time = {.tv_sec = (time_t)(until / 1000000000), .tv_nsec = (long)(until % 1000000000)};
    int rc = 0;
    pthread_mutex_lock(&collector->lock);
    while (*count < enough && rc == 0) rc = pthread_cond_timedwait(&collector->came, &collector->lock, &time);
    const bool reached = *count >= enough;
    pthread_mutex_unlock(&collector->lock);
    return reached;
}

bool collector_wait(struct collector *collector, size_t requests, int64_t limit)
{
    return wait_until(collector, &collector->request_count, requests, limit);
}

bool collector_wait_closed(struct collector *collector, size_t connections, int64_t limit)
{
    return wait_until(collector, &collector->closed_count, connections, limit);
}

struct collector_request collector_request(struct collector *collector, size_t i)
{
    pthread_mutex_lock(&collector->lock);
    need(i < collector->request_count, "no such request");
    const struct collector_request request = collector->requests[i];
    pthread_mutex_unlock(&collector->lock);
    return request;
}
