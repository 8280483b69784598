/* What the shop's services have in common: where they listen, how they start and stop, what they say in their logs. */
#ifndef SHOP_H
#define SHOP_H

#include <whence/curl.h>
#include <whence/microhttpd.h>
#include <whence/whence.h>

/* Every request goes through one of these. */
typedef enum MHD_Result shop_handler(const wh_ctx *root, struct MHD_Connection *connection, const char *url, const char *method);

/* Serves on 127.0.0.1:port until root is done, then lets the requests in progress finish. port 0: one that is free; the
 * line "listening on PORT" goes to standard output. Returns main()'s result. */
int shop_serve(const wh_ctx *root, unsigned short port, shop_handler *handler);

/* One line of log, with the ids that find the trace; and, if the request was cancelled, why. */
void shop_log(const wh_ctx *req, const char *what, unsigned status);

/* A parameter of the query, "" if it is not there. */
const char *shop_parameter(struct MHD_Connection *connection, const char *name);

/* A duration in milliseconds from a parameter of the query; otherwise if it is not there. */
int64_t shop_limit(struct MHD_Connection *connection, const char *name, int64_t otherwise);

/* GET url, the body into buf, terminated and cut if need be. 0; the context's error if it was done; EIO. A macro, so that what
 * goes wrong is said to have gone wrong where it is called. */
#define shop_get(ctx, ...) shop_get_at(WH_HERE, (ctx), __VA_ARGS__)
int shop_get_at(const struct wh_site *site, const wh_ctx *ctx, const char *url, const char *route, int64_t timeout, char *buf, size_t size);

#endif
