/* whence top: what stopped many traces, by what they have in common. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cjson/cJSON.h>

#include "commands.h"
#include "ids.h"
#include "say.h"
#include "store.h"
#include "tree.h"

enum { MOST_ROWS = 50 };

/* ---- what is in common ---- */

enum { REASON, SITE, OPERATION, SERVICE, ROOT, KEYS };
static const char *const key_names[KEYS] = {"reason", "site", "operation", "service", "root"};

struct row {
    const char *keys[KEYS]; /* those that are not grouped by: of the first */
    uint64_t times;         /* incidents, and those that were only counted */
    uint64_t hit;           /* spans: stopped, or failed */
    int64_t wasted;         /* in all */
    int64_t *each;          /* of each incident */
    size_t count, capacity;
    const struct trace *example; /* the one that wasted most */
    int64_t most;
};

struct table {
    struct row *rows;
    size_t count;
    uint32_t *slots;        /* rows, plus one; open addressing */
    size_t slot_count;      /* a power of two */
    bool by[KEYS];
};

static uint64_t hash_of(const struct table *table, const char *const *keys)
{
    uint64_t hash = 0;
    for (int i = 0; i < KEYS; i++)
        for (const char *p = table->by[i] ? keys[i] : ""; *p; p++) hash = (hash ^ (unsigned char)*p) * 0x100000001b3 + (uint64_t)i;
    return hash ^ hash >> 29;
}

static bool same(const struct table *table, const struct row *row, const char *const *keys)
{
    for (int i = 0; i < KEYS; i++)
        if (table->by[i] && strcmp(row->keys[i], keys[i]) != 0) return false;
    return true;
}

static uint32_t *slot_of(const struct table *table, const char *const *keys)
{
    size_t i = hash_of(table, keys) & (table->slot_count - 1);
    while (table->slots[i] && !same(table, &table->rows[table->slots[i] - 1], keys)) i = (i + 1) & (table->slot_count - 1);
    return &table->slots[i];
}

static void make_slots(struct table *table)
{
    if (table->count * 2 < table->slot_count) return;
    table->slot_count = table->slot_count ? table->slot_count * 2 : 64;
    free(table->slots);
    table->slots = must_get(table->slot_count * sizeof *table->slots);
    table->rows = must_resize(table->rows, table->slot_count, sizeof *table->rows);
    for (size_t i = 0; i < table->count; i++) *slot_of(table, table->rows[i].keys) = (uint32_t)i + 1;
}

static struct row *row_for(struct table *table, const char *const *keys)
{
    make_slots(table);
    uint32_t *slot = slot_of(table, keys);
    if (*slot) return &table->rows[*slot - 1];
    struct row *row = &table->rows[table->count];
    *row = (struct row){.most = -1};
    memcpy(row->keys, keys, sizeof row->keys);
    *slot = (uint32_t)++table->count;
    return row;
}

/* ---- gathering ---- */

static const char *or_dash(const char *text)
{
    return text && *text ? text : "-";
}

/* How many were like a trace, and only counted: the local root of every process says so for itself. */
static uint64_t alike(const struct trace *trace)
{
    int64_t most = 0;
    for (size_t i = 0; i < trace->count; i++) {
        const struct facts *facts = trace->spans[i]->facts;
        if (facts && facts->kept_alike > most) most = facts->kept_alike;
    }
    return (uint64_t)most;
}

static void add(struct table *table, const struct trace *trace, const struct incident *incident, uint64_t others)
{
    const struct span *cause = incident->cause;
    const struct culprit *missing = incident->missing;
    const char *const keys[KEYS] = {or_dash(reason_of(incident)), or_dash(site_of(incident)),
        or_dash(cause ? cause->name : missing->span_name), or_dash(cause ? cause->resource->service : missing->service),
        or_dash(trace->top->name)};
    struct row *row = row_for(table, keys);
    if (row->count == row->capacity) {
        row->capacity = row->capacity ? row->capacity * 2 : 4;
        row->each = must_resize(row->each, row->capacity, sizeof *row->each);
    }
    row->each[row->count++] = incident->wasted;
    row->times += 1 + others;
    row->hit += incident->hit_count + (cause && is_troubled(cause));
    row->wasted = row->wasted > INT64_MAX - 1 - incident->wasted ? INT64_MAX - 1 : row->wasted + incident->wasted;
    if (incident->wasted > row->most) row->most = incident->wasted, row->example = trace;
}

static void add_trace(struct table *table, const struct options *options, const struct trace *trace)
{
    struct incidents incidents = incidents_of(trace);
    const uint64_t others = alike(trace);
    for (size_t i = 0; i < incidents.count; i++) {
        const struct span *subject = incidents.list[i].subject;
        if (options->service && strcmp(options->service, subject->resource->service) != 0) continue;
        add(table, trace, &incidents.list[i], i == 0 ? others : 0);
    }
    incidents_free(&incidents);
}

static int by_waste(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    if (x->wasted != y->wasted) return x->wasted > y->wasted ? -1 : 1;
    if (x->times != y->times) return x->times > y->times ? -1 : 1;
    for (int i = 0; i < KEYS; i++)
        if (strcmp(x->keys[i], y->keys[i]) != 0) return strcmp(x->keys[i], y->keys[i]);
    return 0;
}

static int by_size(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

/* The smallest that half of them do not exceed. */
static int64_t median(struct row *row)
{
    qsort(row->each, row->count, sizeof *row->each, by_size);
    return row->each[(row->count - 1) / 2];
}

/* ---- as a table ---- */

enum { NUMBERS = 5, MOST_COLUMNS = NUMBERS + KEYS + 1, CELL_ROOM = 48 };

static void put_cells(struct text *cells, size_t *count, struct row *row, const struct table *table)
{
    char hex[TRACE_HEX];
    size_t n = 0;
    text_put(&cells[n++], "%llu", (unsigned long long)row->times);
    text_put(&cells[n++], "%llu", (unsigned long long)row->hit);
    text_duration(&cells[n++], row->wasted);
    text_duration(&cells[n++], median(row));
    text_duration(&cells[n++], row->most);
    for (int i = 0; i < KEYS; i++)
        if (table->by[i]) text_stranger(&cells[n++], row->keys[i], CELL_ROOM);
    text_put(&cells[n++], "%s", id_hex(hex, row->example->id, 16));
    *count = n;
}

static void put_heads(struct text *cells, const struct table *table)
{
    static const char *const heads[] = {"TIMES", "SPANS", "WASTED", "P50", "MAX"}, *const keys[KEYS] = {"REASON", "SITE", "OPERATION",
        "SERVICE", "ROOT"};
    size_t n = 0;
    for (; n < sizeof heads / sizeof *heads; n++) text_put(&cells[n], "%s", heads[n]);
    for (int i = 0; i < KEYS; i++)
        if (table->by[i]) text_put(&cells[n++], "%s", keys[i]);
    text_put(&cells[n], "EXAMPLE");
}

static unsigned width_of(const struct wh__sheet *sheet, const struct text *cell)
{
    return cell->buf ? wh__sheet_width(sheet, (struct wh_str){cell->buf, cell->len}) : 0;
}

/* Numbers to the right. */
static void print_line(struct wh__sheet *sheet, const struct text *cells, size_t columns, const unsigned *widths, enum wh__ink ink)
{
    unsigned at = 0;
    for (size_t i = 0; i < columns; i++) {
        const unsigned width = width_of(sheet, &cells[i]);
        wh__sheet_ink(sheet, i == columns - 1 && ink == WH__PLAIN ? WH__DIM : ink);
        wh__sheet_pad(sheet, at + (i < NUMBERS ? widths[i] - width : 0));
        if (cells[i].buf) wh__sheet_text(sheet, (struct wh_str){cells[i].buf, cells[i].len}, width);
        at += widths[i] + 2;
    }
    wh__sheet_line(sheet);
    fwrite(sheet->buf, 1, sheet->len, stdout);
    sheet->len = 0;
}

static void print_table(const struct options *options, struct table *table)
{
    struct wh__sheet sheet;
    unsigned widths[MOST_COLUMNS] = {0};
    const size_t rows = table->count < MOST_ROWS ? table->count : MOST_ROWS;
    struct text (*cells)[MOST_COLUMNS] = must_get((rows + 1) * sizeof *cells);
    size_t columns = 0;
    wh__sheet_begin(&sheet, STDOUT_FILENO);
    sheet.utf8 = !options->ascii;
    sheet.colour = options->colour || (sheet.colour && !options->no_colour);
    for (size_t r = 0; r <= rows; r++)
        for (size_t i = 0; i < MOST_COLUMNS; i++) cells[r][i].ascii = options->ascii;
    put_heads(cells[0], table);
    for (size_t r = 0; r < rows; r++) put_cells(cells[r + 1], &columns, &table->rows[r], table);
    for (size_t r = 0; r <= rows; r++)
        for (size_t i = 0; i < columns; i++)
            if (width_of(&sheet, &cells[r][i]) > widths[i]) widths[i] = width_of(&sheet, &cells[r][i]);
    for (size_t r = 0; r <= rows; r++) {
        print_line(&sheet, cells[r], columns, widths, r ? WH__PLAIN : WH__BOLD);
        for (size_t i = 0; i < columns; i++) text_free(&cells[r][i]);
    }
    if (rows < table->count) printf("and %zu more\n", table->count - rows);
    wh__sheet_free(&sheet);
    free(cells);
}

/* ---- as JSON ---- */

static void add_ms(cJSON *object, const char *key, int64_t ns)
{
    char number[40];
    snprintf(number, sizeof number, "%lld.%06lld", (long long)(ns / 1000000), (long long)(ns % 1000000));
    cJSON_AddRawToObject(object, key, number);
}

/* A line of JSON a row. */
static void print_json(struct table *table)
{
    char hex[TRACE_HEX];
    for (size_t r = 0; r < table->count; r++) {
        struct row *row = &table->rows[r];
        cJSON *object = cJSON_CreateObject();
        for (int i = 0; i < KEYS; i++) {
            struct text text = {0};
            if (!table->by[i]) continue;
            text_stranger(&text, row->keys[i], 1000);
            cJSON_AddStringToObject(object, key_names[i], text.buf);
            text_free(&text);
        }
        cJSON_AddNumberToObject(object, "times", (double)row->times);
        cJSON_AddNumberToObject(object, "kept", (double)row->count);
        cJSON_AddNumberToObject(object, "spans", (double)row->hit);
        add_ms(object, "wasted_ms", row->wasted);
        add_ms(object, "wasted_p50_ms", median(row));
        add_ms(object, "wasted_max_ms", row->most);
        cJSON_AddStringToObject(object, "example", id_hex(hex, row->example->id, 16));
        char *json = cJSON_PrintUnformatted(object);
        if (json) puts(json);
        cJSON_free(json);
        cJSON_Delete(object);
    }
}

/* ---- all of it ---- */

static bool read_by(struct table *table, const char *by)
{
    for (int i = 0; i < KEYS; i++) {
        table->by[i] = by ? strcmp(by, key_names[i]) == 0 : i <= OPERATION;
        if (by && table->by[i]) return true;
    }
    if (by) fprintf(stderr, "whence: --by is reason, site, operation, service or root, and not: %s\n", by);
    return !by;
}

int command_top(const struct options *options, const struct model *model)
{
    size_t count;
    struct table table = {0};
    if (!read_by(&table, options->by)) return TROUBLE;
    struct trace **traces = options_traces(options, model, &count);
    if (!traces) return NOTHING;
    for (size_t i = 0; i < count; i++) add_trace(&table, options, traces[i]);
    if (table.count) qsort(table.rows, table.count, sizeof *table.rows, by_waste);
    if (options->json) print_json(&table);
    else if (table.count) print_table(options, &table);
    if (!table.count) fprintf(stderr, "whence: nothing was stopped, and nothing failed, in %zu traces\n", count);
    for (size_t i = 0; i < table.count; i++) free(table.rows[i].each);
    const int status = table.count ? FOUND : NOTHING;
    free(table.rows);
    free(table.slots);
    free(traces);
    return status;
}
