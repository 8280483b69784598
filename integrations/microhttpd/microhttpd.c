#include <whence/microhttpd.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* ---- headers as a carrier ---- */

static const char *get_header(void *connection, const char *name)
{
    return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

struct asked {
    const char *name; /* NULL: all names */
    wh_each_fn *each;
    void *arg;
};

static enum MHD_Result answer(void *arg, enum MHD_ValueKind kind, const char *name, const char *value)
{
    const struct asked *asked = arg;
    (void)kind;
    if (asked->name && (!value || strcasecmp(name, asked->name))) return MHD_YES;
    return asked->each(asked->arg, asked->name ? value : name) ? MHD_YES : MHD_NO;
}

static void get_lines(void *connection, const char *name, wh_each_fn *each, void *arg)
{
    MHD_get_connection_values(connection, MHD_HEADER_KIND, answer, &(struct asked){name, each, arg});
}

static void get_names(void *connection, wh_each_fn *each, void *arg)
{
    MHD_get_connection_values(connection, MHD_HEADER_KIND, answer, &(struct asked){NULL, each, arg});
}

static const struct wh_carrier request_headers = {.size = sizeof request_headers, .get = get_header, .get_all = get_lines, .keys = get_names};

/* ---- what the conventions want on a server span (semantic conventions, HTTP spans) ---- */

static bool is_known_method(const char *method)
{
    static const char *const known[] = {"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(method, known[i]) == 0) return true;
    return false;
}

static void set_peer(const wh_ctx *req, struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *address = info ? info->client_addr : NULL;
    char text[INET6_ADDRSTRLEN];
    if (!address) return;
    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)address;
        if (!inet_ntop(AF_INET, &in->sin_addr, text, sizeof text)) return;
        wh_set(req, "network.peer.port", ntohs(in->sin_port));
    } else if (address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)address;
        if (!inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof text)) return;
        wh_set(req, "network.peer.port", ntohs(in6->sin6_port));
    } else {
        return;
    }
    wh_set(req, "network.peer.address", (const char *)text);
    wh_set(req, "client.address", (const char *)text);
}

/* "host:port", "[v6]:port" or a host alone. */
static void set_server(const wh_ctx *req, const char *host)
{
    if (!host) return;
    const char *end = *host == '[' ? strchr(host, ']') : NULL;
    const char *colon = strrchr(end ? end : host, ':');
    wh_set(req, "server.address", ((struct wh_str){host, colon ? (size_t)(colon - host) : strlen(host)}));
    if (colon && colon[1]) wh_set(req, "server.port", atoi(colon + 1));
}

static void describe(const wh_ctx *req, const struct wh_mhd_opts *opts, const char *method)
{
    struct MHD_Connection *connection = opts->connection;
    const char *agent = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "user-agent");
    if (!wh_recording(req)) return;
    if (is_known_method(method)) {
        wh_set(req, "http.request.method", method);
    } else {
        wh_set(req, "http.request.method", "_OTHER");
        wh_set(req, "http.request.method_original", method);
    }
    if (opts->url) wh_set(req, "url.path", opts->url);
    wh_set(req, "url.scheme", MHD_get_connection_info(connection, MHD_CONNECTION_INFO_PROTOCOL) ? "https" : "http");
    if (opts->route) wh_set(req, "http.route", opts->route);
    if (agent) wh_set(req, "user_agent.original", agent);
    set_server(req, MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "host"));
    set_peer(req, connection);
    wh_set(req, "whence.request_id", wh_request_id(req));
}

/* ---- the requests whose answers are not out yet ---- */

/* By socket: MHD does not close it before it has said that the request is over. The mark tells daemons apart by their ports,
 * since the one of a thread pool that a connection names is not the one that is stopped. */
struct request {
    int mark;     /* 0: none is under way */
    wh_ctx *kept; /* ours to end; or NULL */
};
static struct {
    pthread_mutex_t lock;
    struct request *of;
    size_t count;
} busy = {.lock = PTHREAD_MUTEX_INITIALIZER};

static int mark_of(struct MHD_Daemon *daemon)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT);
    return info ? info->port + 1 : 1;
}

static int socket_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    return info ? info->connect_fd : 0;
}

static bool make_room_for(size_t socket)
{
    if (socket < busy.count) return true;
    const size_t count = socket < 64 ? 128 : socket * 2;
    struct request *bigger = realloc(busy.of, count * sizeof *bigger);
    if (!bigger) return false;
    memset(bigger + busy.count, 0, (count - busy.count) * sizeof *bigger);
    busy.of = bigger;
    busy.count = count;
    return true;
}

/* Without memory, wh_mhd_stop() does not wait for this one. */
static void now_busy(struct MHD_Connection *connection)
{
    const int socket = socket_of(connection);
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_DAEMON);
    if (socket <= 0 || !info) return;
    pthread_mutex_lock(&busy.lock);
    if (make_room_for((size_t)socket)) busy.of[socket].mark = mark_of(info->daemon);
    pthread_mutex_unlock(&busy.lock);
}

int wh_mhd_keep(wh_ctx *req, struct MHD_Connection *connection)
{
    const int socket = socket_of(connection);
    wh_ctx *before = NULL;
    pthread_mutex_lock(&busy.lock);
    const bool room = socket > 0 && make_room_for((size_t)socket);
    if (room) {
        before = busy.of[socket].kept;
        busy.of[socket].kept = req;
    }
    pthread_mutex_unlock(&busy.lock);
    wh_end_because(before, WH_HANDLER_RETURNED);
    return room ? 0 : ENOMEM;
}

void wh_mhd_completed(void *unused, struct MHD_Connection *connection, void **state, enum MHD_RequestTerminationCode how)
{
    (void)unused, (void)state, (void)how;
    const int socket = socket_of(connection);
    struct request over = {0};
    pthread_mutex_lock(&busy.lock);
    if (socket > 0 && (size_t)socket < busy.count) {
        over = busy.of[socket];
        busy.of[socket] = (struct request){0};
    }
    pthread_mutex_unlock(&busy.lock);
    wh_end_because(over.kept, WH_HANDLER_RETURNED);
}

static bool has_busy(int mark)
{
    bool found = false;
    pthread_mutex_lock(&busy.lock);
    for (size_t i = 0; i < busy.count && !found; i++) found = busy.of[i].mark == mark;
    pthread_mutex_unlock(&busy.lock);
    return found;
}

static void forget(int mark)
{
    pthread_mutex_lock(&busy.lock);
    for (size_t i = 0; i < busy.count; i++)
        if (busy.of[i].mark == mark) busy.of[i].mark = 0;
    pthread_mutex_unlock(&busy.lock);
}

/* ---- the request ---- */

WH_SCOPE(scope, "whence-microhttpd", .version = WH_VERSION)

wh_ctx *wh_mhd_start_at(const wh_ctx *parent, const struct wh_mhd_opts *given)
{
    struct wh_mhd_opts opts = {0};
    memcpy(&opts, given, given->size < sizeof opts ? given->size : sizeof opts);
    const char *method = opts.method ? opts.method : "GET";
    char name[256];
    snprintf(name, sizeof name, "%s%s%s", is_known_method(method) ? method : "HTTP", opts.route ? " " : "",
        opts.route ? opts.route : "");
    wh_ctx *from = wh_extract_with_at(parent, NULL, &request_headers, opts.connection, opts.site);
    if (!wh_request_id(from)) from = wh_take_over(wh_with_request_id(from, NULL), from);
    if (opts.edge) from = wh_take_over(wh_with_hidden_cause(from), from);
    const struct wh_start_opts start = {.size = sizeof start, .site = opts.site, .name = name, .kind = WH_SERVER,
        .timeout = opts.timeout, .peer_fd = socket_of(opts.connection), .scope = &scope};
    wh_ctx *req = wh_take_over(wh_start_at(from, &start), from);
    describe(req, &opts, method);
    now_busy(opts.connection);
    return req;
}

enum MHD_Result wh_mhd_reply_at(const wh_ctx *req, struct MHD_Connection *connection, unsigned status,
                                struct MHD_Response *response, const struct wh_site *site)
{
    wh_set(req, "http.response.status_code", status);
    if (status >= 500 && !wh_err(req)) {
        char type[12];
        snprintf(type, sizeof type, "%u", status);
        wh_fail_at(req, 0, type, NULL, site);
    }
    return MHD_queue_response(connection, status, response);
}

void wh_mhd_add_cause(const wh_ctx *req, struct MHD_Response *response)
{
    char value[WH_CAUSE_SIZE];
    if (wh_cause_write(req, value, sizeof value)) MHD_add_response_header(response, WH_CAUSE_HEADER, value);
}

enum MHD_Result wh_mhd_reply_text_at(const wh_ctx *req, struct MHD_Connection *connection, unsigned status, const char *type,
                                     const char *text, const struct wh_site *site)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(strlen(text), (void *)text, MHD_RESPMEM_MUST_COPY);
    if (!response) return MHD_NO;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    if (status >= 400) wh_mhd_add_cause(req, response);
    const enum MHD_Result queued = wh_mhd_reply_at(req, connection, status, response, site);
    MHD_destroy_response(response);
    return queued;
}

static unsigned connections_of(struct MHD_Daemon *daemon)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);
    return info ? info->num_connections : 0;
}

void wh_mhd_stop(struct MHD_Daemon *daemon, int64_t timeout)
{
    const int mark = mark_of(daemon);
    const int listening = MHD_quiesce_daemon(daemon);
    const int64_t start = wh_now();
    while (connections_of(daemon) && has_busy(mark) && wh_now() - start < timeout) poll(NULL, 0, 5);
    MHD_stop_daemon(daemon);
    forget(mark);
    if (listening >= 0) close(listening);
}
