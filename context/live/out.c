/* Text on its way to a descriptor, which may be slow, full, or have no reader any more. */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base/fd.h"
#include "base/hush.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/utf8.h"
#include "context/live.h"

struct wh__out *wh__out_new(int fd)
{
    struct wh__out *out = wh__mem_get(sizeof *out);
    if (!out) return NULL;
    out->fd = fd;
    out->error = 0;
    out->len = 0;
    return out;
}

/* ---- writing ---- */

/* Not a place where pthread_cancel() ends the thread: it holds memory, and its signal mask is not as it was. */
static void wait_for_room(int fd)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLOUT};
    int state;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    poll(&poll_fd, 1, -1); /* whatever it says, the next write says more */
    pthread_setcancelstate(state, &state);
}

static void flush(struct wh__out *out)
{
    struct wh__hush hush;
    wh__hush_begin(&hush);
    for (size_t done = 0; done < out->len && !out->error;) {
        const ssize_t n = wh__write(out->fd, out->buf + done, out->len - done);
        if (n >= 0)
            done += (size_t)n;
        else if (errno == EAGAIN)
            wait_for_room(out->fd);
        else if (errno != EINTR)
            out->error = errno;
    }
    out->len = 0;
    wh__hush_end(&hush);
}

int wh__out_end(struct wh__out *out)
{
    flush(out);
    const int error = out->error;
    wh__mem_free(out);
    return error;
}

static void put_bytes(struct wh__out *out, const char *bytes, size_t len)
{
    if (out->error) return;
    if (sizeof out->buf - out->len < len) flush(out);
    memcpy(out->buf + out->len, bytes, len);
    out->len += len;
}

/* ---- saying ---- */

/* A piece is short: what may be long are texts of others, which do not come this way. */
void wh__out_put(struct wh__out *out, const char *format, ...)
{
    char piece[512];
    struct wh__text text = {.buf = piece, .size = sizeof piece};
    va_list args;
    va_start(args, format);
    wh__put_list(&text, format, args);
    va_end(args);
    put_bytes(out, piece, text.len < sizeof piece ? text.len : sizeof piece - 1);
}

void wh__out_duration(struct wh__out *out, int64_t ns)
{
    char piece[64];
    struct wh__text text = {.buf = piece, .size = sizeof piece};
    wh__put_duration(&text, ns);
    put_bytes(out, piece, text.len);
}

/* A compiler may give the path as it was called. */
void wh__out_site(struct wh__out *out, const struct wh_site *site)
{
    const char *slash = strrchr(site->file, '/');
    wh__out_plain(out, slash ? slash + 1 : site->file);
    wh__out_put(out, ":%d ", site->line);
    wh__out_plain(out, site->func);
}

/* DEL, the controls beyond ASCII and the two line ends of Unicode are controls too. */
static bool is_control(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029;
}

static void put_malformed(struct wh__out *out)
{
    put_bytes(out, "\xef\xbf\xbd", 3);
}

void wh__out_plain(struct wh__out *out, const char *text)
{
    for (const char *end = text + strlen(text), *at = text; text < end; text = at) {
        const uint32_t c = wh__utf8_next(&at, end);
        if (c == WH__MALFORMED)
            put_malformed(out);
        else if (is_control(c))
            put_bytes(out, "?", 1);
        else
            put_bytes(out, text, (size_t)(at - text));
    }
}

/* \uXXXX is an escape of JSON, and in DOT text that stands for itself: there no control gets through either. */
void wh__out_quoted(struct wh__out *out, const char *text)
{
    for (const char *end = text + strlen(text), *at = text; text < end; text = at) {
        const uint32_t c = wh__utf8_next(&at, end);
        if (c == WH__MALFORMED)
            put_malformed(out);
        else if (is_control(c))
            wh__out_put(out, "\\u%04x", (unsigned)c);
        else if (c == '"' || c == '\\')
            wh__out_put(out, "\\%c", (int)c);
        else
            put_bytes(out, text, (size_t)(at - text));
    }
}
