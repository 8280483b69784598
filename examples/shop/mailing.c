/* A message for `mail`: two bytes with the length of the context's, these, and the text. Nobody waits for its answer. */
#include "gateway.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int put(const void *message, size_t len)
{
    const struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(upstreams.mail), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const int rc = sendto(fd, message, len, 0, (const struct sockaddr *)&address, sizeof address) < 0 ? errno : 0;
    close(fd);
    return rc;
}

int post_mail(const wh_ctx *ctx, const char *text)
{
    unsigned char message[1024];
    WH_AUTO wh_ctx *op = wh_start(ctx, "post mail", .kind = WH_PRODUCER);
    const size_t head = wh_inject_bytes(op, message + 2, 512), len = strlen(text);
    if (head > 512 || len > 256) return wh_fail(op, EMSGSIZE, "too long for a message");
    message[0] = (unsigned char)(head >> 8);
    message[1] = (unsigned char)head;
    memcpy(message + 2 + head, text, len);
    const int rc = put(message, 2 + head + len);
    return rc ? wh_fail(op, rc, "not posted") : 0;
}
