/* A collector that does as it is told: a small HTTP/1.1 server on 127.0.0.1, with a thread for each connection.
 *
 * A script has an answer for every request, in the order in which they come, over all connections; its last answer is
 * given again and again. What the server receives it keeps. Whatever goes wrong in the server ends the program. */
#ifndef COLLECTOR_H
#define COLLECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum collector_manner {
    COLLECTOR_ANSWERS,        /* as the other members say */
    COLLECTOR_HANGS,          /* takes the request and says nothing, until the client has gone */
    COLLECTOR_HANGS_UNREAD,   /* does not even read it */
    COLLECTOR_CLOSES,         /* takes the request and closes the connection */
    COLLECTOR_CLOSES_UNREAD,  /* closes it at once */
    COLLECTOR_RESETS,         /* takes the request and resets the connection */
    COLLECTOR_SAYS,           /* sends `body` just as it is, be it HTTP or not, and closes */
};

struct collector_answer {
    enum collector_manner manner;
    int status;               /* 0: 200 */
    const char *headers;      /* lines to add, each with its "\r\n"; or NULL */
    const void *body;         /* these pointers stay valid until the collector has stopped */
    size_t body_len;
    uint64_t padding;         /* so many zero bytes after it, and a Content-Length that tells */
    int64_t delay;            /* nanoseconds before the answer */
    int64_t byte_delay;       /* and before each byte of it */
    bool close_after;         /* close the connection after the answer, without having said so */
};

struct collector;

/* Listens on a port that was free; NULL or count 0: 200 and an empty body, always. */
struct collector *collector_start(const struct collector_answer *script, size_t count);
void collector_stop(struct collector *collector);

/* One that refuses connections until it listens: its port is kept, so nobody else gets it. A collector that refuses
 * again has closed all its connections; what it has received stays. */
struct collector *collector_start_refusing(const struct collector_answer *script, size_t count);
void collector_refuse(struct collector *collector);
void collector_listen(struct collector *collector);

/* "http://127.0.0.1:<port>" */
const char *collector_url(const struct collector *collector);

/* How many whole requests, and how many connections there have been. */
size_t collector_requests(struct collector *collector);
size_t collector_connections(struct collector *collector);

/* Waits until there have been so many requests, or connections that are over: false after `limit` nanoseconds. */
bool collector_wait(struct collector *collector, size_t requests, int64_t limit);
bool collector_wait_closed(struct collector *collector, size_t connections, int64_t limit);

/* A request that has come; valid until the collector has stopped. */
struct collector_request {
    const char *line;         /* "POST /v1/traces HTTP/1.1" */
    const char *headers;      /* terminated lines, one after the other; an empty one ends them */
    const uint8_t *sent;      /* the body as it came */
    size_t sent_len;
    const uint8_t *body;      /* the same after gzip was undone, if there was any */
    size_t body_len;
    size_t connection;        /* on which: 0 is the first */
    int64_t at;               /* when it was complete: CLOCK_MONOTONIC */
};
struct collector_request collector_request(struct collector *collector, size_t i);

/* The value of a header field, whatever the case of its name; NULL if there is none. */
const char *collector_header(const struct collector_request *request, const char *name);

#endif
