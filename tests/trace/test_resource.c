/* Resources: made, merged, read, and given to providers. */
#include <errno.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "gate.h"
#include "test.h"

#define SCHEMA_A "https://example.com/schemas/1.0.0"
#define SCHEMA_B "https://example.com/schemas/2.0.0"

/* ---- asking ---- */

static const char *text_of(const wh_resource *resource, const char *key)
{
    static char texts[4][256];
    static int turn;
    struct wh_attr_view attr;
    if (!wh_resource_attr(resource, key, &attr)) return NULL;
    assert_int_equal(attr.type, WH_STRING);
    char *text = texts[turn++ % 4];
    assert_true(attr.as.string.len < sizeof texts[0]);
    memcpy(text, attr.as.string.ptr, attr.as.string.len);
    text[attr.as.string.len] = '\0';
    return text;
}

static size_t count_of(const wh_resource *resource)
{
    struct wh_attr_view attr;
    size_t count = 0;
    for (struct wh_cursor at = {wh_resource_bytes(resource)}; wh_next_resource_attr(&at, &attr);) count++;
    return count;
}

static int warnings;
static void count_warning(enum wh_severity severity, const char *line, void *arg)
{
    (void)arg;
    assert_int_equal(severity, WH_WARNING);
    assert_non_null(strstr(line, SCHEMA_A));
    assert_non_null(strstr(line, SCHEMA_B));
    warnings++;
}

/* ---- made ---- */

static void a_resource_has_the_attributes_it_was_given(void **state)
{
    (void)state;
    struct wh_attr_view attr;
    wh_resource *r = wh_resource_new(WH_ATTRS(wh_attr("a", "x"), wh_attr("n", 17), wh_attr("empty", "")), SCHEMA_A);
    assert_string_equal(text_of(r, "a"), "x");
    assert_string_equal(text_of(r, "empty"), "");
    assert_true(wh_resource_attr(r, "n", &attr));
    assert_int_equal(attr.as.integer, 17);
    assert_int_equal(count_of(r), 3);
    assert_string_equal(wh_resource_schema_url(r), SCHEMA_A);
    assert_false(wh_resource_attr(r, "b", &attr));
    assert_false(wh_resource_attr(r, "", &attr));
    wh_resource_free(r);
}

static void it_keeps_copies(void **state)
{
    (void)state;
    char key[] = "key", value[] = "value", url[] = SCHEMA_A;
    wh_resource *r = wh_resource_new(WH_ATTRS(wh_attr(key, (const char *)value)), url);
    key[0] = value[0] = url[0] = '!';
    assert_string_equal(text_of(r, "key"), "value");
    assert_string_equal(wh_resource_schema_url(r), SCHEMA_A);
    wh_resource_free(r);
}

static void of_equal_keys_the_last_holds_and_no_key_is_none(void **state)
{
    (void)state;
    wh_resource *r = wh_resource_new(WH_ATTRS(wh_attr("a", "1"), wh_attr("", "2"), wh_attr("a", "3"), wh_attr(NULL, "4")), NULL);
    assert_int_equal(count_of(r), 1);
    assert_string_equal(text_of(r, "a"), "3");
    assert_null(wh_resource_schema_url(r));
    wh_resource_free(r);
}

static void an_empty_resource_has_nothing(void **state)
{
    (void)state;
    wh_resource *r = wh_resource_new((struct wh_attrs){NULL, 0}, "");
    assert_int_equal(count_of(r), 0);
    assert_null(wh_resource_schema_url(r));
    assert_int_equal(count_of(NULL), 0);
    assert_null(wh_resource_schema_url(NULL));
    wh_resource_free(r);
    wh_resource_free(NULL);
}

/* ---- merged ---- */

static void the_updating_one_wins_even_if_empty(void **state)
{
    (void)state;
    wh_resource *old = wh_resource_new(WH_ATTRS(wh_attr("a", "1"), wh_attr("b", "2"), wh_attr("c", "3")), NULL);
    wh_resource *updating = wh_resource_new(WH_ATTRS(wh_attr("b", ""), wh_attr("d", 4)), NULL);
    wh_resource *merged = wh_resource_merge(old, updating);
    assert_int_equal(count_of(merged), 4);
    assert_string_equal(text_of(merged, "a"), "1");
    assert_string_equal(text_of(merged, "b"), "");
    assert_string_equal(text_of(merged, "c"), "3");
    assert_string_equal(text_of(old, "b"), "2");
    wh_resource_free(old);
    wh_resource_free(updating);
    wh_resource_free(merged);
}

static void schema_urls_are_merged_by_the_rules(void **state)
{
    (void)state;
    static const struct { const char *old, *updating, *merged; int warned; } table[] = {
        {NULL, NULL, NULL, 0},         {"", "", NULL, 0},
        {NULL, SCHEMA_B, SCHEMA_B, 0}, {SCHEMA_A, NULL, SCHEMA_A, 0},
        {SCHEMA_A, "", SCHEMA_A, 0},   {SCHEMA_A, SCHEMA_A, SCHEMA_A, 0},
        {SCHEMA_A, SCHEMA_B, NULL, 1},
    };
    wh_report_to(count_warning, NULL);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        warnings = 0;
        wh_resource *old = wh_resource_new(WH_ATTRS(wh_attr("a", "1")), table[i].old);
        wh_resource *updating = wh_resource_new(WH_ATTRS(wh_attr("b", "2")), table[i].updating);
        wh_resource *merged = wh_resource_merge(old, updating);
        assert_int_equal(count_of(merged), 2);
        if (table[i].merged)
            assert_string_equal(wh_resource_schema_url(merged), table[i].merged);
        else
            assert_null(wh_resource_schema_url(merged));
        assert_int_equal(warnings, table[i].warned);
        wh_resource_free(old);
        wh_resource_free(updating);
        wh_resource_free(merged);
    }
    wh_report_to(NULL, NULL);
}

static void nothing_merges_like_an_empty_resource(void **state)
{
    (void)state;
    wh_resource *r = wh_resource_new(WH_ATTRS(wh_attr("a", "1")), SCHEMA_A);
    wh_resource *left = wh_resource_merge(NULL, r), *right = wh_resource_merge(r, NULL), *none = wh_resource_merge(NULL, NULL);
    assert_string_equal(text_of(left, "a"), "1");
    assert_string_equal(text_of(right, "a"), "1");
    assert_string_equal(wh_resource_schema_url(left), SCHEMA_A);
    assert_int_equal(count_of(none), 0);
    wh_resource_free(r);
    wh_resource_free(left);
    wh_resource_free(right);
    wh_resource_free(none);
}

/* ---- the default ---- */

static void the_default_resource_names_service_and_sdk(void **state)
{
    (void)state;
    char service[300], host[256] = "";
    wh_resource *r = wh_resource_default();
    gethostname(host, sizeof host - 1);
    snprintf(service, sizeof service, "unknown_service:%s", program_invocation_short_name);
    assert_string_equal(text_of(r, "service.name"), service);
    assert_string_equal(text_of(r, "telemetry.sdk.name"), "whence");
    assert_string_equal(text_of(r, "telemetry.sdk.language"), "c");
    assert_string_equal(text_of(r, "telemetry.sdk.version"), WH_VERSION);
    assert_string_equal(text_of(r, "host.name"), host);
    assert_non_null(wh_resource_schema_url(r));
    wh_resource_free(r);
}

/* ---- of providers ---- */

static struct { char text[1 << 18]; size_t len; char url[100]; } seen;

static int keep_resource(struct wh_exporter *self, const struct wh_batch *batch, int64_t deadline, size_t *rejected)
{
    (void)self;
    (void)deadline;
    (void)rejected;
    assert_true(batch->resource.len <= sizeof seen.text);
    memcpy(seen.text, batch->resource.ptr, seen.len = batch->resource.len);
    snprintf(seen.url, sizeof seen.url, "%.*s", (int)batch->schema_url.len, batch->schema_url.len ? batch->schema_url.ptr : "");
    return 0;
}

static const char *exported(const char *key)
{
    static char text[256];
    struct wh_attr_view attr;
    for (struct wh_cursor at = {{seen.text, seen.len}}; wh_next_resource_attr(&at, &attr);)
        if (attr.key.len == strlen(key) && memcmp(attr.key.ptr, key, attr.key.len) == 0) {
            snprintf(text, sizeof text, "%.*s", (int)attr.as.string.len, attr.as.string.ptr);
            return text;
        }
    return NULL;
}

static void export_one(wh_provider *provider)
{
    wh_ctx *root = wh_provider_root(provider);
    wh_end(wh_start(root, "one"));
    wh_end(root);
    assert_int_equal(wh_provider_flush(provider, WH_SEC(60)), 0);
}

static struct wh_exporter keeper = {.size = sizeof keeper, .name = "keeper", .export_batch = keep_resource};

static void attributes_of_a_resource_count_against_no_limit(void **state)
{
    (void)state;
    static char keys[1000][16], longest[100000];
    static struct wh_attr attrs[1000];
    struct wh_exporter *list[] = {&keeper};
    memset(longest, 'x', sizeof longest - 1);
    for (int i = 0; i < 1000; i++) {
        snprintf(keys[i], sizeof keys[i], "k%d", i);
        attrs[i] = wh_attr(keys[i], (const char *)(i ? "v" : longest));
    }
    wh_provider *provider = wh_provider_new(.resource = {attrs, 1000}, .limits = {.attributes = 2, .value_length = 5},
                                            .exporters = list, .exporter_count = 1);
    export_one(provider);
    assert_string_equal(exported("k999"), "v");
    assert_true(seen.len > sizeof longest);
    wh_provider_shutdown(provider, WH_SEC(60));
}

static void a_provider_adds_to_its_base(void **state)
{
    (void)state;
    struct wh_exporter *list[] = {&keeper};
    wh_resource *base = wh_resource_new(WH_ATTRS(wh_attr("service.name", "base"), wh_attr("a", "base"), wh_attr("b", "base")), SCHEMA_A);
    wh_provider *provider = wh_provider_new(.service = "orders", .resource = WH_ATTRS(wh_attr("b", "more")), .base = base,
                                            .exporters = list, .exporter_count = 1);
    wh_resource_free(base); /* it has been copied */
    export_one(provider);
    assert_string_equal(exported("service.name"), "orders");
    assert_string_equal(exported("a"), "base");
    assert_string_equal(exported("b"), "more");
    assert_null(exported("telemetry.sdk.name"));
    assert_string_equal(seen.url, SCHEMA_A);
    wh_provider_shutdown(provider, WH_SEC(60));
}

static void without_a_base_a_provider_has_the_default_resource(void **state)
{
    (void)state;
    struct wh_exporter *list[] = {&keeper};
    wh_provider *provider = wh_provider_new(.exporters = list, .exporter_count = 1);
    wh_resource *usual = wh_resource_default();
    export_one(provider);
    assert_int_equal(seen.len, wh_resource_bytes(usual).len);
    assert_memory_equal(seen.text, wh_resource_bytes(usual).ptr, seen.len);
    assert_string_equal(seen.url, wh_resource_schema_url(usual));
    wh_resource_free(usual);
    wh_provider_shutdown(provider, WH_SEC(60));
}

/* ---- memory ---- */

static void without_memory_there_is_none_and_errno_says_so(void **state)
{
    (void)state;
    wh_resource *r = wh_resource_new(WH_ATTRS(wh_attr("a", "1")), NULL);
    memory_ends_after(0);
    errno = 0;
    assert_null(wh_resource_new((struct wh_attrs){NULL, 0}, NULL));
    assert_int_equal(errno, ENOMEM);
    assert_null(wh_resource_default());
    assert_null(wh_resource_merge(r, r));
    assert_null(wh_resource_detect(WH_DETECT_ALL));
    memory_is_back();
    wh_resource_free(r);
}

static void each_allocation_of_a_detection_may_fail(void **state)
{
    (void)state;
    size_t n = 1;
    for (bool failed = true; failed; n++) {
        assert_true(n < 100);
        memory_fails_once_at(n);
        wh_resource *r = wh_resource_detect(WH_DETECT_ALL | WH_DETECT_COMMAND);
        failed = memory_is_back();
        wh_resource_free(r);
    }
    assert_true(n > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_resource_has_the_attributes_it_was_given),
        cmocka_unit_test(it_keeps_copies),
        cmocka_unit_test(of_equal_keys_the_last_holds_and_no_key_is_none),
        cmocka_unit_test(attributes_of_a_resource_count_against_no_limit),
        cmocka_unit_test(an_empty_resource_has_nothing),
        cmocka_unit_test(the_updating_one_wins_even_if_empty),
        cmocka_unit_test(schema_urls_are_merged_by_the_rules),
        cmocka_unit_test(nothing_merges_like_an_empty_resource),
        cmocka_unit_test(the_default_resource_names_service_and_sdk),
        cmocka_unit_test(a_provider_adds_to_its_base),
        cmocka_unit_test(without_a_base_a_provider_has_the_default_resource),
        cmocka_unit_test(without_memory_there_is_none_and_errno_says_so),
        cmocka_unit_test(each_allocation_of_a_detection_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
