/* What the driver says: counts as JSON, one object a line. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "driver.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

static unsigned long lines, rude;

static void take_line(enum wh_severity severity, const char *line, void *arg)
{
    (void)severity, (void)arg;
    __atomic_fetch_add(&lines, 1, __ATOMIC_RELAXED);
    fprintf(stderr, "%s\n", line);
    for (const char *p = line; *p; p++) {
        if ((unsigned char)*p >= 0x20 && *p != 0x7f) continue;
        __atomic_fetch_add(&rude, 1, __ATOMIC_RELAXED);
        return;
    }
}

void reports_count(void)
{
    wh_report_to(take_line, NULL);
}

unsigned long reports_seen(void)
{
    return __atomic_load_n(&lines, __ATOMIC_RELAXED);
}

unsigned long reports_rude(void)
{
    return __atomic_load_n(&rude, __ATOMIC_RELAXED);
}

/* Of this program: ru_maxrss of getrusage() also remembers what ran in this process before an exec. */
static long peak_kib(void)
{
    char line[128];
    long kib = -1;
    FILE *status = fopen("/proc/self/status", "r");
    while (status && fgets(line, sizeof line, status))
        if (strncmp(line, "VmHWM:", 6) == 0) kib = strtol(line + 6, NULL, 10);
    if (status) fclose(status);
    return kib;
}

static uint64_t lost(const struct wh_provider_stats *s)
{
    return s->dropped_queue + s->dropped_memory + s->dropped_export + s->dropped_shutdown;
}

bool adds_up(wh_provider *provider, uint64_t exporters)
{
    struct wh_provider_stats s = {.size = sizeof s};
    wh_provider_stats(provider, &s);
    return exporters * s.started == s.exported + lost(&s);
}

/* In one write(): a child may be writing, too. */
void print_stats(const char *side, wh_provider *provider, const struct strain *strain, const char *more)
{
    char line[1024];
    struct wh_provider_stats s = {.size = sizeof s};
    wh_provider_stats(provider, &s);
    const int len = snprintf(line, sizeof line,
        "{\"side\": \"%s\", \"started\": %llu, \"ended\": %llu, \"exported\": %llu, \"dropped_queue\": %llu, "
        "\"dropped_memory\": %llu, \"dropped_export\": %llu, \"dropped_shutdown\": %llu, \"longest_us\": %lld, "
        "\"blocked\": %llu, \"peak_kib\": %ld, \"sanitized\": %d, \"lines\": %lu, \"rude\": %lu%s}\n",
        side, (unsigned long long)s.started, (unsigned long long)s.ended, (unsigned long long)s.exported,
        (unsigned long long)s.dropped_queue, (unsigned long long)s.dropped_memory, (unsigned long long)s.dropped_export,
        (unsigned long long)s.dropped_shutdown, (long long)(strain->longest / 1000),
        (unsigned long long)strain->blocked, peak_kib(), SANITIZED, reports_seen(), reports_rude(), more);
    if (len < 0 || (size_t)len >= sizeof line || write(STDOUT_FILENO, line, (size_t)len) != len) abort();
}
