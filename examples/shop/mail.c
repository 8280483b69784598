/* mail: takes messages from a queue, one after the other, and sends them. The queue is what the kernel keeps for a socket; a
 * message brings the context of who has posted it (mailing.c), and is dropped if its time has passed when it is taken. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <whence/whence.h>

/* A library that knows no contexts; a newsletter has many readers. */
static void send_mail(const char *text)
{
    poll(NULL, 0, strcmp(text, "newsletter") == 0 ? 600 : 1);
}

static int take(const wh_ctx *root, const unsigned char *message, size_t len)
{
    const size_t head = len > 2 ? (size_t)message[0] << 8 | message[1] : len;
    char text[64], why[256];
    if (head + 2 > len) return 0;
    WH_AUTO wh_ctx *from = wh_extract_bytes(root, message + 2, head);
    WH_AUTO wh_ctx *op = wh_start(from, "send mail", .kind = WH_CONSUMER);
    snprintf(text, sizeof text, "%.*s", (int)(len - head - 2), (const char *)message + 2 + head);
    wh_set(op, "mail.text", (const char *)text);
    if (wh_err(op))
        wh_event(op, "dropped");
    else
        send_mail(text);
    wh_log_line(op, why, sizeof why);
    return fprintf(stderr, "mail: %s request=%s %s\n", text, wh_request_id(from), why);
}

static int listen_at(unsigned short port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (bind(fd, (struct sockaddr *)&address, len) || getsockname(fd, (struct sockaddr *)&address, &len)) return -1;
    printf("listening on %u\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

int main(int argc, char **argv)
{
    unsigned char message[1024];
    size_t len;
    WH_AUTO wh_ctx *root = wh_main("mail", .version = "1.0");
    const int fd = listen_at((unsigned short)(argc > 1 ? atoi(argv[1]) : 0));
    if (fd < 0) return 1;
    while (wh_read(root, fd, message, sizeof message, &len) == 0) take(root, message, len);
    return 0;
}
