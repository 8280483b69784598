#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "trace/detect.h"

enum { PATH = 4096, SMALL = 4096, PASSWD = 1 << 16 };

/* ---- parsing ---- */

static bool is_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int days_of(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month] + (month == 1 && is_leap(year));
}

static char *put_digits(char *out, int number, int digits, char after)
{
    for (int i = digits; i--; number /= 10) out[i] = (char)('0' + number % 10);
    out[digits] = after;
    return out + digits + 1;
}

/* By hand: gmtime_r() takes a lock, which the child of a fork may find taken for ever. */
void wh__timestamp(char out[WH__TIMESTAMP], int64_t wall)
{
    const int64_t ms = wall < 0 ? 0 : wall / 1000000;
    const int of_day = (int)(ms / 1000 % 86400);
    int64_t days = ms / 86400000;
    int year = 1970, month = 0;
    for (int len; days >= (len = is_leap(year) ? 366 : 365); year++) days -= len;
    for (int len; days >= (len = days_of(year, month)); month++) days -= len;
    out = put_digits(out, year, 4, '-');
    out = put_digits(out, month + 1, 2, '-');
    out = put_digits(out, (int)days + 1, 2, 'T');
    out = put_digits(out, of_day / 3600, 2, ':');
    out = put_digits(out, of_day / 60 % 60, 2, ':');
    out = put_digits(out, of_day % 60, 2, '.');
    put_digits(out, (int)(ms % 1000), 3, 'Z');
}

/* The name of the program may hold spaces and parentheses: what follows begins behind the last one. */
uint64_t wh__start_ticks(const char *stat)
{
    const char *p = strrchr(stat, ')');
    for (int field = 2; p && field < 22; field++) {
        p = strchr(p, ' ');
        if (p) p++;
    }
    return p ? strtoull(p, NULL, 10) : 0;
}

/* name:password:uid:... (passwd(5)). Not getpwuid(), which may ask a server and wait for it. */
bool wh__user_named(const char *passwd, uint32_t uid, char *name, size_t size)
{
    struct wh_str line;
    char digits[16];
    const int len = snprintf(digits, sizeof digits, ":%" PRIu32 ":", uid);
    while (wh__next_line(&passwd, &line)) {
        const char *colon = memchr(line.ptr, ':', line.len);
        const char *second = colon ? memchr(colon + 1, ':', (size_t)(line.ptr + line.len - colon - 1)) : NULL;
        if (!second || colon == line.ptr || strncmp(second, digits, (size_t)len)) continue;
        snprintf(name, size, "%.*s", (int)(colon - line.ptr), line.ptr);
        return true;
    }
    return false;
}

/* ---- looking ---- */

/* What both clocks say now places an instant since the start of the machine in the day. */
static int64_t began(void)
{
    char stat[SMALL];
    const uint64_t ticks = wh__read_file("/proc/self/stat", stat, sizeof stat) ? wh__start_ticks(stat) : 0;
    const long rate = sysconf(_SC_CLK_TCK);
    const int64_t now = wh__clock(CLOCK_REALTIME);
    if (!ticks || rate <= 0) return now;
    return now - wh__clock(CLOCK_BOOTTIME) + (int64_t)(ticks * (1000000000 / (uint64_t)rate));
}

static void find_owner(char *name, size_t size)
{
    char *passwd = wh__mem_get(PASSWD);
    const size_t len = passwd ? wh__read_file("/etc/passwd", passwd, PASSWD) : 0;
    if (!len || !wh__user_named(passwd, geteuid(), name, size)) *name = '\0';
    wh__mem_free(passwd);
}

static void find_executable(char path[PATH])
{
    const ssize_t len = readlink("/proc/self/exe", path, PATH - 1);
    path[len > 0 ? len : 0] = '\0';
}

wh_resource *wh__detect_process(void)
{
    char executable[PATH], command[PATH], owner[256], creation[WH__TIMESTAMP + 1] = "";
    find_executable(executable);
    find_owner(owner, sizeof owner);
    wh__read_file("/proc/self/cmdline", command, sizeof command); /* ends, as text, where the first argument does */
    wh__timestamp(creation, began());
    const char *slash = strrchr(executable, '/');
    const struct wh__found found[] = {
        {.key = "process.pid", .number = (uint32_t)getpid(), .renewed = WH__PID},
        {.key = "process.parent_pid", .number = (uint32_t)getppid(), .renewed = WH__PARENT_PID},
        {.key = "process.creation.time", .text = creation, .renewed = WH__CREATION},
        {.key = "process.executable.name", .text = slash ? slash + 1 : executable},
        {.key = "process.executable.path", .text = executable},
        {.key = "process.command", .text = command},
        {.key = "process.owner", .text = owner},
    };
    return wh__resource_found(found, sizeof found / sizeof *found);
}

/* The arguments with spaces between them. */
wh_resource *wh__detect_command(void)
{
    char line[PATH];
    size_t len = wh__read_file("/proc/self/cmdline", line, sizeof line);
    while (len && line[len - 1] == '\0') len--;
    for (size_t i = 0; i < len; i++)
        if (line[i] == '\0') line[i] = ' ';
    const struct wh__found found = {.key = "process.command_line", .text = line};
    return wh__resource_found(&found, 1);
}
