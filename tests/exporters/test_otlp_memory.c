/* The OTLP exporter without memory: every allocation, its own and libcurl's, fails in turn. And with much memory: what
 * was needed once is given back. */
#include "test_otlp.h"

#include <curl/curl.h>

#include "otlp/mem.h"
#include "otlp/request.h"

/* ---- failing in turn ---- */

static struct {
    long left;                /* allocations until the one that fails; less than 0: none does */
    bool failed;
    bool only_ours;
} gate = {.left = -1};

static bool allow(size_t size)
{
    (void)size;
    if (gate.left < 0 || gate.left-- > 0) return true;
    gate.failed = true;
    return false;
}

static bool allow_curl(size_t size)
{
    return gate.only_ours || allow(size);
}

static void *curl_malloc(size_t size) { return allow_curl(size) ? malloc(size) : NULL; }
static void *curl_calloc(size_t count, size_t size) { return allow_curl(count * size) ? calloc(count, size) : NULL; }
static void *curl_realloc(void *old, size_t size) { return allow_curl(size) ? realloc(old, size) : NULL; }
static char *curl_strdup(const char *text) { return allow_curl(strlen(text)) ? strdup(text) : NULL; }

static void fail_at(long i)
{
    gate.left = i;
    gate.failed = false;
}

static void fail_no_more(void)
{
    gate.left = -1;
}

/* Makes an exporter and exports twice; false if it got by without the allocation that was to fail. */
static bool survives(struct collector *collector, long i)
{
    fail_at(i);
    struct wh_exporter *otlp = wh_otlp_exporter_new(collector_url(collector), .headers = "a=b,c=d,bad", .gzip = true);
    const int made = errno;
    const int first = otlp ? export_within(otlp, WH_SEC(60)) : 0;
    const char *error = otlp && first ? otlp->last_error(otlp) : NULL;
    const bool failed = gate.failed;
    fail_no_more();
    if (!otlp) {
        assert_int_equal(made, ENOMEM);
        return failed;
    }
    /* libcurl takes a few of its own failures for others, and can do without some of what it asks for. */
    if (failed && gate.only_ours) assert_int_equal(first, ENOMEM);
    if (!failed) assert_int_equal(first, 0);
    if (first) assert_non_null(error);
    assert_int_equal(export_within(otlp, WH_SEC(60)), 0);
    assert_null(otlp->last_error(otlp));
    wh_exporter_free(otlp);
    return failed;
}

static void without_memory_an_export_fails_and_the_next_one_works(void **state)
{
    (void)state;
    for (int only_ours = 1; only_ours >= 0; only_ours--) {
        struct collector *collector = collector_start(NULL, 0);
        long i = 0;
        gate.only_ours = only_ours;
        listen_to_reports();
        while (survives(collector, i)) i++;
        assert_true(i > (only_ours ? 5 : 20));
        collector_stop(collector);
    }
}

/* Bodies of answers: kept, and decoded. */
static void without_memory_for_the_answer_nothing_is_claimed(void **state)
{
    (void)state;
    static const struct collector_answer script[] = {
        {BODY("\x0a\x07\x08\x02\x12\x03" "bad")}, {.status = 400, BODY("\x08\x03\x12\x02no")}};
    listen_to_reports();
    gate.only_ours = true;
    for (size_t which = 0; which < COUNT(script); which++) {
        struct collector *collector = collector_start(&script[which], 1);
        bool failed = true;
        for (long i = 0; failed; i++) {
            struct wh_exporter *otlp = otlp_to(collector);
            size_t rejected = 0;
            fail_at(i);
            const int rc = export_until(otlp, 3, wh_now() + WH_SEC(60), &rejected);
            failed = gate.failed;
            fail_no_more();
            /* Without memory for the words of a refusal it is a refusal all the same. */
            assert_true(failed ? rc == ENOMEM || (which && rc == EIO) : rc == (which ? EIO : 0));
            assert_int_equal(rejected, rc == 0 ? 2 : 0);
            wh_exporter_free(otlp);
        }
        collector_stop(collector);
    }
}

/* ---- giving back ---- */

static size_t make_request(struct wh__otlp_request *request, const void *bytes, size_t size, size_t count,
                           const struct wh__otlp_target *target)
{
    size_t written;
    struct wh_bytes body, *spans = calloc(count, sizeof *spans);
    for (size_t i = 0; i < count; i++) spans[i] = (struct wh_bytes){bytes, size};
    const struct wh_batch batch = {.size = sizeof batch, ONE_SCOPE(spans, count)};
    const struct wh__otlp_range all = {0, count};
    assert_int_equal(wh__otlp_request_make(request, target, &batch, all, &body, &written), 0);
    assert_int_equal(written, count);
    free(spans);
    wh__otlp_request_trim(request);
    return body.len;
}

static size_t held(const struct wh__otlp_request *request)
{
    return request->packed.size + request->zipped.size + request->spans.size + request->scopes.size +
           request->slices.size + request->json.capacity;
}

static void memory_of_a_large_request_is_not_kept_for_small_ones(void **state)
{
    (void)state;
    enum { SIZE = 60 << 20 };
    char *large = calloc(1, SIZE);
    for (int gzip = 0; gzip <= 1; gzip++) {
        const struct wh__otlp_target target = {.gzip = gzip, .max_request = (size_t)64 << 20};
        struct wh__otlp_request request = {0};
        assert_true(make_request(&request, large, SIZE, 1, &target) > (gzip ? 1000 : SIZE));
        assert_true(held(&request) < 1 << 20);
        make_request(&request, large, 400, 512, &target);
        const size_t usual = held(&request);
        const uint8_t *const packed = request.packed.bytes;
        assert_true(usual > 200000 && usual < 1 << 20);
        for (int i = 0; i < 10; i++) make_request(&request, large, 400, 512, &target);
        assert_ptr_equal(request.packed.bytes, packed);
        make_request(&request, large, 400, 10000, &target); /* 4 MB: kept while it is of use */
        assert_true(held(&request) > 4 << 20);
        make_request(&request, large, 400, 10, &target);
        assert_true(held(&request) < 1 << 20);
        make_request(&request, large, 1, 1000000, &target);
        assert_true(held(&request) < 16 << 20);
        wh__otlp_request_free(&request);
    }
    free(large);
}

int main(void)
{
    if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, curl_malloc, free, curl_realloc, curl_strdup, curl_calloc)) return 1;
    wh__otlp_mem_gate = allow;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_memory_an_export_fails_and_the_next_one_works),
        cmocka_unit_test(without_memory_for_the_answer_nothing_is_claimed),
        cmocka_unit_test(memory_of_a_large_request_is_not_kept_for_small_ones),
    };
    return cmocka_run_group_tests_name("exporters/otlp_memory", tests, NULL, NULL);
}
