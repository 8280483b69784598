/* Files of JSON: one document a line, or one over many lines. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "json.h"
#include "store.h"

enum { MOST_TOLD = 8 }; /* lines of a file that cannot be read, before it is enough */

/* ---- documents ---- */

static long read_value(struct model *model, const cJSON *value, unsigned depth);

static long read_values(struct model *model, const cJSON *array, unsigned depth)
{
    long count = 0;
    bool known = !array->child;
    const cJSON *item;
    cJSON_ArrayForEach(item, array) {
        const long read = read_value(model, item, depth + 1);
        known |= read >= 0;
        count += read > 0 ? read : 0;
    }
    return known ? count : -1;
}

/* -1: it is nothing that we know. */
static long read_value(struct model *model, const cJSON *value, unsigned depth)
{
    const cJSON *inner;
    if (depth > 3) return -1;
    if (cJSON_IsArray(value)) return read_values(model, value, depth);
    if (json_get(value, "resourceSpans")) return otlp_read(model, value);
    if (json_get(value, "traceID") && json_get(value, "spans")) return jaeger_read(model, value);
    if ((inner = json_get(value, "result")) && inner->child) return read_value(model, inner, depth + 1);
    if ((inner = json_get(value, "data"))) return cJSON_IsArray(inner) ? read_values(model, inner, depth) : 0;
    if (cJSON_IsObject(value) && !value->child) return 0; /* TracesData with nothing in it */
    return -1;
}

static size_t skip_blanks(const char *json, size_t len)
{
    size_t i = 0;
    while (i < len && isspace((unsigned char)json[i])) i++;
    return i;
}

/* Several documents may stand one after the other: that is how a stream of answers comes. *at is where it goes wrong. */
static long read_all(struct model *model, const char *json, size_t len, const char **at, const char **why)
{
    long count = 0;
    *at = json;
    for (size_t i = skip_blanks(json, len); i < len; i += skip_blanks(json + i, len - i)) {
        const char *end = NULL;
        cJSON *value = cJSON_ParseWithLengthOpts(json + i, len - i, &end, false);
        const long read = value ? read_value(model, value, 0) : -1;
        *why = value ? "is neither OTLP nor Jaeger's JSON" : "is no JSON";
        *at = value || !end || end > json + len ? json + i : end;
        cJSON_Delete(value);
        if (read < 0) return -1;
        count += read;
        i = (size_t)(end - json);
    }
    return count;
}

long model_read_json(struct model *model, const char *json, size_t len, char *why, size_t why_size)
{
    const char *at, *what = "";
    const long count = read_all(model, json, len, &at, &what);
    if (count < 0) snprintf(why, why_size, "%s at byte %zu", what, (size_t)(at - json));
    return count;
}

/* ---- files ---- */

struct input {
    FILE *file;
    const char *name;
    char *line;         /* the one that was read last */
    size_t size, len;
    unsigned long number;
    unsigned long broken, good; /* lines */
    char *rest;                 /* of the file, where it was read at once */
};

static bool next_line(struct input *input)
{
    const ssize_t len = getline(&input->line, &input->size, input->file);
    if (len < 0) return false;
    input->len = (size_t)len;
    input->number++;
    return true;
}

static void complain(struct input *input, unsigned long line, size_t column, const char *why)
{
    if (input->broken++ < MOST_TOLD)
        fprintf(stderr, "whence: %s:%lu: what begins in column %zu %s; passed over\n", input->name, line, column, why);
}

/* A file of one document begins with a line that is none. The rest of it, behind the line that has been read. */
static char *read_rest(struct input *input, size_t *len)
{
    size_t size = input->len + (1 << 16);
    char *all = must_resize(NULL, size, 1);
    memcpy(all, input->line, *len = input->len);
    for (size_t got; (got = fread(all + *len, 1, size - *len, input->file)) > 0;) {
        *len += got;
        if (*len == size) all = must_resize(all, size *= 2, 1);
    }
    return all;
}

static void place_of(const char *text, const char *at, unsigned long *line, size_t *column)
{
    *column = 1;
    for (; text < at; text++) {
        *line += *text == '\n';
        *column = *text == '\n' ? 1 : *column + 1;
    }
}

/* True if the file was one document, broken or not. Otherwise its first line is broken, and the others are still to be read. */
static bool read_whole(struct model *model, struct input *input, long *count)
{
    size_t len, column;
    unsigned long line = input->number;
    const char *at, *why = "";
    const size_t first = input->len;
    char *all = input->rest = read_rest(input, &len);
    const long read = read_all(model, all, len, &at, &why);
    if (read >= 0) {
        input->good++;
        *count += read;
        return true;
    }
    place_of(all, at, &line, &column);
    complain(input, line, column, why);
    if (line > input->number || len == first) return true;
    FILE *others = fmemopen(all + first, len - first, "r");
    if (!others) return true;
    if (input->file != stdin) fclose(input->file);
    input->file = others;
    return false;
}

static long read_lines(struct model *model, struct input *input)
{
    long count = 0;
    while (next_line(input)) {
        const char *at, *why = "";
        if (skip_blanks(input->line, input->len) == input->len) continue;
        const long read = read_all(model, input->line, input->len, &at, &why);
        if (read >= 0) {
            input->good++;
            count += read;
        } else if (input->good || input->broken) {
            complain(input, input->number, (size_t)(at - input->line) + 1, why);
        } else if (read_whole(model, input, &count)) {
            break;
        }
    }
    return count;
}

long model_read_file(struct model *model, const char *path)
{
    const bool is_stdin = strcmp(path, "-") == 0;
    struct input input = {.file = is_stdin ? stdin : fopen(path, "re"), .name = is_stdin ? "standard input" : path};
    if (!input.file) {
        fprintf(stderr, "whence: %s: %s\n", path, strerror(errno));
        return -1;
    }
    errno = 0;
    long count = read_lines(model, &input);
    if (ferror(input.file)) {
        fprintf(stderr, "whence: %s: %s\n", input.name, strerror(errno ? errno : EIO));
        count = -1;
    }
    if (input.broken > MOST_TOLD) fprintf(stderr, "whence: %s: %lu lines in all could not be read\n", input.name, input.broken);
    if (input.broken && !input.good) count = -1;
    if (input.file != stdin) fclose(input.file);
    free(input.line);
    free(input.rest);
    return count;
}
