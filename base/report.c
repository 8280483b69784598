#include <whence/base.h>

#include <errno.h>
#include <stdarg.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/lock.h"
#include "base/text.h"

static uint32_t lock;
static void (*listener)(enum wh_severity severity, const char *line, void *arg);
static void *listener_arg;
static int least_said = WH_INFO;        /* atomic */
static _Thread_local bool is_listening; /* the listener runs on this thread: it is not called from within */

void wh_report_to(void (*fn)(enum wh_severity severity, const char *line, void *arg), void *arg)
{
    wh__lock(&lock);
    listener = fn;
    listener_arg = arg;
    wh__unlock(&lock);
}

void wh_report_from(enum wh_severity least)
{
    __atomic_store_n(&least_said, (int)least, __ATOMIC_RELAXED);
}

static bool tell_listener(enum wh_severity severity, const char *line)
{
    if (is_listening) return false;
    wh__lock(&lock);
    void (*const fn)(enum wh_severity, const char *, void *) = listener;
    void *const arg = listener_arg;
    wh__unlock(&lock);
    if (!fn) return false;
    is_listening = true;
    fn(severity, line, arg);
    is_listening = false;
    return true;
}

/* One write() a line, so that lines of several processes do not mix. */
static void say(enum wh_severity severity, const char *format, va_list args)
{
    char line[512];
    struct wh__text text = {.buf = line, .size = sizeof line - 1};
    wh__put(&text, "whence: ");
    const size_t start = text.len;
    wh__put_list(&text, format, args);
    if (tell_listener(severity, line + start)) return;
    size_t len = text.len < text.size ? text.len : text.size - 1;
    line[len++] = '\n';
    if (wh__write(STDERR_FILENO, line, len) < 0) return; /* nobody left to tell */
}

void wh_report(enum wh_severity severity, const char *format, ...)
{
    const int before = errno;
    va_list args;
    if ((int)severity < __atomic_load_n(&least_said, __ATOMIC_RELAXED)) return;
    va_start(args, format);
    say(severity, format, args);
    va_end(args);
    errno = before;
}
