/* What the tests of the OTLP exporter share: a batch to send, and what was reported meanwhile. */
#ifndef TEST_OTLP_H
#define TEST_OTLP_H

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "collector.h"
#include "test.h"

#define LONG WH_SEC(30) /* more than anything here takes, and less than what is waited for in vain */
#define BODY(bytes) .body = bytes, .body_len = sizeof bytes - 1
#define COUNT(array) (sizeof(array) / sizeof *(array))

/* `count` spans, at most 64, that have a name and nothing else. */
static inline int export_until(struct wh_exporter *exporter, size_t count, int64_t deadline, size_t *rejected)
{
    static const char span[] = "\x2a\x05hello";
    struct wh_bytes spans[64];
    for (size_t i = 0; i < count; i++) spans[i] = (struct wh_bytes){span, sizeof span - 1};
    const struct wh_batch batch = {.size = sizeof batch, .resource = {"", 0}, ONE_SCOPE(spans, count)};
    size_t unused = 0;
    return exporter->export_batch(exporter, &batch, deadline, rejected ? rejected : &unused);
}

static inline int export_within(struct wh_exporter *exporter, int64_t timeout)
{
    return export_until(exporter, 3, wh_now() + timeout, NULL);
}

static inline struct wh_exporter *not_null(struct wh_exporter *exporter)
{
    assert_non_null(exporter);
    return exporter;
}

static inline struct wh_exporter *otlp_to(struct collector *collector)
{
    return not_null(wh_otlp_exporter_new(collector_url(collector)));
}

#define assert_error_says(exporter, text) \
    do { \
        const char *error_ = (exporter)->last_error(exporter); \
        assert_non_null(error_); \
        if (!strstr(error_, (text))) fail_msg("\"%s\" does not say \"%s\"", error_, (text)); \
    } while (0)

static inline void expect(struct wh_exporter *otlp, int64_t timeout, int rc)
{
    const int got = export_within(otlp, timeout);
    if (got == rc) return;
    const char *error = otlp->last_error(otlp);
    fail_msg("%s instead of %s: %s", strerror(got), strerror(rc), error ? error : "");
}

/* ---- reports ---- */

static struct {
    pthread_mutex_t lock;
    size_t count;
    char last[512];
} reports = {.lock = PTHREAD_MUTEX_INITIALIZER};

static inline void keep_report(enum wh_severity severity, const char *line, void *arg)
{
    (void)severity;
    (void)arg;
    pthread_mutex_lock(&reports.lock);
    reports.count++;
    snprintf(reports.last, sizeof reports.last, "%s", line);
    pthread_mutex_unlock(&reports.lock);
}

/* Keeps reports from here on, and forgets those that were. */
static inline void listen_to_reports(void)
{
    wh_report_to(keep_report, NULL);
    pthread_mutex_lock(&reports.lock);
    reports.count = 0;
    reports.last[0] = '\0';
    pthread_mutex_unlock(&reports.lock);
}

static inline size_t report_count(void)
{
    pthread_mutex_lock(&reports.lock);
    const size_t count = reports.count;
    pthread_mutex_unlock(&reports.lock);
    return count;
}

#endif
