/* What a Jaeger says of sampling: how it is read, and the pieces that do as it says. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "otlp/limiter.h"
#include "otlp/mem.h"
#include "otlp/readers.h"
#include "otlp/strategies.h"
#include "test.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define HALF UINT64_C(0x80000000000000)
#define NEVER (UINT64_C(1) << 56)

static struct wh__strategies *read_answer(const char *text)
{
    struct wh__strategies *strategies = NULL;
    const int rc = wh__strategies_read(text, strlen(text), &strategies);
    if (rc) fail_msg("%d: %s", rc, text);
    return strategies;
}

static void probabilities_and_rates_are_read(void **state)
{
    (void)state;
    static const struct { const char *text; enum wh__strategy kind; uint64_t threshold; double rate; } rows[] = {
        {"{\"strategyType\":\"PROBABILISTIC\",\"probabilisticSampling\":{\"samplingRate\":0.5}}", WH__BY_PROBABILITY, HALF, 0},
        {"{\"strategyType\":0,\"probabilisticSampling\":{\"samplingRate\":1}}", WH__BY_PROBABILITY, 0, 0},
        {"{\"probabilisticSampling\":{}}", WH__BY_PROBABILITY, NEVER, 0}, /* what is 0 may be left out */
        {"{\"strategyType\":\"RATE_LIMITING\",\"rateLimitingSampling\":{\"maxTracesPerSecond\":2}}", WH__BY_RATE, NEVER, 2},
        {"{\"rateLimitingSampling\":{\"maxTracesPerSecond\":2},\"strategyType\":1}", WH__BY_RATE, NEVER, 2},
        {"{\"strategyType\":1,\"probabilisticSampling\":{\"samplingRate\":1},\"rateLimitingSampling\":{}}", WH__BY_RATE, 0, 0},
        {"{\"strategyType\":0,\"probabilisticSampling\":{\"samplingRate\":0.5},\"rateLimitingSampling\":null,\"operationSampling\":null,\"more\":[{}]}",
         WH__BY_PROBABILITY, HALF, 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct wh__strategies *strategies = read_answer(rows[i].text);
        assert_int_equal(strategies->kind, rows[i].kind);
        if (rows[i].kind == WH__BY_PROBABILITY) assert_true(strategies->threshold == rows[i].threshold);
        assert_true(strategies->rate == rows[i].rate);
        assert_int_equal(strategies->count, 0);
        wh__otlp_mem_free(strategies);
    }
}

static void operations_are_read_and_found_by_name(void **state)
{
    (void)state;
    struct wh__strategies *strategies = read_answer("{\"strategyType\":0,\"probabilisticSampling\":{\"samplingRate\":1},\"operationSampling\":{"
        "\"defaultSamplingProbability\":0.5,\"defaultLowerBoundTracesPerSecond\":0.25,\"defaultUpperBoundTracesPerSecond\":7,"
        "\"perOperationStrategies\":[{\"operation\":\"GET /z\",\"probabilisticSampling\":{\"samplingRate\":1}},"
        "{\"probabilisticSampling\":{\"samplingRate\":0},\"operation\":\"GET /\\u00e9\"},{\"operation\":\"least\"},"
        "{\"probabilisticSampling\":{\"samplingRate\":1}}]}}");
    assert_int_equal(strategies->kind, WH__BY_OPERATION);
    assert_int_equal(strategies->count, 3); /* one has no name */
    assert_true(strategies->rate == 0.25);
    assert_true(wh__strategies_threshold(strategies, "GET /z") == 0);
    assert_true(wh__strategies_threshold(strategies, "GET /\xc3\xa9") == NEVER);
    assert_true(wh__strategies_threshold(strategies, "least") == NEVER);
    assert_true(wh__strategies_threshold(strategies, "other") == HALF);
    assert_true(wh__strategies_threshold(strategies, "") == HALF);
    wh__otlp_mem_free(strategies);
}

static void answers_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {"", "{}", "[]", "null", "0.5", "{\"strategyType\":0}", "{\"strategyType\":1,\"probabilisticSampling\":{\"samplingRate\":1}}",
        "{\"strategyType\":2,\"probabilisticSampling\":{\"samplingRate\":1}}", "{\"strategyType\":\"SOMETIMES\",\"probabilisticSampling\":{}}",
        "{\"strategyType\":[],\"probabilisticSampling\":{}}", "{\"probabilisticSampling\":{\"samplingRate\":1.1}}",
        "{\"probabilisticSampling\":{\"samplingRate\":-0.1}}", "{\"probabilisticSampling\":{\"samplingRate\":\"1\"}}",
        "{\"probabilisticSampling\":[]}", "{\"probabilisticSampling\":{\"samplingRate\":1}", "{\"probabilisticSampling\":{\"samplingRate\":1}}x",
        "{\"strategyType\":1,\"rateLimitingSampling\":{\"maxTracesPerSecond\":-1}}", "{\"strategyType\":1,\"rateLimitingSampling\":{\"maxTracesPerSecond\":1e300}}",
        "{\"operationSampling\":{\"defaultSamplingProbability\":2}}", "{\"operationSampling\":{\"perOperationStrategies\":[1]}}",
        "{\"operationSampling\":{\"perOperationStrategies\":[{\"operation\":1}]}}",
        "{\"operationSampling\":{\"perOperationStrategies\":[{\"operation\":\"a\",\"probabilisticSampling\":{\"samplingRate\":9}}]}}",
        "{\"operationSampling\":{\"perOperationStrategies\":[{\"operation\":\"a\"},{\"operation\":\"b\"}]},\"operationSampling\":{}}"};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct wh__strategies *strategies;
        if (wh__strategies_read(rows[i], strlen(rows[i]), &strategies) != EBADMSG) fail_msg("%s", rows[i]);
    }
}

static void of_very_many_operations_the_first_are_kept(void **state)
{
    (void)state;
    const size_t many = WH__MOST_OPERATIONS + 500;
    char *text = malloc(200 + many * 100), *p = text;
    p += sprintf(p, "{\"operationSampling\":{\"defaultSamplingProbability\":0,\"perOperationStrategies\":[");
    for (size_t i = 0; i < many; i++)
        p += sprintf(p, "%s{\"operation\":\"op %zu\",\"probabilisticSampling\":{\"samplingRate\":1}}", i ? "," : "", i);
    strcpy(p, "]}}");
    struct wh__strategies *strategies = read_answer(text);
    assert_int_equal(strategies->count, WH__MOST_OPERATIONS);
    for (size_t i = 0; i < many; i++) {
        char name[32];
        snprintf(name, sizeof name, "op %zu", i);
        assert_true(wh__strategies_threshold(strategies, name) == (i < WH__MOST_OPERATIONS ? 0 : NEVER));
    }
    wh__otlp_mem_free(strategies);
    free(text);
}

static bool no_memory(size_t size)
{
    (void)size;
    return false;
}

static void without_memory_there_are_none(void **state)
{
    (void)state;
    struct wh__strategies *strategies = NULL;
    wh__otlp_mem_gate = no_memory;
    assert_int_equal(wh__strategies_read("{\"probabilisticSampling\":{}}", 28, &strategies), ENOMEM);
    wh__otlp_mem_gate = NULL;
    assert_null(strategies);
}

/* ---- so many in a second ---- */

static unsigned take_all(int64_t *bucket, double rate, int64_t now)
{
    unsigned taken = 0;
    while (taken < 100000 && wh__limiter_take(bucket, rate, now)) taken++;
    return taken;
}

static void a_bucket_holds_a_second_and_fills_steadily(void **state)
{
    (void)state;
    static const struct { double rate; unsigned burst, after_1s, after_10s; } rows[] = {
        {10, 10, 10, 10}, {1, 1, 1, 1}, {0.5, 1, 0, 1}, {0.05, 1, 0, 0}, {2.5, 2, 2, 2}, {1000, 1000, 1000, 1000}, {0, 0, 0, 0}, {-1, 0, 0, 0}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t bucket = 0, now = WH_SEC(5000);
        assert_int_equal(take_all(&bucket, rows[i].rate, now), rows[i].burst);
        assert_int_equal(take_all(&bucket, rows[i].rate, now + WH_SEC(1)), rows[i].after_1s);
        assert_int_equal(take_all(&bucket, rows[i].rate, now + WH_SEC(11)), rows[i].after_10s);
    }
}

static void over_a_long_time_it_gives_the_rate(void **state)
{
    (void)state;
    int64_t bucket = 0;
    unsigned taken = 0;
    for (int64_t now = WH_SEC(100); now < WH_SEC(200); now += WH_MS(3)) taken += wh__limiter_take(&bucket, 7, now);
    assert_in_range(taken, 7 * 100, 7 * 100 + 7); /* and what it held in the beginning */
}

static void each_operation_has_its_own_bucket_until_there_are_too_many(void **state)
{
    (void)state;
    static struct wh__limiters limiters;
    int64_t *buckets[WH__LIMITERS / 2];
    char name[32];
    for (unsigned i = 0; i < COUNT(buckets); i++) {
        snprintf(name, sizeof name, "op %u", i);
        buckets[i] = wh__limiters_of(&limiters, name);
        assert_non_null(buckets[i]);
        assert_true(*buckets[i] == 0);
        *buckets[i] = 1;
    }
    assert_null(wh__limiters_of(&limiters, "one more"));
    for (unsigned i = 0; i < COUNT(buckets); i++) {
        snprintf(name, sizeof name, "op %u", i);
        assert_ptr_equal(wh__limiters_of(&limiters, name), buckets[i]);
    }
}

/* ---- reading what is replaced ---- */

struct shared {
    struct wh__readers readers;
    int *value;      /* atomic; 0 inside: it was given back */
    uint32_t stop;   /* atomic */
};

static void *read_again_and_again(void *arg)
{
    struct shared *shared = arg;
    uintptr_t wrong = 0;
    while (!__atomic_load_n(&shared->stop, __ATOMIC_RELAXED)) {
        const unsigned ticket = wh__readers_enter(&shared->readers);
        const int *value = __atomic_load_n(&shared->value, __ATOMIC_SEQ_CST);
        for (int i = 0; i < 100; i++) wrong += __atomic_load_n(value, __ATOMIC_RELAXED) == 0;
        wh__readers_leave(&shared->readers, ticket);
    }
    return (void *)wrong;
}

static void nobody_sees_what_was_replaced_after_the_wait(void **state)
{
    (void)state;
    static struct shared shared;
    int values[2] = {1, 1};
    pthread_t threads[3];
    void *wrong;
    shared.value = &values[0];
    for (size_t i = 0; i < COUNT(threads); i++) assert_int_equal(pthread_create(&threads[i], NULL, read_again_and_again, &shared), 0);
    for (int round = 1; round <= 60; round++) {
        int *before = shared.value, *next = &values[round & 1];
        __atomic_store_n(next, 1, __ATOMIC_RELAXED);
        __atomic_store_n(&shared.value, next, __ATOMIC_SEQ_CST);
        wh__readers_wait(&shared.readers);
        __atomic_store_n(before, 0, __ATOMIC_RELAXED);
    }
    __atomic_store_n(&shared.stop, 1, __ATOMIC_RELAXED);
    for (size_t i = 0; i < COUNT(threads); i++) {
        assert_int_equal(pthread_join(threads[i], &wrong), 0);
        assert_null(wrong);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(probabilities_and_rates_are_read),
        cmocka_unit_test(operations_are_read_and_found_by_name),
        cmocka_unit_test(answers_that_make_no_sense_are_refused),
        cmocka_unit_test(of_very_many_operations_the_first_are_kept),
        cmocka_unit_test(without_memory_there_are_none),
        cmocka_unit_test(a_bucket_holds_a_second_and_fills_steadily),
        cmocka_unit_test(over_a_long_time_it_gives_the_rate),
        cmocka_unit_test(each_operation_has_its_own_bucket_until_there_are_too_many),
        cmocka_unit_test(nobody_sees_what_was_replaced_after_the_wait),
    };
    return cmocka_run_group_tests_name("exporters/strategies", tests, NULL, NULL);
}
