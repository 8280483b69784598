/* What the files of the collector know of each other: collector_requests.c reads, collector_answers.c writes, and
 * collector.c has the sockets and the threads. Tests see collector.h. */
#ifndef COLLECTOR_INSIDE_H
#define COLLECTOR_INSIDE_H

#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector.h"

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

static inline void need(bool condition, const char *what)
{
    if (condition) return;
    fprintf(stderr, "collector: %s: %s\n", what, strerror(errno));
    abort();
}

static inline void *get(size_t size)
{
    void *ptr = calloc(1, size ? size : 1);
    need(ptr != NULL, "memory");
    return ptr;
}

/* CLOCK_MONOTONIC, in nanoseconds. */
int64_t collector_now(void);

enum { WAIT_IS_OVER, CAN_READ, IS_STOPPED };

/* Waits for bytes on fd (-1: for nothing), at most `ns` (-1: for ever). */
int collector_wait_for(const struct collector *collector, int fd, int64_t ns);

/* More bytes: how many, 0 if there will be no more. */
size_t connection_read(const struct connection *connection, void *bytes, size_t size);

/* Reads a request and keeps it; false if no whole one comes. */
bool connection_take_request(struct connection *connection);
void collector_drop_request(struct collector_request *request);

/* Answers as the script says; returns whether the connection goes on. */
bool connection_answer(const struct connection *connection, const struct collector_answer *answer);

/* The next answer of the script, which is then given. With only_unread set it has to be one before which no request is
 * read: else NULL, and it stays the next. */
const struct collector_answer *collector_take_answer(struct collector *collector, bool only_unread);

#endif
