#include <whence/base.h>

#include <stdarg.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/lock.h"
#include "base/text.h"

static uint32_t lock;
static void (*listener)(enum wh_severity severity, const char *line, void *arg);
static void *listener_arg;

void wh_report_to(void (*fn)(enum wh_severity severity, const char *line, void *arg), void *arg)
{
    wh__lock(&lock);
    listener = fn;
    listener_arg = arg;
    wh__unlock(&lock);
}

/* One write() a line, so that lines of several processes do not mix. */
void wh_report(enum wh_severity severity, const char *format, ...)
{
    char line[512];
    struct wh__text text = {.buf = line, .size = sizeof line - 1};
    va_list args;
    wh__put(&text, "whence: ");
    const size_t start = text.len;
    va_start(args, format);
    wh__put_list(&text, format, args);
    va_end(args);

    wh__lock(&lock);
    void (*const fn)(enum wh_severity, const char *, void *) = listener;
    void *const arg = listener_arg;
    wh__unlock(&lock);
    if (fn) {
        fn(severity, line + start, arg);
        return;
    }
    size_t len = text.len < text.size ? text.len : text.size - 1;
    line[len++] = '\n';
    if (wh__write(STDERR_FILENO, line, len) < 0) return; /* nobody left to tell */
}
