#include "collector.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

enum { MOST_CONNECTIONS = 256, MOST_REQUESTS = 4096, MOST_HEADER = 65536 };

struct connection {
    struct collector *collector;
    size_t number;
    int fd;
    pthread_t thread;
    char head[MOST_HEADER];   /* of the request being read, and what came with it */
};

struct collector {
    struct collector_answer *script;
    size_t script_len;
    char url[40];
    struct sockaddr_in address;
    int fd;                   /* bound; listening while it does */
    int stop[2];              /* a pipe: readable when all threads are to end */
    bool listens;
    pthread_t thread;
    pthread_mutex_t lock;     /* of all below */
    pthread_cond_t came;
    size_t answers_given;
    size_t connection_count, closed_count, joined;
    struct connection *connections[MOST_CONNECTIONS];
    size_t request_count;
    struct collector_request requests[MOST_REQUESTS];
};

static void need(bool condition, const char *what)
{
    if (condition) return;
    fprintf(stderr, "collector: %s: %s\n", what, strerror(errno));
    abort();
}

static void *get(size_t size)
{
    void *ptr = calloc(1, size ? size : 1);
    need(ptr != NULL, "memory");
    return ptr;
}

static int64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* ---- waiting ---- */

enum { WAIT_IS_OVER, CAN_READ, IS_STOPPED };

/* Waits for bytes on fd (-1: for nothing), at most `ns` (-1: for ever). */
static int wait_for(const struct collector *collector, int fd, int64_t ns)
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

/* More bytes: how many, 0 if there will be no more. */
static size_t read_some(const struct connection *connection, void *bytes, size_t size)
{
    if (wait_for(connection->collector, connection->fd, -1) != CAN_READ) return 0;
    const ssize_t n = recv(connection->fd, bytes, size, 0);
    return n > 0 ? (size_t)n : 0;
}

/* Until the client has gone, whatever it sends. */
static void hang(const struct connection *connection)
{
    char bytes[4096];
    while (read_some(connection, bytes, sizeof bytes)) continue;
}

/* Not even reading: a client that goes is seen all the same. */
static void hang_unread(const struct connection *connection)
{
    struct pollfd polled[2] = {{.fd = connection->collector->stop[0], .events = POLLIN},
        {.fd = connection->fd, .events = POLLRDHUP}};
    while (poll(polled, 2, -1) < 0 && errno == EINTR) continue;
}

/* ---- requests ---- */

struct incoming {
    char *head;               /* terminated lines */
    size_t head_len;
    uint8_t *body;
    size_t body_len;
};

const char *collector_header(const struct collector_request *request, const char *name)
{
    const size_t len = strlen(name);
    for (const char *line = request->headers; *line; line += strlen(line) + 1) {
        if (strncasecmp(line, name, len) || line[len] != ':') continue;
        return line + len + 1 + strspn(line + len + 1, " \t");
    }
    return NULL;
}

static bool undo_gzip(struct collector_request *request)
{
    z_stream stream = {.next_in = (uint8_t *)(uintptr_t)request->sent, .avail_in = (uInt)request->sent_len};
    size_t size = request->sent_len * 16 + 65536;
    uint8_t *bytes = get(size);
    need(inflateInit2(&stream, 15 + 16) == Z_OK, "inflate");
    int rc = Z_OK;
    while (rc == Z_OK) {
        if (stream.total_out == size) {
            bytes = realloc(bytes, size *= 2);
            need(bytes != NULL, "memory");
        }
        stream.next_out = bytes + stream.total_out;
        stream.avail_out = (uInt)(size - stream.total_out);
        rc = inflate(&stream, Z_NO_FLUSH);
    }
    request->body = bytes;
    request->body_len = stream.total_out;
    inflateEnd(&stream);
    return rc == Z_STREAM_END && stream.avail_in == 0;
}

/* Reads up to and including the empty line. What comes after it is returned at rest. */
static bool read_head(struct connection *connection, size_t *len, size_t *rest)
{
    char *bytes = connection->head;
    *len = 0;
    for (;;) {
        const size_t n = read_some(connection, bytes + *len, MOST_HEADER - *len);
        if (n == 0) return false;
        *len += n;
        const char *end = memmem(bytes, *len, "\r\n\r\n", 4);
        if (!end) continue;
        *rest = (size_t)(end - bytes) + 4;
        return true;
    }
}

static void split_lines(struct collector_request *request, const char *bytes, size_t len)
{
    char *lines = get(len + 2), *out = lines;
    for (size_t i = 0; i < len; i++)
        if (bytes[i] != '\r') *out++ = bytes[i] == '\n' ? '\0' : bytes[i];
    request->line = lines;
    request->headers = lines + strlen(lines) + 1;
}

static bool read_body(const struct connection *connection, struct collector_request *request, const char *rest,
                      size_t have)
{
    const char *length = collector_header(request, "Content-Length");
    request->sent_len = length ? strtoul(length, NULL, 10) : 0;
    uint8_t *bytes = get(request->sent_len);
    request->sent = request->body = bytes;
    request->body_len = request->sent_len;
    if (have > request->sent_len) have = request->sent_len;
    memcpy(bytes, rest, have);
    while (have < request->sent_len) {
        const size_t n = read_some(connection, bytes + have, request->sent_len - have);
        if (n == 0) return false;
        have += n;
    }
    return true;
}

static void drop(struct collector_request *request)
{
    if (request->body != request->sent) free((void *)(uintptr_t)request->body);
    free((void *)(uintptr_t)request->sent);
    free((void *)(uintptr_t)request->line);
}

/* A client that sends its next request before it has the answer to this one is not expected. */
static bool read_request(struct connection *connection)
{
    struct collector *collector = connection->collector;
    struct collector_request request = {.connection = connection->number};
    size_t len, rest;
    bool whole = read_head(connection, &len, &rest);
    if (whole) {
        split_lines(&request, connection->head, rest);
        whole = read_body(connection, &request, connection->head + rest, len - rest);
    }
    const char *encoding = whole ? collector_header(&request, "Content-Encoding") : NULL;
    if (encoding && strcmp(encoding, "gzip") == 0) need(undo_gzip(&request), "the gzip of a request");
    if (!whole) {
        drop(&request);
        return false;
    }
    request.at = now();
    pthread_mutex_lock(&collector->lock);
    need(collector->request_count < MOST_REQUESTS, "too many requests");
    collector->requests[collector->request_count++] = request;
    pthread_cond_broadcast(&collector->came);
    pthread_mutex_unlock(&collector->lock);
    return true;
}

/* ---- answers ---- */

static bool send_bytes(const struct connection *connection, const void *bytes, size_t len, int64_t byte_delay)
{
    const char *p = bytes;
    while (len) {
        if (byte_delay && wait_for(connection->collector, -1, byte_delay) == IS_STOPPED) return false;
        const ssize_t n = send(connection->fd, p, byte_delay ? 1 : len, MSG_NOSIGNAL);
        if (n <= 0) return false;
        p += n;
        len -= (size_t)n;
    }
    return true;
}

static bool send_padding(const struct connection *connection, uint64_t len, int64_t byte_delay)
{
    static const char zeros[65536];
    while (len) {
        const size_t n = len < sizeof zeros ? (size_t)len : sizeof zeros;
        if (!send_bytes(connection, zeros, n, byte_delay)) return false;
        len -= n;
    }
    return true;
}

static bool send_answer(const struct connection *connection, const struct collector_answer *answer)
{
    char head[4096];
    const unsigned long long len = answer->body_len + answer->padding;
    const int n = snprintf(head, sizeof head, "HTTP/1.1 %d Whatever\r\nContent-Length: %llu\r\n%s\r\n",
        answer->status ? answer->status : 200, len, answer->headers ? answer->headers : "");
    need(n > 0 && (size_t)n < sizeof head, "headers");
    return send_bytes(connection, head, (size_t)n, answer->byte_delay) &&
           send_bytes(connection, answer->body, answer->body_len, answer->byte_delay) &&
           send_padding(connection, answer->padding, answer->byte_delay) && !answer->close_after;
}

static void reset(const struct connection *connection)
{
    const struct linger now_and_hard = {.l_onoff = 1, .l_linger = 0};
    setsockopt(connection->fd, SOL_SOCKET, SO_LINGER, &now_and_hard, sizeof now_and_hard);
}

/* Returns whether the connection goes on. */
static bool act(const struct connection *connection, const struct collector_answer *answer)
{
    if (answer->delay && wait_for(connection->collector, -1, answer->delay) == IS_STOPPED) return false;
    switch (answer->manner) {
    case COLLECTOR_ANSWERS: return send_answer(connection, answer);
    case COLLECTOR_HANGS: hang(connection); return false;
    case COLLECTOR_RESETS: reset(connection); return false;
    case COLLECTOR_SAYS: send_bytes(connection, answer->body, answer->body_len, answer->byte_delay); return false;
    case COLLECTOR_HANGS_UNREAD: hang_unread(connection); return false;
    case COLLECTOR_CLOSES:
    case COLLECTOR_CLOSES_UNREAD: break;
    }
    return false;
}

/* ---- connections ---- */

/* With the lock held. */
static const struct collector_answer *next_answer(const struct collector *collector)
{
    static const struct collector_answer all_well;
    if (collector->script_len == 0) return &all_well;
    const size_t i = collector->answers_given;
    return &collector->script[i < collector->script_len ? i : collector->script_len - 1];
}

static const struct collector_answer *take_answer(struct collector *collector, bool only_unread)
{
    pthread_mutex_lock(&collector->lock);
    const struct collector_answer *answer = next_answer(collector);
    const bool is_unread = answer->manner == COLLECTOR_HANGS_UNREAD || answer->manner == COLLECTOR_CLOSES_UNREAD;
    if (only_unread && !is_unread)
        answer = NULL;
    else
        collector->answers_given++;
    pthread_mutex_unlock(&collector->lock);
    return answer;
}

static void *serve(void *arg)
{
    struct connection *connection = arg;
    const struct collector_answer *answer = take_answer(connection->collector, true);
    if (answer)
        act(connection, answer);
    else
        while (read_request(connection) && act(connection, take_answer(connection->collector, false))) continue;
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
    while (wait_for(collector, collector->fd, -1) == CAN_READ) {
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
    for (size_t i = 0; i < collector->request_count; i++) drop(&collector->requests[i]);
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
    const int64_t until = now() + limit;
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
