#include "collector_inside.h"

#include <poll.h>
#include <sys/socket.h>

/* ---- answering ---- */

static bool send_bytes(const struct connection *connection, const void *bytes, size_t len, int64_t byte_delay)
{
    const char *p = bytes;
    while (len) {
        if (byte_delay && collector_wait_for(connection->collector, -1, byte_delay) == IS_STOPPED) return false;
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

/* ---- not answering ---- */

/* Until the client has gone, whatever it sends. */
static void hang(const struct connection *connection)
{
    char bytes[4096];
    while (connection_read(connection, bytes, sizeof bytes)) continue;
}

/* Not even reading: a client that goes is seen all the same. */
static void hang_unread(const struct connection *connection)
{
    struct pollfd polled[2] = {{.fd = connection->collector->stop[0], .events = POLLIN},
        {.fd = connection->fd, .events = POLLRDHUP}};
    while (poll(polled, 2, -1) < 0 && errno == EINTR) continue;
}

static void reset(const struct connection *connection)
{
    const struct linger now_and_hard = {.l_onoff = 1, .l_linger = 0};
    setsockopt(connection->fd, SOL_SOCKET, SO_LINGER, &now_and_hard, sizeof now_and_hard);
}

bool connection_answer(const struct connection *connection, const struct collector_answer *answer)
{
    if (answer->delay && collector_wait_for(connection->collector, -1, answer->delay) == IS_STOPPED) return false;
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

/* ---- the script ---- */

/* With the lock held. */
static const struct collector_answer *next_answer(const struct collector *collector)
{
    static const struct collector_answer all_well;
    if (collector->script_len == 0) return &all_well;
    const size_t i = collector->answers_given;
    return &collector->script[i < collector->script_len ? i : collector->script_len - 1];
}

const struct collector_answer *collector_take_answer(struct collector *collector, bool only_unread)
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
