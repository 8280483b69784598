#include "collector_inside.h"

#include <strings.h>
#include <zlib.h>

const char *collector_header(const struct collector_request *request, const char *name)
{
    const size_t len = strlen(name);
    for (const char *line = request->headers; *line; line += strlen(line) + 1) {
        if (strncasecmp(line, name, len) || line[len] != ':') continue;
        return line + len + 1 + strspn(line + len + 1, " \t");
    }
    return NULL;
}

static bool undo_gzip(struct collector_request *request)
{
    z_stream stream = {.next_in = (uint8_t *)(uintptr_t)request->sent, .avail_in = (uInt)request->sent_len};
    size_t size = request->sent_len * 16 + 65536;
    uint8_t *bytes = get(size);
    need(inflateInit2(&stream, 15 + 16) == Z_OK, "inflate");
    int rc = Z_OK;
    while (rc == Z_OK) {
        if (stream.total_out == size) {
            bytes = realloc(bytes, size *= 2);
            need(bytes != NULL, "memory");
        }
        stream.next_out = bytes + stream.total_out;
        stream.avail_out = (uInt)(size - stream.total_out);
        rc = inflate(&stream, Z_NO_FLUSH);
    }
    request->body = bytes;
    request->body_len = stream.total_out;
    inflateEnd(&stream);
    return rc == Z_STREAM_END && stream.avail_in == 0;
}

/* Reads up to and including the empty line. What comes after it is returned at rest. */
static bool read_head(struct connection *connection, size_t *len, size_t *rest)
{
    char *bytes = connection->head;
    *len = 0;
    for (;;) {
        const size_t n = connection_read(connection, bytes + *len, MOST_HEADER - *len);
        if (n == 0) return false;
        *len += n;
        const char *end = memmem(bytes, *len, "\r\n\r\n", 4);
        if (!end) continue;
        *rest = (size_t)(end - bytes) + 4;
        return true;
    }
}

static void split_lines(struct collector_request *request, const char *bytes, size_t len)
{
    char *lines = get(len + 2), *out = lines;
    for (size_t i = 0; i < len; i++)
        if (bytes[i] != '\r') *out++ = bytes[i] == '\n' ? '\0' : bytes[i];
    request->line = lines;
    request->headers = lines + strlen(lines) + 1;
}

static bool read_body(const struct connection *connection, struct collector_request *request, const char *rest,
                      size_t have)
{
    const char *length = collector_header(request, "Content-Length");
    request->sent_len = length ? strtoul(length, NULL, 10) : 0;
    uint8_t *bytes = get(request->sent_len);
    request->sent = request->body = bytes;
    request->body_len = request->sent_len;
    if (have > request->sent_len) have = request->sent_len;
    memcpy(bytes, rest, have);
    while (have < request->sent_len) {
        const size_t n = connection_read(connection, bytes + have, request->sent_len - have);
        if (n == 0) return false;
        have += n;
    }
    return true;
}

void collector_drop_request(struct collector_request *request)
{
    if (request->body != request->sent) free((void *)(uintptr_t)request->body);
    free((void *)(uintptr_t)request->sent);
    free((void *)(uintptr_t)request->line);
}

/* A client that sends its next request before it has the answer to this one is not expected. */
bool connection_take_request(struct connection *connection)
{
    struct collector *collector = connection->collector;
    struct collector_request request = {.connection = connection->number};
    size_t len, rest;
    bool whole = read_head(connection, &len, &rest);
    if (whole) {
        split_lines(&request, connection->head, rest);
        whole = read_body(connection, &request, connection->head + rest, len - rest);
    }
    const char *encoding = whole ? collector_header(&request, "Content-Encoding") : NULL;
    if (encoding && strcmp(encoding, "gzip") == 0) need(undo_gzip(&request), "the gzip of a request");
    if (!whole) {
        collector_drop_request(&request);
        return false;
    }
    request.at = collector_now();
    pthread_mutex_lock(&collector->lock);
    need(collector->request_count < MOST_REQUESTS, "too many requests");
    collector->requests[collector->request_count++] = request;
    pthread_cond_broadcast(&collector->came);
    pthread_mutex_unlock(&collector->lock);
    return true;
}
