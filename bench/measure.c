/* Rounds over all subjects; every round gives each of them one sample of calibrated length. */
#include "measure.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct result results[MOST_RESULTS];
size_t result_count;

const struct room *const rooms[] = {&floor_room, &context_room, &fanout_room, &handover_room, &growth_room, &wait_room, &timer_room,
                                   &trace_room, &cancelled_room, &operation_room, &sampling_room, &keep_room, &propagate_room, &cause_room, &encode_room, &wire_room};
const size_t room_count = sizeof rooms / sizeof *rooms;
enum { MOST_SUBJECTS = 192, TRIES = 4 };

struct work {
    const struct subject *subject;
    struct result *results[MOST_ROWS];
    size_t n;                        /* operations in a sample */
};

static struct settings settings;
static bool mallocs_count;           /* whether they can be counted here */
static struct work works[MOST_SUBJECTS], *present;
static size_t work_count;

void bench_die(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("whence-bench: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(1);
}

void bench_invalid(const char *format, ...)
{
    for (size_t i = 0; present && i < MOST_ROWS && present->results[i]; i++) {
        va_list args;
        va_start(args, format);
        vsnprintf(present->results[i]->invalid, sizeof present->results[i]->invalid, format, args);
        va_end(args);
    }
}

/* ---- results ---- */

struct result *result_new(void)
{
    if (result_count == MOST_RESULTS) bench_die("more than %d rows", MOST_RESULTS);
    return &results[result_count++];
}

struct result *result_named(const char *name)
{
    for (size_t i = 0; i < result_count; i++)
        if (!results[i].peer && strcmp(results[i].name, name) == 0) return &results[i];
    return NULL;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double at_rank(const struct result *result, size_t part)
{
    double sorted[MOST_SAMPLES];
    if (result->samples == 0 || *result->invalid) return __builtin_nan("");
    memcpy(sorted, result->ns, result->samples * sizeof *sorted);
    qsort(sorted, result->samples, sizeof *sorted, compare);
    return sorted[part ? (result->samples - 1) / part : 0];
}

double result_least(const struct result *result) { return at_rank(result, 0); }
double result_median(const struct result *result) { return at_rank(result, 2); }

/* ---- one sample ---- */

static void run_once(const struct subject *subject, size_t n, struct lap *laps)
{
    memset(laps, 0, MOST_ROWS * sizeof *laps);
    if (subject->op) {
        const struct lap begin = lap_begin();
        subject->op(n);
        lap_add(&laps[0], begin);
    } else {
        subject->sample(n, laps);
    }
    if (subject->rest) subject->rest();
}

/* Once more, a few times, if the kernel has taken the CPU away meanwhile. False if it did every time. */
static bool run_undisturbed(const struct work *work, struct lap *laps)
{
    const int tries = work->subject->heavy ? 1 : TRIES;
    for (int i = 0; i < tries; i++) {
        const uint64_t before = preemptions();
        run_once(work->subject, work->n, laps);
        if (preemptions() == before) return true;
    }
    return false;
}

static void sample(struct work *work)
{
    struct lap laps[MOST_ROWS];
    present = work;
    const bool undisturbed = run_undisturbed(work, laps);
    for (size_t i = 0; i < MOST_ROWS && work->results[i]; i++) {
        struct result *result = work->results[i];
        if (result->samples < MOST_SAMPLES) result->ns[result->samples++] = (double)laps[i].ns / (double)work->n;
        if (!undisturbed) result->disturbed++;
        result->mallocs += (double)laps[i].mallocs;
        if (mallocs_count) result->ops += (double)work->n;
    }
    present = NULL;
}

/* ---- rounds ---- */

/* The least of a few: one that lost its CPU for a while would seem to need no more than a few operations. */
static int64_t time_for(const struct subject *subject, size_t n)
{
    int64_t least = INT64_MAX;
    for (int try = 0; try < TRIES; try++) {
        struct lap laps[MOST_ROWS];
        int64_t ns = 0;
        run_once(subject, n, laps);
        for (size_t i = 0; i < MOST_ROWS; i++) ns += laps[i].ns;
        if (ns < least) least = ns;
    }
    return least;
}

static size_t calibrated(const struct subject *subject)
{
    const size_t most = subject->most ? subject->most : (size_t)1 << 24;
    size_t n = 16;
    for (;;) {
        const int64_t ns = time_for(subject, n);
        if (ns >= settings.sample_ns / 4) {
            n = (size_t)((double)n * (double)settings.sample_ns / (double)ns) + 1;
            return n < most ? n : most;
        }
        if (n >= most) return most;
        n = 2 * n < most ? 2 * n : most;
    }
}

static bool is_wanted(const struct room *room, const struct subject *subject)
{
    if (!settings.only || room == &floor_room || strstr(room->name, settings.only)) return true;
    for (size_t i = 0; i < MOST_ROWS && subject->rows[i].name; i++)
        if (strstr(subject->rows[i].name, settings.only)) return true;
    return false;
}

static void add_work(const struct room *room, const struct subject *subject)
{
    if (work_count == MOST_SUBJECTS) bench_die("more than %d subjects", MOST_SUBJECTS);
    struct work *work = present = &works[work_count++];
    work->subject = subject;
    for (size_t i = 0; i < MOST_ROWS && subject->rows[i].name; i++) {
        const struct row *row = &subject->rows[i];
        work->results[i] = result_new();
        *work->results[i] = (struct result){.name = row->name, .floor = row->floor, .unit = row->unit ? row->unit : "ns",
            .note = row->note, .room = room->name};
    }
    work->n = subject->fixed ? subject->fixed : calibrated(subject);
    present = NULL;
}

void measure_begin(const struct settings *given)
{
    settings = *given;
    mallocs_count = mallocs_can_be_counted();
    for (size_t i = 0; i < room_count; i++) {
        leave_cpu_free(); /* for the threads that the library starts now */
        if (rooms[i]->begin) rooms[i]->begin();
        take_cpu();
        for (const struct subject *subject = rooms[i]->subjects; subject->rows[0].name; subject++)
            if (is_wanted(rooms[i], subject)) add_work(rooms[i], subject);
    }
}

void measure_round(unsigned round)
{
    const unsigned every = settings.rounds / settings.heavy_rounds;
    for (size_t i = 0; i < work_count; i++)
        if (!works[i].subject->heavy || (round % every == 0 && round / every < settings.heavy_rounds)) sample(&works[i]);
}

/* What two threads get done at once, over what one does. */
static void add_speedup(const char *name, const char *two, const char *one)
{
    const struct result *both_rows[] = {result_named(two), result_named(one)};
    if (!both_rows[0] || !both_rows[1]) return;
    struct result *result = result_new();
    *result = *both_rows[0];
    result->name = name;
    result->floor = one;
    result->unit = "x";
    result->note = "how much more two threads get done than one";
    result->ops = 0;
    result->speedup = true;
    if (both_rows[1]->disturbed > result->disturbed) result->disturbed = both_rows[1]->disturbed;
    if (*both_rows[1]->invalid) memcpy(result->invalid, both_rows[1]->invalid, sizeof result->invalid);
}

void measure_end(void)
{
    add_speedup("1 -> 2 threads by hand, throughput", "span by hand, 5 attributes of any length, two threads",
                "span by hand, 5 attributes of any length");
    add_speedup("1 -> 2 producers, throughput", "sampled, 5 attributes, two producers",
                "sampled, 5 attributes, one producer");
    add_speedup("1 -> 2 threads apart, throughput", "derive+cancel+end, two threads apart", "derive+cancel+end");
    add_speedup("1 -> 2 threads on one parent, throughput", "derive+cancel+end, two threads on one parent",
                "derive+cancel+end");
    for (size_t i = 0; i < room_count; i++)
        if (rooms[i]->end) rooms[i]->end();
}
