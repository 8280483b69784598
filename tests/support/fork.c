/* fork() of a process with threads, under AddressSanitizer too.
 *
 * That of gcc 12 has locks of its own that it does not hold over a fork: a child of a process whose other threads are just
 * then in malloc() or free(), or on their way out, may wait for ever for one of them. So under it all others sleep first, as
 * those of the library do that have nothing to do. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "test.h"

#if defined(__SANITIZE_ADDRESS__)
enum { LOOKS = 5, MOST = 5000 }; /* a look takes a millisecond */

/* proc_pid_stat(5): the state comes after the name, which may hold anything. */
static bool is_asleep(const char *task)
{
    char path[64], line[512] = "";
    snprintf(path, sizeof path, "/proc/self/task/%.20s/stat", task);
    FILE *file = fopen(path, "r");
    if (!file) return false;
    const bool read = fgets(line, sizeof line, file);
    fclose(file);
    const char *name_end = strrchr(line, ')');
    return read && name_end && name_end[2] == 'S';
}

static bool all_others_sleep(void)
{
    char self[24];
    bool sleep = true;
    snprintf(self, sizeof self, "%d", (int)gettid());
    DIR *tasks = opendir("/proc/self/task");
    assert_non_null(tasks);
    for (const struct dirent *entry; sleep && (entry = readdir(tasks));)
        if (entry->d_name[0] != '.' && strcmp(entry->d_name, self) != 0) sleep = is_asleep(entry->d_name);
    closedir(tasks);
    return sleep;
}

pid_t fork_at_rest(void)
{
    for (int i = 0, asleep = 0; i < MOST && asleep < LOOKS; i++, usleep(1000)) asleep = all_others_sleep() ? asleep + 1 : 0;
    return fork();
}
#else
pid_t fork_at_rest(void)
{
    return fork();
}
#endif
