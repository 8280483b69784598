/* Threads that end spans, and how long that takes them at worst. */
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "driver.h"

enum { MOST_THREADS = 16 };

struct producer {
    pthread_t thread;
    const struct settings *settings;
    const wh_ctx *root;
    long spans;
    struct strain strain;
};
static struct producer producers[MOST_THREADS];
static long producer_count;

static void end_one(const struct settings *settings, const wh_ctx *root, struct strain *strain)
{
    const int64_t begun = wh_now();
    wh_ctx *span = wh_start(root, settings->name);
    wh_set(span, "text", ((struct wh_str){settings->text, (size_t)settings->bytes}));
    wh_end(span);
    const int64_t took = wh_now() - begun;
    if (took > strain->longest) strain->longest = took;
    if (took >= settings->blocked) strain->blocked++;
}

void produce(const struct settings *settings, const wh_ctx *root, long spans, struct strain *strain)
{
    for (long i = 0; i < spans; i++) {
        end_one(settings, root, strain);
        if (settings->pace && i % 8 == 7) usleep((useconds_t)settings->pace);
    }
}

static void *run(void *arg)
{
    struct producer *self = arg;
    produce(self->settings, self->root, self->spans, &self->strain);
    return NULL;
}

void producers_start(const struct settings *settings, const wh_ctx *root)
{
    producer_count = settings->threads < MOST_THREADS ? settings->threads : MOST_THREADS;
    for (long i = 0; i < producer_count; i++) {
        const long share = settings->spans / producer_count + (i < settings->spans % producer_count);
        producers[i] = (struct producer){.settings = settings, .root = root, .spans = share};
        if (pthread_create(&producers[i].thread, NULL, run, &producers[i])) abort();
    }
}

void producers_wait(struct strain *strain)
{
    for (long i = 0; i < producer_count; i++) {
        const struct strain *one = &producers[i].strain;
        pthread_join(producers[i].thread, NULL);
        if (one->longest > strain->longest) strain->longest = one->longest;
        strain->blocked += one->blocked;
    }
}
