/* The table for people, the JSON for programs. Ratios are taken between like and like: least to least, median to median. */
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <whence/whence.h>

#include "measure.h"

enum { NAME_WIDTH = 53 };

struct figures {
    double least, median;
    double ratio, ratio_of_medians;   /* NAN: there is nothing to compare with */
    double mallocs;                   /* NAN: not counted */
};

static struct figures figures_of(const struct result *result)
{
    struct figures f = {.least = result_least(result), .median = result_median(result), .ratio = NAN,
        .ratio_of_medians = NAN, .mallocs = result->ops > 0 ? result->mallocs / result->ops : NAN};
    const struct result *floor = result->floor ? result_named(result->floor) : NULL;
    if (!floor) return f;
    const double least = result_least(floor), median = result_median(floor);
    f.ratio = result->speedup ? 2 * least / f.least : f.least / least;
    f.ratio_of_medians = result->speedup ? 2 * median / f.median : f.median / median;
    return f;
}

/* ---- above and below the table ---- */

static void print_line_of(const char *path, const char *label, const char *key)
{
    char line[256];
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file)) {
        if (strncmp(line, key, strlen(key))) continue;
        const char *value = line + strlen(key) + strspn(line + strlen(key), "\t :");
        printf("%s %.*s\n", label, (int)strcspn(value, "\n"), value);
        break;
    }
    if (file) fclose(file);
}

static char remarks[8][160];
static size_t remark_count;

void bench_remark(const char *format, ...)
{
    va_list args;
    if (remark_count == sizeof remarks / sizeof *remarks) return;
    va_start(args, format);
    vsnprintf(remarks[remark_count++], sizeof *remarks, format, args);
    va_end(args);
}

static void print_below(void)
{
    putchar('\n');
    for (size_t i = 0; i < remark_count; i++) puts(remarks[i]);
    print_line_of("/proc/loadavg", "load at the end ", "");
}

static void print_machine(void)
{
    print_line_of("/proc/cpuinfo", "cpu     ", "model name");
    print_line_of("/sys/devices/system/clocksource/clocksource0/current_clocksource", "clock   ", "");
    print_line_of("/proc/loadavg", "load    ", "");
    printf("compiler %s\nwhence   %s\n\n", __VERSION__, WH_VERSION);
}

static void print_method(const struct settings *settings)
{
    printf("Nanoseconds of an operation, the least and the median of %u samples, one in each round over all rows (of %u\n"
           "where one takes long). The ratios are to what was measured in the same rounds: least to least, median to median.\n"
           "How to read it all: bench/README.md\n\n",
           settings->rounds, settings->heavy_rounds);
}

void report_begin(const struct settings *settings)
{
    print_machine();
    print_method(settings);
    fflush(stdout);
}

/* ---- its rows ---- */

/* Two or three digits that count. */
static void print_number(int width, double value)
{
    if (isnan(value))
        printf(" %*s", width, "-");
    else
        printf(" %*.*f", width, value < 10 ? 2 : value < 1000 ? 1 : 0, value);
}

static void print_mallocs(double mallocs)
{
    if (isnan(mallocs))
        printf(" %8s", "-");
    else if (mallocs == 0)
        printf(" %8s", "0");
    else
        printf(" %8.*f", mallocs < 0.01 ? 5 : 2, mallocs);
}

/* What the ratio refers to, and whatever else there is to say; that the machine was busy, if most samples have felt it. */
static void print_remarks(const struct result *result)
{
    const char *separator = "  ";
    if (*result->invalid) {
        printf("  INVALID: %s\n", result->invalid);
        return;
    }
    if (result->floor) {
        printf("%s%s%s", separator, result->floor, result_named(result->floor) ? "" : " (not measured)");
        separator = "; ";
    }
    if (strncmp(result->unit, "ns/", 3) == 0) {
        printf("%sper %s", separator, result->unit + 3);
        separator = ", ";
    }
    if (result->note) {
        printf("%s%s", separator, result->note);
        separator = ", ";
    }
    if (2 * result->disturbed > result->samples)
        printf("%sDISTURBED in %zu of %zu", separator, result->disturbed, result->samples);
    putchar('\n');
}

static void print_row(const struct result *result)
{
    const struct figures f = figures_of(result);
    printf("%-*s", NAME_WIDTH, result->name);
    print_number(9, result->speedup ? NAN : f.least);
    print_number(9, result->speedup ? NAN : f.median);
    print_mallocs(f.mallocs);
    print_number(8, f.ratio);
    print_number(8, f.ratio_of_medians);
    print_remarks(result);
}

static void print_heading(const char *title, bool peers, bool first)
{
    printf("%s%-*s %9s %9s %8s %8s %8s  %s\n", first ? "" : "\n", NAME_WIDTH, title, "least ns", "median",
           peers ? "allocs" : "mallocs", "least x", "median x", peers ? "of Whence's" : "the floor");
}

static const char *title_of(const struct result *result)
{
    return result->peer ? result->peer : result->room;
}

/* Row by row, but those of one room or one peer together. */
void report_table(void)
{
    bool shown[MOST_RESULTS] = {false};
    for (size_t first = 0; first < result_count; first++) {
        if (shown[first]) continue;
        const char *title = title_of(&results[first]);
        print_heading(title, results[first].peer != NULL, first == 0);
        for (size_t i = first; i < result_count; i++) {
            if (strcmp(title_of(&results[i]), title)) continue;
            print_row(&results[i]);
            shown[i] = true;
        }
    }
    print_below();
}

/* ---- JSON ---- */

static void put_string(FILE *out, const char *key, const char *text)
{
    fprintf(out, ", \"%s\": ", key);
    if (!text) {
        fputs("null", out);
        return;
    }
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\') fputc('\\', out);
        fputc((unsigned char)*text < ' ' ? ' ' : *text, out);
    }
    fputc('"', out);
}

static void put_number(FILE *out, const char *key, double value)
{
    if (isnan(value))
        fprintf(out, ", \"%s\": null", key);
    else
        fprintf(out, ", \"%s\": %.6g", key, value);
}

static void put_row(FILE *out, const struct result *result)
{
    const struct figures f = figures_of(result);
    fprintf(out, "  {\"name\": \"%s\"", result->name);
    put_number(out, "ns", result->speedup ? NAN : f.least);
    put_number(out, "ns_median", result->speedup ? NAN : f.median);
    put_number(out, "mallocs", f.mallocs);
    put_number(out, result->peer ? "ratio_to_whence" : "ratio_to_floor", f.ratio);
    put_number(out, result->peer ? "ratio_to_whence_median" : "ratio_to_floor_median", f.ratio_of_medians);
    put_string(out, result->peer ? "whence" : "floor", result->floor);
    put_string(out, "unit", result->unit);
    put_string(out, "note", *result->invalid ? result->invalid : result->note);
    put_string(out, result->peer ? "peer" : "room", title_of(result));
    fprintf(out, ", \"samples\": %zu, \"disturbed\": %zu, \"valid\": %s}", result->samples, result->disturbed,
            *result->invalid ? "false" : "true");
}

int report_json(const char *path)
{
    FILE *out = fopen(path, "w");
    if (!out) return errno;
    fputs("[\n", out);
    for (size_t i = 0; i < result_count; i++) {
        put_row(out, &results[i]);
        fputs(i + 1 < result_count ? ",\n" : "\n", out);
    }
    fputs("]\n", out);
    const bool failed = ferror(out) != 0;
    return fclose(out) || failed ? EIO : 0;
}
