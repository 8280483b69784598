/* The collector is gone when the cancelled spans end, and comes back on the same port: the cause arrives, and its origin after it. */
#include "test_otlp.h"

static bool holds(const struct collector_request *request, const char *text)
{
    return memmem(request->body, request->body_len, text, strlen(text)) != NULL;
}

static bool arrived(struct collector *collector, const char *span, const char *text)
{
    for (size_t i = 0; i < collector_requests(collector); i++) {
        const struct collector_request request = collector_request(collector, i);
        if (holds(&request, span) && holds(&request, text)) return true;
    }
    return false;
}

static void the_cause_arrives_at_a_collector_that_was_away(void **state)
{
    (void)state;
    struct collector *collector = collector_start(NULL, 0);
    struct wh_exporter *exporters[] = {otlp_to(collector)};
    wh_provider *provider = wh_provider_new(.exporters = exporters, .exporter_count = 1, .max_batch = 1);
    WH_AUTO wh_ctx *root = wh_provider_root(provider);
    wh_ctx *top = wh_start(root, "the origin"), *below = wh_start(top, "the stopped");
    wh_end(wh_start(top, "before"));
    assert_int_equal(wh_provider_flush(provider, LONG), 0);
    collector_refuse(collector);
    wh_cancel(top, WH_CLIENT_GONE, "nobody waits any more");
    wh_end(below);
    wh_provider_flush(provider, WH_MS(50)); /* it is tried, in vain */
    assert_false(arrived(collector, "the stopped", "whence.cancelled"));
    collector_listen(collector);
    wh_end(top);
    assert_int_equal(wh_provider_shutdown(provider, LONG), 0);
    assert_true(arrived(collector, "the stopped", "nobody waits any more"));
    assert_true(arrived(collector, "the origin", "nobody waits any more"));
    collector_stop(collector);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_cause_arrives_at_a_collector_that_was_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
