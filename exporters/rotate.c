#include "exporters/rotate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

void wh__numbered(char out[WH__NUMBERED], const char *path, uint32_t number)
{
    static const char extension[] = ".jsonl";
    const size_t len = strlen(path), tail = sizeof extension - 1;
    const bool has_one = len > tail && path[len - tail - 1] != '/' && strcmp(path + len - tail, extension) == 0;
    if (number == 0)
        snprintf(out, WH__NUMBERED, "%s", path);
    else
        snprintf(out, WH__NUMBERED, "%.*s.%u%s", (int)(has_one ? len - tail : len), path, number, has_one ? extension : "");
}

bool wh__is_file_at(int fd, const char *path)
{
    struct stat open_file, named;
    return fstat(fd, &open_file) == 0 && stat(path, &named) == 0 && open_file.st_dev == named.st_dev &&
           open_file.st_ino == named.st_ino;
}

/* ---- one at a time ---- */

/* The processes that share a file each hold a lock on it for as long as they have it open: so they meet at its folder. */
static int open_folder(const char *path)
{
    char folder[WH__NUMBERED];
    const char *slash = strrchr(path, '/');
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) + 1 : 1, slash ? path : ".");
    return open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* A child of a fork that comes just now has the lock too: closing would not be enough. */
static void leave_folder(int folder)
{
    flock(folder, LOCK_UN);
    close(folder);
}

static int count_up(const char *path, uint32_t files)
{
    char from[WH__NUMBERED], to[WH__NUMBERED];
    if (files <= 1) return unlink(path) ? errno : 0;
    for (uint32_t number = files - 1; number; number--) {
        wh__numbered(from, path, number - 1);
        wh__numbered(to, path, number);
        if (rename(from, to) && errno != ENOENT) return errno;
    }
    return 0;
}

int wh__rotate(int fd, const char *path, uint32_t files)
{
    const int folder = open_folder(path);
    if (folder < 0) return errno;
    int rc = flock(folder, LOCK_EX | LOCK_NB) ? errno : 0;
    if (rc == 0) {
        rc = wh__is_file_at(fd, path) ? count_up(path, files) : 0;
        leave_folder(folder);
    } else {
        close(folder);
    }
    return rc;
}
