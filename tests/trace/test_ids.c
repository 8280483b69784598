/* Where ids come from (trace/sdk.md, Id generators), and the Random flag. */
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sampling.h"

static int compare_words(const void *a, const void *b)
{
    return memcmp(a, b, 8);
}

static void ids_are_random_by_default(void **state)
{
    (void)state;
    enum { MANY = 4096 };
    static uint8_t trace_ids[MANY][8], span_ids[MANY][8];
    struct spans spans = spans_begin_with((struct wh_provider_opts){.sampler = wh_sampler_parent_based(wh_sampler_always_off())});
    unsigned set[16] = {0};
    for (int i = 0; i < MANY; i++) {
        wh_ctx *root = wh_start(spans.root, "root");
        const struct outcome out = outcome_of(root);
        assert_int_equal(out.ids.flags, WH_RANDOM);
        memcpy(trace_ids[i], out.ids.trace_id + 8, 8);
        memcpy(span_ids[i], out.ids.span_id, 8);
        for (int bit = 0; bit < 16; bit++) set[bit] += out.ids.trace_id[9 + bit / 4] >> 2 * (bit % 4) & 1;
        wh_end(root);
    }
    qsort(trace_ids, MANY, 8, compare_words);
    qsort(span_ids, MANY, 8, compare_words);
    for (int i = 1; i < MANY; i++) {
        assert_memory_not_equal(trace_ids[i - 1], trace_ids[i], 8);
        assert_memory_not_equal(span_ids[i - 1], span_ids[i], 8);
    }
    for (int bit = 0; bit < 16; bit++) assert_in_range(set[bit], MANY / 2 - 6 * 32, MANY / 2 + 6 * 32); /* six deviations */
    spans_end(&spans);
}

static void the_child_of_a_fork_has_other_ids(void **state)
{
    (void)state;
    int ends[2];
    struct spans spans = spans_begin_with((struct wh_provider_opts){.sampler = wh_sampler_parent_based(wh_sampler_always_off())});
    wh_end(wh_start(spans.root, "warm"));
    assert_int_equal(pipe(ends), 0);
    const pid_t child = fork_at_rest();
    struct wh_span_context ids;
    wh_ctx *root = wh_start(spans.root, "root");
    wh_span_of(root, &ids);
    if (child == 0) _exit(write(ends[1], ids.trace_id, 16) != 16);
    uint8_t theirs[16];
    assert_int_equal(read(ends[0], theirs, 16), 16);
    assert_memory_not_equal(theirs, ids.trace_id, 16);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    wh_end(root);
    close(ends[0]);
    close(ends[1]);
    spans_end(&spans);
}

/* ---- one of your own ---- */

struct counting {
    struct wh_id_generator ids;
    uint8_t next;
    bool zeros;
    unsigned destroyed;
};

static void give(struct wh_id_generator *self, uint8_t *out, size_t size)
{
    struct counting *counting = (struct counting *)self;
    memset(out, 0, size);
    if (!counting->zeros) out[size - 1] = ++counting->next;
}

static void give_trace_id(struct wh_id_generator *self, uint8_t out[16]) { give(self, out, 16); }
static void give_span_id(struct wh_id_generator *self, uint8_t out[8]) { give(self, out, 8); }
static void destroy(struct wh_id_generator *self) { ((struct counting *)self)->destroyed++; }

static struct counting counting_new(bool random)
{
    return (struct counting){.ids = {.size = sizeof(struct wh_id_generator), .trace_id = give_trace_id, .span_id = give_span_id,
        .random = random, .destroy = destroy}};
}

static void a_generator_of_ones_own_is_asked_for_every_id(void **state)
{
    (void)state;
    struct counting counting = counting_new(false);
    struct spans spans = spans_begin_with((struct wh_provider_opts){.ids = &counting.ids});
    wh_ctx *root = wh_start(spans.root, "root"), *child = wh_start(root, "child");
    char hex[33];
    assert_string_equal(wh_trace_id_hex(root, hex), "00000000000000000000000000000001");
    assert_string_equal(wh_span_id_hex(root, hex), "0000000000000002");
    assert_string_equal(wh_trace_id_hex(child, hex), "00000000000000000000000000000001");
    assert_string_equal(wh_span_id_hex(child, hex), "0000000000000003");
    assert_true(wh_recording(child)); /* the sampler is still the default */
    wh_end(child);
    wh_end(root);
    spans_end(&spans);
    assert_int_equal(counting.destroyed, 0); /* the provider stays for ever */
}

static void only_one_of_the_two_may_be_given(void **state)
{
    (void)state;
    struct counting counting = counting_new(false);
    counting.ids.trace_id = NULL;
    struct spans spans = spans_begin_with((struct wh_provider_opts){.ids = &counting.ids});
    wh_ctx *root = wh_start(spans.root, "root");
    char hex[33];
    assert_string_equal(wh_span_id_hex(root, hex), "0000000000000001");
    assert_string_not_equal(wh_trace_id_hex(root, hex), "00000000000000000000000000000000");
    wh_end(root);
    spans_end(&spans);
}

static void roots_carry_the_random_flag_only_if_the_generator_says_so(void **state)
{
    (void)state;
    for (int random = 0; random < 2; random++) {
        struct counting counting = counting_new(random);
        struct spans spans = spans_begin_with((struct wh_provider_opts){.ids = &counting.ids});
        wh_ctx *root = wh_start(spans.root, "root"), *child = wh_start(root, "child");
        assert_int_equal(outcome_of(root).ids.flags, WH_SAMPLED | (random ? WH_RANDOM : 0));
        assert_int_equal(outcome_of(child).ids.flags, WH_SAMPLED | (random ? WH_RANDOM : 0));
        wh_end(child);
        wh_end(root);
        spans_end(&spans);
    }
}

static void a_child_copies_the_random_flag_of_its_parent(void **state)
{
    (void)state;
    static const struct { const char *traceparent; int flags; } rows[] = {{TRACE("1c80319c000000", "00"), 0}, {TRACE("1c80319c000000", "01"), 0},
        {TRACE("1c80319c000000", "02"), WH_RANDOM}, {TRACE("1c80319c000000", "03"), WH_RANDOM}, {TRACE("1c80319c000000", "ff"), WH_RANDOM}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(decide(NULL, rows[i].traceparent, NULL).ids.flags & ~WH_SAMPLED, rows[i].flags);
        assert_int_equal(decide(wh_sampler_always_on(), rows[i].traceparent, NULL).ids.flags & ~WH_SAMPLED, rows[i].flags);
        assert_int_equal(decide(wh_sampler_always_off(), rows[i].traceparent, NULL).ids.flags, rows[i].flags);
    }
}

static void zeros_are_not_believed_and_that_is_said_once(void **state)
{
    (void)state;
    struct counting counting = counting_new(true);
    counting.zeros = true;
    struct spans spans = spans_begin_with((struct wh_provider_opts){.ids = &counting.ids});
    begin_listening();
    for (int i = 0; i < 3; i++) {
        wh_ctx *root = wh_start(spans.root, "root");
        const struct outcome out = outcome_of(root);
        assert_memory_not_equal(out.ids.trace_id, ((uint8_t[16]){0}), 16);
        assert_memory_not_equal(out.ids.span_id, ((uint8_t[8]){0}), 8);
        wh_end(root);
    }
    assert_int_equal(end_listening(), 1);
    assert_non_null(strstr(said_last, "id generator"));
    spans_end(&spans);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_are_random_by_default),
        cmocka_unit_test(the_child_of_a_fork_has_other_ids),
        cmocka_unit_test(a_generator_of_ones_own_is_asked_for_every_id),
        cmocka_unit_test(only_one_of_the_two_may_be_given),
        cmocka_unit_test(roots_carry_the_random_flag_only_if_the_generator_says_so),
        cmocka_unit_test(a_child_copies_the_random_flag_of_its_parent),
        cmocka_unit_test(zeros_are_not_believed_and_that_is_said_once),
    };
    return cmocka_run_group_tests_name("ids", tests, NULL, NULL);
}
