/* What came of it: from the records, after the fact. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "experiment.h"

static int compare(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Workers at work at that instant; for_nobody: of these, those whose client had gone. */
static int live_at(const struct plan *plan, const struct shared *shared, int64_t at, bool for_nobody)
{
    int live = 0;
    for (int i = 0; i < plan->requests; i++) {
        const struct record *record = &shared->records[i];
        const bool working = record->began && record->began <= at && (!record->ended || record->ended > at);
        live += working && (!for_nobody || (record->gone && record->gone < at));
    }
    return live;
}

static void judge_requests(const struct plan *plan, struct outcome *out)
{
    int64_t all = 0, patient = 0, last = 0, wasted_time = 0, steps = 0, wasted = 0;
    for (int i = 0; i < plan->requests; i++) {
        const struct record *record = &out->shared->records[i];
        const int64_t took = record->gone - record->asked;
        all += took;
        if (i == 0 || record->asked < out->began) out->began = record->asked;
        if (is_patient(plan, i)) {
            patient += took;
            out->patient++;
        } else if (record->gone > last) {
            last = record->gone;
        }
        out->answered += record->answered;
        if (record->ended > record->gone && record->began) wasted_time += record->ended - record->gone;
        steps += record->steps, wasted += record->wasted;
    }
    out->mean = (double)all / plan->requests / 1e9;
    out->mean_patient = out->patient ? (double)patient / out->patient / 1e9 : 0;
    out->wasted_seconds = (double)wasted_time / 1e9;
    out->wasted_share = steps ? (double)wasted / (double)steps : 0;
    out->live_after = live_at(plan, out->shared, last + plan->grace, true);
    out->cpu_seconds = (double)out->shared->usage.cpu / 1e9;
    for (size_t i = 0; i < out->shared->sample_count; i++) {
        const int live = live_at(plan, out->shared, out->shared->samples[i].at, false);
        if (live > out->most_live) out->most_live = live;
    }
}

static int64_t *sorted_times(const struct plan *plan, const struct shared *shared)
{
    int64_t *times = malloc(sizeof *times * (size_t)plan->asks);
    must(times != NULL, "malloc");
    for (int i = 0; i < plan->asks; i++) times[i] = shared->took[i];
    qsort(times, (size_t)plan->asks, sizeof *times, compare);
    return times;
}

static double percentile(const int64_t *times, int count, double percent)
{
    const int i = (int)(percent / 100 * count);
    return (double)times[i < count ? i : count - 1] / 1e6;
}

void judge(const struct plan *plan, struct outcome *out)
{
    judge_requests(plan, out);
    int64_t *times = sorted_times(plan, out->shared);
    out->p50 = percentile(times, plan->asks, 50);
    out->p99 = percentile(times, plan->asks, 99);
    out->longest = percentile(times, plan->asks, 100);
    out->complete = (double)out->shared->complete / plan->asks;
    free(times);
}

/* ---- rows, for people and for machines ---- */

static struct row {
    const char *what, *unit;
    double without, with;
    int digits;
} rows[16];
static int row_count;

static void row(const char *what, const char *unit, double without, double with, int digits)
{
    rows[row_count++] = (struct row){what, unit, without, with, digits};
}

static void make_rows(const struct outcome *a, const struct outcome *b)
{
    row_count = 0;
    row("average response time, all clients", "s", a->mean, b->mean, 2);
    row("average response time, the patient ones", "s", a->mean_patient, b->mean_patient, 2);
    row("clients that got their answer", "", a->answered, b->answered, 0);
    row("most workers at a time", "", a->most_live, b->most_live, 0);
    row("live workers afterwards", "", a->live_after, b->live_after, 0);
    row("peak memory of the server", "MB", (double)a->shared->usage.peak_kib / 1024, (double)b->shared->usage.peak_kib / 1024, 1);
    row("CPU time of the server", "s", a->cpu_seconds, b->cpu_seconds, 1);
    row("steps done for nobody", "%", 100 * a->wasted_share, 100 * b->wasted_share, 2);
    row("time worked for nobody", "s", a->wasted_seconds, b->wasted_seconds, 1);
    row("fan-out: p50", "ms", a->p50, b->p50, 0);
    row("fan-out: p99", "ms", a->p99, b->p99, 0);
    row("fan-out: longest", "ms", a->longest, b->longest, 0);
    row("fan-out: complete answers", "%", 100 * a->complete, 100 * b->complete, 1);
}

void print_table(const struct plan *plan, const struct outcome *without, const struct outcome *with)
{
    make_rows(without, with);
    printf("%d requests, %d a second, each starts %g s of work in %d steps; ", plan->requests, plan->rate,
           (double)plan->unit / 1e9, plan->steps);
    printf("%d clients wait for it, the others give up after %g to %g s\n", without->patient,
           (double)plan->least_patience / 1e9, (double)plan->most_patience / 1e9);
    printf("the backend works on %d questions at a time\n", plan->slots);
    printf("%d fan-outs to %d backends, where one answer in %d takes %g to %g s; the deadline is %g ms\n\n", plan->asks, PARTS,
           plan->tail_every, (double)plan->least_tail / 1e9, (double)plan->most_tail / 1e9, (double)plan->deadline / 1e6);
    printf("%-42s %12s %12s\n", "", "without", "with");
    for (int i = 0; i < row_count; i++) {
        const struct row *r = &rows[i];
        printf("%-42s %12.*f %12.*f %s\n", r->what, r->digits, r->without, r->digits, r->with, r->unit);
    }
}

static FILE *open_csv(const char *folder, const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "we");
    must(file != NULL, path);
    return file;
}

static void write_samples(FILE *file, const struct plan *plan, const struct outcome *out, const char *name)
{
    for (size_t i = 0; i < out->shared->sample_count; i++) {
        const struct sample *sample = &out->shared->samples[i];
        fprintf(file, "%s,%.2f,%d,%.1f\n", name, (double)(sample->at - out->began) / 1e9,
                live_at(plan, out->shared, sample->at, false), (double)sample->rss_kib / 1024);
    }
}

void write_csv(const char *folder, const struct plan *plan, const struct outcome *without, const struct outcome *with)
{
    make_rows(without, with);
    FILE *file = open_csv(folder, "experiment.csv");
    fprintf(file, "what,unit,without,with\n");
    for (const struct row *r = rows; r < rows + row_count; r++)
        fprintf(file, "\"%s\",%s,%.*f,%.*f\n", r->what, r->unit, r->digits, r->without, r->digits, r->with);
    must(fclose(file) == 0, "experiment.csv");

    file = open_csv(folder, "over-time.csv");
    fprintf(file, "mode,seconds,live_workers,rss_mb\n");
    write_samples(file, plan, without, "without");
    write_samples(file, plan, with, "with");
    must(fclose(file) == 0, "over-time.csv");

    file = open_csv(folder, "fan-out.csv");
    fprintf(file, "percentile,without_ms,with_ms\n");
    int64_t *a = sorted_times(plan, without->shared), *b = sorted_times(plan, with->shared);
    for (int half = 0; half <= 200; half++) {
        const double percent = half / 2.0;
        fprintf(file, "%.1f,%.1f,%.1f\n", percent, percentile(a, plan->asks, percent), percentile(b, plan->asks, percent));
    }
    free(a), free(b);
    must(fclose(file) == 0, "fan-out.csv");
}
