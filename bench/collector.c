#include "collector.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"

uint64_t collector_bytes(const struct collector *collector)
{
    return __atomic_load_n(&collector->taken, __ATOMIC_RELAXED);
}

int64_t collector_spent(const struct collector *collector)
{
    return __atomic_load_n(&collector->spent, __ATOMIC_RELAXED);
}

/* What has come and was not yet looked at. */
struct connection {
    struct collector *collector;
    int fd;
    size_t len;
    char buf[65536];
};

static bool fill(struct connection *c)
{
    const ssize_t got = read(c->fd, c->buf + c->len, sizeof c->buf - 1 - c->len);
    if (got <= 0) return false;
    c->len += (size_t)got;
    return true;
}

static void drop(struct connection *c, size_t count)
{
    memmove(c->buf, c->buf + count, c->len - count);
    c->len -= count;
}

static bool say(const struct connection *c, const char *text)
{
    return write(c->fd, text, strlen(text)) == (ssize_t)strlen(text);
}

static size_t number_after(const char *head, const char *name)
{
    const char *field = strcasestr(head, name);
    return field ? strtoul(field + strlen(name), NULL, 10) : 0;
}

/* The length of the body, and the head taken away; false: there is no more. */
static bool take_head(struct connection *c, size_t *body)
{
    char *end;
    for (c->buf[c->len] = '\0'; !(end = strstr(c->buf, "\r\n\r\n")); c->buf[c->len] = '\0')
        if (!fill(c)) return false;
    *end = '\0';
    *body = number_after(c->buf, "\r\nContent-Length:");
    const bool asks = strcasestr(c->buf, "\r\nExpect:") != NULL;
    drop(c, (size_t)(end - c->buf) + 4);
    return !asks || say(c, "HTTP/1.1 100 Continue\r\n\r\n");
}

static bool take_body(struct connection *c, size_t size)
{
    __atomic_fetch_add(&c->collector->taken, size, __ATOMIC_RELAXED);
    for (;;) {
        const size_t here = c->len < size ? c->len : size;
        drop(c, here);
        size -= here;
        if (size == 0) return true;
        if (!fill(c)) return false;
    }
}

static void note_spent(struct collector *collector, int64_t *before)
{
    const int64_t now = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    __atomic_fetch_add(&collector->spent, now - *before, __ATOMIC_RELAXED);
    *before = now;
}

static void *serve(void *arg)
{
    struct connection *c = arg;
    size_t body;
    int64_t before = 0;
    while (take_head(c, &body) && take_body(c, body)) {
        note_spent(c->collector, &before);
        if (!say(c, "HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\n\r\n")) break;
    }
    close(c->fd);
    free(c);
    return NULL;
}

static void *listen_on(void *arg)
{
    struct collector *collector = arg;
    for (;;) {
        pthread_t thread;
        struct connection *c = calloc(1, sizeof *c);
        if (!c) bench_die("no memory for a connection");
        c->collector = collector;
        c->fd = accept(collector->listener, NULL, NULL);
        if (c->fd >= 0 && pthread_create(&thread, NULL, serve, c) == 0)
            pthread_detach(thread);
        else
            free(c);
    }
    return NULL;
}

struct collector *collector_new(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    pthread_t thread;
    struct collector *collector = calloc(1, sizeof *collector);
    const int fd = collector ? socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) : -1;
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) || listen(fd, 4) ||
        getsockname(fd, (struct sockaddr *)&at, &size))
        bench_die("no socket for a collector: %s", strerror(errno));
    collector->listener = fd;
    snprintf(collector->endpoint, sizeof collector->endpoint, "http://127.0.0.1:%d", ntohs(at.sin_port));
    if (pthread_create(&thread, NULL, listen_on, collector)) bench_die("no thread for a collector");
    pthread_detach(thread);
    return collector;
}
