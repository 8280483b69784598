/* whence-memory: what memory the library takes, as a table. Each row is a process of its own, where nothing else has touched memory
 * before. What the kernel has given to it is looked at (resident pages), so pages that are kept for later count. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <whence/whence.h>

enum { THREADS = 64, SPANS = 20000, FLIGHT = 100000 };

static long resident(void)
{
    long size, pages = 0;
    FILE *statm = fopen("/proc/self/statm", "r");
    if (statm && fscanf(statm, "%ld %ld", &size, &pages) != 2) pages = 0;
    if (statm) fclose(statm);
    return pages * sysconf(_SC_PAGESIZE);
}

static int refuse(struct wh_exporter *self, const struct wh_batch *batch, int64_t deadline, size_t *rejected)
{
    (void)self, (void)batch, (void)rejected;
    while (wh_now() < deadline) usleep(1000);
    return 0;
}

static const wh_ctx *parent;

static long at_rest(void)
{
    static struct wh_exporter slow = {.size = sizeof slow, .name = "slow", .export_batch = refuse}, *exporters[] = {&slow};
    const long before = resident();
    wh_provider *provider = wh_provider_new(.service = "memory", .exporters = exporters, .exporter_count = 1, .max_queue = 1 << 20,
                                            .schedule_delay = WH_SEC(600), .max_batch = 1 << 20);
    if (!provider) exit(1);
    parent = wh_start(wh_provider_root(provider), "parent");
    wh_end(wh_start(parent, "first"));
    return resident() - before;
}

/* ---- a thread: before and after its first span ---- */

static pthread_barrier_t begun, used;

static void *use(void *spans)
{
    pthread_barrier_wait(&begun);
    if (spans) wh_end(wh_start(parent, "GET", .kind = WH_CLIENT));
    pthread_barrier_wait(&used);
    pthread_barrier_wait(&begun);
    return NULL;
}

static long of_threads(bool spans)
{
    pthread_t threads[THREADS];
    pthread_barrier_init(&begun, NULL, THREADS + 1);
    pthread_barrier_init(&used, NULL, THREADS + 1);
    for (int i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, use, spans ? &parent : NULL);
    const long before = resident();
    pthread_barrier_wait(&begun);
    pthread_barrier_wait(&used);
    const long after = resident();
    pthread_barrier_wait(&begun);
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    return after - before;
}

/* ---- spans that are open ---- */

static wh_ctx *open[SPANS];

static wh_ctx *with_attributes(int count)
{
    char key[16];
    wh_ctx *span = wh_start(parent, "GET", .kind = WH_CLIENT);
    for (int i = 0; i < count; i++) {
        snprintf(key, sizeof key, "attribute.%d", i);
        wh_set(span, key, "a value of 20 bytes.");
    }
    return span;
}

static long of_open_spans(int attributes)
{
    const long before = resident();
    for (int i = 0; i < SPANS; i++) open[i] = with_attributes(attributes);
    return resident() - before;
}

static long of_waiting_spans(void)
{
    const long before = resident();
    for (int i = 0; i < SPANS; i++) wh_end(with_attributes(5));
    return resident() - before;
}

/* ---- requests in flight that nobody samples: each with three spans that have ended ---- */

static wh_ctx *flight[FLIGHT];

static long of_flight(struct wh_keep keep)
{
    struct wh_exporter *memory = wh_memory_exporter_new(1);
    wh_provider *provider = wh_provider_new(.service = "memory", .sampler = wh_sampler_parent_based(wh_sampler_always_off()),
                                            .exporters = &memory, .exporter_count = 1, .keep = keep);
    if (!provider) exit(1);
    const wh_ctx *root = wh_provider_root(provider);
    const long before = resident();
    for (int i = 0; i < FLIGHT; i++) {
        parent = flight[i] = wh_start(root, "GET /orders/{id}", .kind = WH_SERVER);
        for (int k = 0; k < 3; k++) wh_end(with_attributes(5));
    }
    const long after = resident();
    struct wh_provider_stats stats = {.size = sizeof stats};
    wh_provider_stats(provider, &stats);
    if (keep.enabled)
        fprintf(stderr, "keep: %ld bytes more than before, %llu by its own account, of %llu; %llu of %d requests are recorded\n", after - before,
                (unsigned long long)stats.keep_memory, (unsigned long long)keep.memory, (unsigned long long)(FLIGHT - stats.keep_skipped), FLIGHT);
    return after - before;
}

static long flight_off(void) { return of_flight((struct wh_keep){0}); }
static long flight_on(void) { return of_flight((struct wh_keep){.enabled = true, .memory = 16 << 20}); }
static long flight_all(void) { return of_flight((struct wh_keep){.enabled = true, .memory = UINT64_C(1) << 30}); }

static long threads_without(void) { return of_threads(false); }
static long threads_with(void) { return of_threads(true); }
static long open_0(void) { return of_open_spans(0); }
static long open_5(void) { return of_open_spans(5); }
static long open_128(void) { return of_open_spans(128); }
static long nothing(void) { return 0; }

static const struct {
    const char *what;
    long (*bytes)(void);
    long count;
} rows[] = {
    {"at rest: a provider, its exporter's thread, one span ended", nothing, 1},
    {"a thread that does nothing, by itself", threads_without, THREADS},
    {"a thread that has ended spans, with that", threads_with, THREADS},
    {"an open span without attributes", open_0, SPANS},
    {"an open span, 5 attributes of 20 bytes", open_5, SPANS},
    {"an open span, 128 such attributes", open_128, SPANS},
    {"a span of 5 such attributes that waits for its export", of_waiting_spans, SPANS},
    {"one of 100,000 requests in flight, not sampled, each with 3 such spans that have ended", flight_off, FLIGHT},
    {"the same, keep on, 16 MiB for that", flight_on, FLIGHT},
    {"the same, keep on, memory for all", flight_all, FLIGHT},
};

int main(void)
{
    printf("| what | bytes |\n|---|---|\n");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        fflush(stdout);
        if (fork() == 0) {
            const long rest = at_rest(), bytes = rows[i].bytes();
            printf("| %s | %ld |\n", rows[i].what, rows[i].bytes == nothing ? rest : bytes / rows[i].count);
            fflush(stdout);
            _exit(0);
        }
        wait(NULL);
    }
    return 0;
}
