#include "options.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "exporters/sheet.h"
#include "store.h"

/* ---- single values ---- */

static bool wrong(const char *what, const char *value)
{
    fprintf(stderr, "whence: %s%s%s\n", what, value ? ": " : "", value ? value : "");
    return false;
}

static bool read_unsigned(const char *text, unsigned least, unsigned most, unsigned *out)
{
    char *end;
    const unsigned long value = isdigit((unsigned char)*text) ? strtoul(text, &end, 10) : 0;
    if (!isdigit((unsigned char)*text) || *end || value < least || value > most) return false;
    *out = (unsigned)value;
    return true;
}

/* 90s, 15m, 1h, 2d; seconds, if there is no unit. */
static bool read_time(const char *text, uint64_t *out)
{
    static const struct { const char *unit; uint64_t seconds; } units[] = {{"", 1}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}};
    char *end;
    const unsigned long value = isdigit((unsigned char)*text) ? strtoul(text, &end, 10) : 0;
    if (value == 0 || value > 100000000) return false;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (strcmp(end, units[i].unit) != 0) continue;
        *out = value * units[i].seconds * 1000000000;
        return true;
    }
    return false;
}

static bool is_id(const char *text)
{
    const size_t len = strlen(text);
    return len >= 4 && len <= 32 && strspn(text, "0123456789abcdef") == len;
}

static void add(const char ***list, size_t *count, const char *text)
{
    *list = must_resize(*list, *count + 1, sizeof **list);
    (*list)[(*count)++] = text;
}

/* ---- the options ---- */

static bool read_switch(struct options *options, const char *name)
{
    if (strcmp(name, "--json") == 0) options->json = true;
    else if (strcmp(name, "--ascii") == 0) options->ascii = true;
    else if (strcmp(name, "--utf8") == 0) options->ascii = false;
    else if (strcmp(name, "--color") == 0 || strcmp(name, "--colour") == 0) options->colour = true;
    else if (strcmp(name, "--no-color") == 0 || strcmp(name, "--no-colour") == 0) options->no_colour = true;
    else return false;
    return true;
}

/* 1: read; 0: there is no such option; -1: its value is wrong. */
static int read_option(struct options *options, const char *name, const char *value)
{
    bool good = value && *value;
    if (strcmp(name, "--jaeger") == 0) options->jaeger = value;
    else if (strcmp(name, "--service") == 0) options->service = value;
    else if (strcmp(name, "--by") == 0) options->by = value;
    else if (strcmp(name, "--title") == 0) options->title = value;
    else if (strcmp(name, "--output") == 0 || strcmp(name, "-o") == 0) options->output = value;
    else if (strcmp(name, "--file") == 0 && good) add(&options->files, &options->file_count, value);
    else if (strcmp(name, "--trace") == 0 && good) add(&options->traces, &options->trace_count, value);
    else if (strcmp(name, "--since") == 0) good = good && read_time(value, &options->since);
    else if (strcmp(name, "--limit") == 0) good = good && read_unsigned(value, 1, 1000000, &options->limit);
    else if (strcmp(name, "--width") == 0) good = good && read_unsigned(value, 40, 1000, &options->width);
    else return good || !value ? 0 : -1;
    return good ? 1 : -1;
}

/* A file that is there is a file, also if its name could be an id. */
static bool read_argument(struct options *options, const char *text)
{
    if (strcmp(text, "-") == 0 || access(text, F_OK) == 0) add(&options->files, &options->file_count, text);
    else if (is_id(text)) add(&options->traces, &options->trace_count, text);
    else return wrong("neither a file nor the beginning of a trace id", text);
    return true;
}

static bool read_one(struct options *options, int argc, char **argv, int *i)
{
    static char name[32];
    const char *text = argv[*i], *equals = strchr(text, '=');
    if (text[0] != '-' || text[1] == '\0') return read_argument(options, text);
    if (read_switch(options, text)) return true;
    const bool joined = text[1] == '-' && equals && (size_t)(equals - text) < sizeof name;
    snprintf(name, sizeof name, "%.*s", joined ? (int)(equals - text) : (int)sizeof name - 1, text);
    const char *value = joined ? equals + 1 : *i + 1 < argc ? argv[*i + 1] : NULL;
    const int rc = read_option(options, name, value);
    if (rc == 0) return wrong("unknown option", text);
    if (rc < 0) return wrong(value ? "this option cannot have that value" : "this option wants a value", text);
    *i += !joined;
    return true;
}

bool options_read(struct options *options, int argc, char **argv)
{
    struct wh__sheet sheet;
    wh__sheet_begin(&sheet, -1);
    *options = (struct options){.since = 3600ull * 1000000000, .limit = 100, .ascii = !sheet.utf8};
    bool only_arguments = false;
    for (int i = 0; i < argc; i++) {
        if (!only_arguments && strcmp(argv[i], "--") == 0) only_arguments = true;
        else if (only_arguments ? !read_argument(options, argv[i]) : !read_one(options, argc, argv, &i)) return false;
    }
    return true;
}

void options_free(struct options *options)
{
    free(options->files);
    free(options->traces);
}

/* ---- what they name ---- */

struct model *options_load(const struct options *options)
{
    struct model *model = model_new();
    long read = 0;
    for (size_t i = 0; i < options->file_count && read >= 0; i++) read = model_read_file(model, options->files[i]);
    if (read >= 0 && options->jaeger) read = jaeger_ask(model, options);
    if (read >= 0 && !options->file_count && !options->jaeger) {
        if (isatty(STDIN_FILENO)) wrong("no file to read, and no --jaeger to ask: whence help", NULL);
        read = isatty(STDIN_FILENO) ? -1 : model_read_file(model, "-");
    }
    if (read < 0) {
        model_free(model);
        return NULL;
    }
    model_link(model);
    return model;
}

struct trace **options_traces(const struct options *options, const struct model *model, size_t *count)
{
    const size_t all = model_count(model);
    struct trace **traces = must_get((options->trace_count ? options->trace_count : all) * sizeof *traces);
    *count = 0;
    for (size_t i = 0; i < options->trace_count; i++) {
        const size_t found = model_find(model, options->traces[i], &traces[i]);
        if (found == 1 && ++*count) continue;
        wrong(found ? "more than one trace id begins so" : "there is no such trace", options->traces[i]);
        free(traces);
        return NULL;
    }
    for (size_t i = 0; i < all && !options->trace_count; i++) traces[(*count)++] = model_trace(model, i);
    if (*count) return traces;
    wrong("there are no spans", NULL);
    free(traces);
    return NULL;
}
