/* A trace that goes through a queue, with its deadline: a message that waits too long is dropped before any work is done for it.
 *
 *   ./tracing_queue            sends three orders to another process, which it starts, and which is slow to fetch them
 *
 * The queue is a socket that keeps messages whole. Two orders carry their context as bytes before the body; the third one's has
 * headers, as a message of AMQP or Kafka has: they are a carrier like any other, but their time in the queue counts for nothing.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>
#include <whence/whence.h>

enum { QUEUE = 3, MOST_HEADERS = 8 };

struct header {
    char name[32], value[256];
};

struct order {
    int number;
    bool has_headers;
    uint16_t context_len;
    uint8_t context[WH_BYTES_MAX];
    struct header headers[MOST_HEADERS];
};

static const char *get_header(void *carrier, const char *name)
{
    const struct order *order = carrier;
    for (int i = 0; i < MOST_HEADERS; i++)
        if (strcasecmp(order->headers[i].name, name) == 0) return order->headers[i].value;
    return NULL;
}

static void set_header(void *carrier, const char *name, const char *value)
{
    struct order *order = carrier;
    struct header *header = order->headers;
    while (header < order->headers + MOST_HEADERS && *header->name && strcasecmp(header->name, name)) header++;
    if (header == order->headers + MOST_HEADERS || strlen(value) >= sizeof header->value) return;
    snprintf(header->name, sizeof header->name, "%s", name);
    snprintf(header->value, sizeof header->value, "%s", value);
}

/* What the conventions want to know of a message. */
static void describe(const wh_ctx *span, const char *operation, const struct order *order)
{
    char id[16];
    snprintf(id, sizeof id, "%d", order->number);
    wh_set(span, "messaging.system", "unix");
    wh_set(span, "messaging.destination.name", "orders");
    wh_set(span, "messaging.operation.name", operation);
    wh_set(span, "messaging.operation.type", operation);
    wh_set(span, "messaging.message.id", (const char *)id);
}

/* ---- the producer ---- */

static void send_order(const wh_ctx *ctx, int queue, int number, bool has_headers)
{
    WH_AUTO wh_ctx *op = wh_start(ctx, "send orders", .kind = WH_PRODUCER);
    struct order order = {.number = number, .has_headers = has_headers};
    describe(op, "send", &order);
    if (has_headers)
        wh_inject(op, set_header, &order);
    else
        order.context_len = (uint16_t)wh_inject_bytes(op, order.context, sizeof order.context);
    if (send(queue, &order, sizeof order, MSG_NOSIGNAL) < 0) wh_fail(op, errno, "the queue takes no more");
}

static void take_order(const wh_ctx *root, int queue, int number, int64_t budget, bool has_headers)
{
    char trace[33];
    WH_AUTO wh_ctx *known = wh_with_request_id(root, NULL);
    WH_AUTO wh_ctx *req = wh_start(known, "POST /orders", .kind = WH_SERVER, .timeout = budget);
    send_order(req, queue, number, has_headers);
    printf("order %d sent: trace %s\n", number, wh_trace_id_hex(req, trace));
    fflush(stdout);
}

/* ---- the consumer ---- */

static void process(const wh_ctx *root, struct order *order)
{
    char trace[33], why[200];
    WH_AUTO wh_ctx *from = order->has_headers ? wh_extract(root, get_header, order)
                                              : wh_extract_bytes(root, order->context, order->context_len);
    WH_AUTO wh_ctx *op = wh_start(from, "process orders", .kind = WH_CONSUMER);
    describe(op, "process", order);
    wh_trace_id_hex(op, trace);
    if (!wh_err(op)) { /* there is time left: here the work would be done */
        printf("order %d done: trace %s\n", order->number, trace);
        return;
    }
    wh_log_line(op, why, sizeof why);
    printf("order %d dropped: trace %s, %s\n", order->number, trace, why);
}

static int consume(wh_ctx *root)
{
    static struct order order;
    struct pollfd closed = {.fd = QUEUE, .events = POLLRDHUP};
    size_t ready;
    wh_poll(root, &closed, 1, WH_NEVER, &ready); /* it has much else to do, until the counter takes no more orders, */
    wh_sleep(root, WH_MS(100));                  /* and a little after that */
    while (recv(QUEUE, &order, sizeof order, 0) == sizeof order) process(root, &order);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        WH_AUTO wh_ctx *root = wh_main("kitchen");
        return consume(root);
    }
    WH_AUTO wh_ctx *root = wh_main("counter");
    WH_AUTO_CHILD wh_child *kitchen = NULL;
    posix_spawn_file_actions_t actions;
    int ends[2], status = 1;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends)) return 1;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], QUEUE);
    int rc = wh_child_start(root, &kitchen, (char *[]){argv[0], (char *)"consume", NULL}, .actions = &actions, .timeout = WH_SEC(30));
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    if (rc) return 1;
    take_order(root, ends[0], 1, WH_SEC(20), false);
    take_order(root, ends[0], 2, WH_MS(50), false);
    take_order(root, ends[0], 3, WH_SEC(20), true);
    close(ends[0]); /* no more orders */
    rc = wh_child_wait(kitchen, &status);
    return rc || status;
}
