#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "trace/detect.h"

size_t wh__read_file(const char *path, char *text, size_t size)
{
    size_t len = 0;
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    text[0] = '\0';
    if (fd < 0) return 0;
    while (len < size - 1) {
        const ssize_t n = read(fd, text + len, size - 1 - len);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        len += (size_t)n;
    }
    close(fd);
    text[len] = '\0';
    return len;
}

bool wh__next_line(const char **text, struct wh_str *line)
{
    if (**text == '\0') return false;
    *line = (struct wh_str){*text, strcspn(*text, "\n")};
    *text += line->len + ((*text)[line->len] == '\n');
    return true;
}
