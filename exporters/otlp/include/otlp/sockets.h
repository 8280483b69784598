/* The sockets that libcurl has open for one exporter: closed on exec, and known, so that the child of a fork can close
 * its copies without libcurl. */
#ifndef OTLP_SOCKETS_H
#define OTLP_SOCKETS_H

#include <curl/curl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

enum { WH__OTLP_MOST_SOCKETS = 8 }; /* one connection, tried over two addresses at a time: more are not known */

struct wh__otlp_sockets {
    pthread_mutex_t lock;     /* of the descriptors below, for wh__otlp_sockets_shut(); a child of a fork takes it never */
    struct {
        int fd;               /* -1: unused */
        dev_t device;         /* which socket it is: the child may have closed it and opened something else there */
        ino_t inode;
    } open[WH__OTLP_MOST_SOCKETS];
    bool is_closed;           /* no further one is to be opened */
    bool was_refused;         /* and one was asked for */
};

void wh__otlp_sockets_init(struct wh__otlp_sockets *sockets);

/* Whether one of them is open. */
bool wh__otlp_sockets_any(const struct wh__otlp_sockets *sockets);

/* For CURLOPT_OPENSOCKETFUNCTION and CURLOPT_CLOSESOCKETFUNCTION, with the sockets as data. */
curl_socket_t wh__otlp_socket_open(void *sockets, curlsocktype purpose, struct curl_sockaddr *address);
int wh__otlp_socket_close(void *sockets, curl_socket_t fd);

/* From any thread: no byte more comes or goes over any of them. libcurl, whatever it is doing, finds the connections
 * broken. */
void wh__otlp_sockets_shut(struct wh__otlp_sockets *sockets);

/* The same if *flag (atomic) is not 0; and making it 0. Whoever comes too late for one use of the sockets does not break the next. */
void wh__otlp_sockets_shut_while(struct wh__otlp_sockets *sockets, const uint32_t *flag);
void wh__otlp_sockets_lower(struct wh__otlp_sockets *sockets, uint32_t *flag);

/* In the child of a fork: its copies go; the connections, which are the parent's, stay. */
void wh__otlp_sockets_close_copies(struct wh__otlp_sockets *sockets);

#endif
