/* whence/microhttpd.h: Whence in libmicrohttpd. Library whence-microhttpd.
 *
 *   enum MHD_Result handle(void *root, struct MHD_Connection *c, const char *url, const char *method, ...)
 *   {
 *       WH_MHD_AUTO wh_ctx *req = wh_mhd_start(root, c, .method = method, .url = url, .route = "/order/{sku}",
 *                                              .timeout = WH_MS(300));
 *       ...
 *       return wh_mhd_reply(req, c, MHD_HTTP_OK, response);
 *   }
 *
 * For daemons that give a request a thread of its own (MHD_USE_THREAD_PER_CONNECTION, or a handler that does its work
 * before it returns); a request that is suspended is kept with its connection, wh_mhd_keep().
 */
#ifndef WHENCE_MICROHTTPD_H
#define WHENCE_MICROHTTPD_H

#include <microhttpd.h>
#include <whence/whence.h>

WH_BEGIN_DECLS

struct wh_mhd_opts {
    size_t size;
    const struct wh_site *site;
    struct MHD_Connection *connection;
    const char *method WH_ZERO_;
    const char *url WH_ZERO_;
    const char *route WH_ZERO_;   /* of low cardinality, "/order/{sku}": names the span. NULL: the method alone does */
    int64_t timeout WH_ZERO_;     /* the server's own limit; 0: none. The caller's deadline holds if it is earlier */
    bool edge WH_ZERO_;           /* the client is the public: no answer of this request says why it failed (cause.h) */
};

/* Begins a request: what its headers say is extracted (propagate.h; a request id is made if it brings none), a server span
 * is started with the attributes of the HTTP conventions, and the client's hang-up cancels it (WH_CLIENT_GONE; a client
 * that shuts down its sending side counts as gone). An owner: end it before the handler returns the connection, or keep it
 * with that. */
#define wh_mhd_start(parent, ...) \
    wh_mhd_start_at((parent), WH_OPTS_(struct wh_mhd_opts, .site = WH_HERE, .connection = __VA_ARGS__))
WH_API WH_OWNER_ wh_ctx *wh_mhd_start_at(const wh_ctx *parent, const struct wh_mhd_opts *opts);

/* Ends the variable it marks when the handler returns: work in the background that still holds the request's context finds it
 * cancelled with WH_HANDLER_RETURNED. */
#define WH_MHD_AUTO __attribute__((unused, cleanup(wh_mhd_auto_end_)))
static inline void wh_mhd_auto_end_(wh_ctx **req) { wh_end_because(*req, WH_HANDLER_RETURNED); }

/* Gives the request to its connection: wh_mhd_completed() ends it, in the same way, when the answer is out or never will be. A
 * client that leaves as soon as it has the answer may be first (WH_CLIENT_GONE). Needs WH_MHD_OPTIONS. 0; ENOMEM, and it is still
 * the caller's to end. */
WH_API WH_MUST_USE_ int wh_mhd_keep(wh_ctx *req, struct MHD_Connection *connection);

/* MHD_queue_response(), and the status on the span: 5xx is an error, unless the request was cancelled: then the cause
 * decides. The failure's site (WH_ATTR_FAILURE_SITE) is the line that calls. The response stays the caller's. */
#define wh_mhd_reply(req, connection, status, response) wh_mhd_reply_at((req), (connection), (status), (response), WH_HERE)
WH_API enum MHD_Result wh_mhd_reply_at(const wh_ctx *req, struct MHD_Connection *connection, unsigned status,
                                       struct MHD_Response *response, const struct wh_site *site);

/* The same with a text as the body; copied. An answer of status 400 or more says in a field why, if there is something to say
 * (cause.h). */
#define wh_mhd_reply_text(req, connection, status, type, text) \
    wh_mhd_reply_text_at((req), (connection), (status), (type), (text), WH_HERE)
WH_API enum MHD_Result wh_mhd_reply_text_at(const wh_ctx *req, struct MHD_Connection *connection, unsigned status,
                                            const char *type, const char *text, const struct wh_site *site);

/* Adds that field to a response that is for this request alone, before it is given to wh_mhd_reply(). Nothing to be said, or no
 * memory: nothing is added. */
WH_API void wh_mhd_add_cause(const wh_ctx *req, struct MHD_Response *response);

/* Options for MHD_start_daemon(), before MHD_OPTION_END: by them wh_mhd_stop() knows whose answer is not out yet, and
 * requests that were kept are ended. Whoever has a completion callback of his own calls wh_mhd_completed() from there
 * instead. */
#define WH_MHD_OPTIONS MHD_OPTION_NOTIFY_COMPLETED, wh_mhd_completed, (void *)0
WH_API void wh_mhd_completed(void *unused, struct MHD_Connection *connection, void **state,
                             enum MHD_RequestTerminationCode how);

/* Stops the daemon without cutting anyone short: takes no more connections, waits at most `timeout` until every request
 * that wh_mhd_start() has begun is answered, then stops it; connections that are merely kept alive are closed. A daemon
 * without WH_MHD_OPTIONS keeps it waiting until it has no connections at all. */
WH_API void wh_mhd_stop(struct MHD_Daemon *daemon, int64_t timeout);

WH_END_DECLS
#endif
