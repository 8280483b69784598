/* What the tests of the provider share: an exporter that does as it is told, a provider that has it, and what was
 * reported. */
#ifndef SCRIPTED_H
#define SCRIPTED_H

#include "test.h"

struct scripted {
    struct wh_exporter exporter;
    uint32_t blocked;          /* export waits while this is 1 */
    bool heeds_interrupt;
    int result;
    size_t rejects;
    size_t spans, batches, largest, flushes, shutdowns, destroyed; /* written by one thread at a time */
    uint32_t inside;           /* threads in the exporter at once: never more than one */
};
void scripted_init(struct scripted *s);
void scripted_block(struct scripted *s, bool blocked);

#define provider_of(s, ...) provider_with((s), (struct wh_provider_opts){__VA_ARGS__})
wh_provider *provider_with(struct scripted *s, struct wh_provider_opts opts);
struct wh_provider_stats stats_of(const wh_provider *provider);
void make_spans(wh_provider *provider, int count);

/* Every span that was started was exported, or is counted as lost. */
void assert_adds_up(const struct wh_provider_stats *s);

/* For cmocka: keeps what is reported, from an empty report on. */
extern char report[4096];
int listen_to_reports(void **state);
int stop_listening(void **state);

#endif
