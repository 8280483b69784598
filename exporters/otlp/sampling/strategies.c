#include "otlp/strategies.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "otlp/json_read.h"
#include "otlp/mem.h"

/* An answer that is being read: once to count, and once more to keep. */
struct answer {
    struct wh__otlp_json json;
    struct wh__strategies *kept;  /* NULL: only count */
    char *names, *names_end;      /* room for them */
    size_t operations, name_bytes;
    bool has_probability, has_rate, has_operations, by_rate, senseless;
    double probability, rate, default_probability, lower_bound;
};

/* ---- numbers ---- */

/* 2^56 is never reached by 56 bits. */
static uint64_t threshold_of(double probability)
{
    return (uint64_t)((1 - probability) * 0x1p56);
}

static void read_number(struct answer *answer, double most, double *out)
{
    double value;
    if (!wh__otlp_json_number(&answer->json, &value) || !(value >= 0 && value <= most))
        answer->senseless = true;
    else
        *out = value;
}

static void read_probability(struct answer *answer, double *out)
{
    read_number(answer, 1, out);
}

static void read_rate(struct answer *answer, double *out)
{
    read_number(answer, 1e9, out);
}

/* An object with one number in it; left out it is 0, as in all JSON that comes of protobuf. */
static void read_only(struct answer *answer, const char *name, void (*read)(struct answer *answer, double *out), double *out)
{
    char key[32];
    *out = 0;
    if (!wh__otlp_json_object(&answer->json)) {
        answer->senseless = true;
        return;
    }
    while (wh__otlp_json_key(&answer->json, key, sizeof key))
        if (strcmp(key, name) == 0) read(answer, out);
}

/* ---- operations ---- */

/* A name that does not fit is one that was not there the first time: the text has not changed. */
static bool read_name(struct answer *answer, const char **name, size_t *len)
{
    *name = answer->names;
    if (!wh__otlp_json_string(&answer->json, answer->names, (size_t)(answer->names_end - answer->names), len)) return false;
    return !answer->kept || *len < (size_t)(answer->names_end - answer->names);
}

static void keep_operation(struct answer *answer, const char *name, size_t len, double probability)
{
    if (answer->operations == WH__MOST_OPERATIONS) return;
    if (answer->kept) {
        answer->kept->operations[answer->operations] = (struct wh__operation){name, threshold_of(probability)};
        answer->names += len + 1;
    }
    answer->operations++;
    answer->name_bytes += len + 1;
}

static void read_operation(struct answer *answer)
{
    char key[32];
    const char *name = NULL;
    size_t len = 0;
    double probability = 0;
    if (!wh__otlp_json_object(&answer->json)) {
        answer->senseless = true;
        return;
    }
    while (wh__otlp_json_key(&answer->json, key, sizeof key)) {
        if (strcmp(key, "operation") == 0)
            answer->senseless |= !read_name(answer, &name, &len);
        else if (strcmp(key, "probabilisticSampling") == 0)
            read_only(answer, "samplingRate", read_probability, &probability);
    }
    if (name) keep_operation(answer, name, len, probability);
}

static void read_operations(struct answer *answer)
{
    if (!wh__otlp_json_array(&answer->json)) return; /* null */
    while (wh__otlp_json_item(&answer->json)) read_operation(answer);
}

static void read_operation_sampling(struct answer *answer)
{
    char key[40];
    if (!wh__otlp_json_object(&answer->json)) return; /* null: there is none */
    answer->senseless |= answer->has_operations; /* twice */
    answer->has_operations = true;
    while (!answer->senseless && wh__otlp_json_key(&answer->json, key, sizeof key)) {
        if (strcmp(key, "defaultSamplingProbability") == 0)
            read_probability(answer, &answer->default_probability);
        else if (strcmp(key, "defaultLowerBoundTracesPerSecond") == 0)
            read_rate(answer, &answer->lower_bound);
        else if (strcmp(key, "perOperationStrategies") == 0)
            read_operations(answer);
    }
}

/* ---- the answer ---- */

/* A number or its name; left out it is 0. */
static void read_type(struct answer *answer)
{
    char name[32];
    int64_t number = 0;
    if (wh__otlp_json_next(&answer->json) == WH__OTLP_JSON_STRING) {
        wh__otlp_json_string(&answer->json, name, sizeof name, NULL);
        answer->by_rate = strcmp(name, "RATE_LIMITING") == 0;
        answer->senseless |= !answer->by_rate && strcmp(name, "PROBABILISTIC");
    } else {
        answer->senseless |= !wh__otlp_json_int(&answer->json, &number) || number < 0 || number > 1;
        answer->by_rate = number == 1;
    }
}

static void read_answer(struct answer *answer)
{
    char key[32];
    if (!wh__otlp_json_object(&answer->json)) answer->senseless = true;
    while (!answer->senseless && wh__otlp_json_key(&answer->json, key, sizeof key)) {
        if (wh__otlp_json_next(&answer->json) == WH__OTLP_JSON_NULL) continue;
        if (strcmp(key, "strategyType") == 0) {
            read_type(answer);
        } else if (strcmp(key, "probabilisticSampling") == 0) {
            read_only(answer, "samplingRate", read_probability, &answer->probability);
            answer->has_probability = true;
        } else if (strcmp(key, "rateLimitingSampling") == 0) {
            read_only(answer, "maxTracesPerSecond", read_rate, &answer->rate);
            answer->has_rate = true;
        } else if (strcmp(key, "operationSampling") == 0) {
            read_operation_sampling(answer);
        }
    }
}

static bool makes_sense(struct answer *answer)
{
    if (answer->senseless || !wh__otlp_json_end(&answer->json)) return false;
    return answer->has_operations || (answer->by_rate ? answer->has_rate : answer->has_probability);
}

static int compare(const void *a, const void *b)
{
    const struct wh__operation *first = a, *second = b;
    return strcmp(first->name, second->name);
}

static void keep(struct wh__strategies *kept, const struct answer *answer)
{
    kept->kind = answer->has_operations ? WH__BY_OPERATION : answer->by_rate ? WH__BY_RATE : WH__BY_PROBABILITY;
    kept->threshold = threshold_of(answer->has_operations ? answer->default_probability : answer->probability);
    kept->rate = answer->has_operations ? answer->lower_bound : answer->rate;
    kept->count = answer->has_operations ? answer->operations : 0;
    qsort(kept->operations, kept->count, sizeof *kept->operations, compare);
}

int wh__strategies_read(const char *text, size_t len, struct wh__strategies **out)
{
    char nowhere[1];
    struct answer first = {.json = wh__otlp_json_of(text, len), .names = nowhere, .names_end = nowhere + 1};
    read_answer(&first);
    if (!makes_sense(&first)) return EBADMSG;
    const size_t size = sizeof **out + first.operations * sizeof *(*out)->operations;
    struct wh__strategies *kept = wh__otlp_mem_zero(size + first.name_bytes + 1);
    if (!kept) return ENOMEM;
    char *names = (char *)kept + size;
    struct answer second = {.json = wh__otlp_json_of(text, len), .kept = kept, .names = names, .names_end = names + first.name_bytes + 1};
    read_answer(&second);
    keep(kept, &second);
    *out = kept;
    return 0;
}

uint64_t wh__strategies_threshold(const struct wh__strategies *strategies, const char *operation)
{
    const struct wh__operation wanted = {.name = operation}, *found =
        bsearch(&wanted, strategies->operations, strategies->count, sizeof wanted, compare);
    return found ? found->threshold : strategies->threshold;
}
