/* OTEL_ENTITIES (entities/entity-propagation.md). */
#include "exporters/json.h"
#include "main/environment.h"
#include "said.h"

/* The resource as JSON, which names everything. */
static const char *json_of(const wh_resource *resource)
{
    static char text[4096];
    static const uint8_t span[] = {0x0a, 16, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0x12, 8, 1, 1, 1, 1, 1, 1, 1, 1};
    const struct wh_bytes spans[] = {{span, sizeof span}};
    const struct wh_scope_spans scope = {.spans = spans, .count = 1};
    const struct wh_batch batch = {.size = sizeof batch, .resource = wh_resource_bytes(resource), .scopes = &scope,
                                   .scope_count = 1, .count = 1};
    struct wh__json json = {0};
    assert_int_equal(wh__json_batch(&json, &batch), 1);
    const char *end = memmem(json.buf, json.len, ",\"scopeSpans\"", 13);
    const char *start = json.buf + strlen("{\"resourceSpans\":[{\"resource\":");
    snprintf(text, sizeof text, "%.*s", (int)(end - start), start);
    wh__json_free(&json);
    return text;
}

struct row {
    const char *text, *json;
    int said;
};

#define ATTR(key, value) "{\"key\":\"" key "\",\"value\":{\"stringValue\":\"" value "\"}}"
#define RESOURCE(attributes, refs) "{\"attributes\":[" attributes "],\"entityRefs\":[" refs "]}"
#define NOTHING "{}"

static void check(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        said_count = 0;
        wh_resource *resource = wh__parse_entities(rows[i].text);
        const char *json = json_of(resource);
        if (strcmp(json, rows[i].json)) fail_msg("%s\n   is %s\n  not %s", rows[i].text, json, rows[i].json);
        if (said_count != rows[i].said) fail_msg("%s: said %d times: %s", rows[i].text, said_count, said_count ? said : "");
        wh_resource_free(resource);
    }
}
#define CHECK(rows) check(rows, sizeof rows / sizeof *rows)

static void entities_are_attributes_and_what_they_identify(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"service{service.name=app}", RESOURCE(ATTR("service.name", "app"), "{\"type\":\"service\",\"idKeys\":[\"service.name\"]}"), 0},
        {"service{a=1,b=2}[c=3]@https://example.com/1.0",
         RESOURCE(ATTR("a", "1") "," ATTR("b", "2") "," ATTR("c", "3"),
                  "{\"schemaUrl\":\"https://example.com/1.0\",\"type\":\"service\",\"idKeys\":[\"a\",\"b\"],\"descriptionKeys\":[\"c\"]}"), 0},
        {";service{a=1};;host{b=2};",
         RESOURCE(ATTR("a", "1") "," ATTR("b", "2"), "{\"type\":\"service\",\"idKeys\":[\"a\"]},{\"type\":\"host\",\"idKeys\":[\"b\"]}"), 0},
        {" service { a = x%2Cy%3Dz } [ b = %5B%7D ] ",
         RESOURCE(ATTR("a", "x,y=z") "," ATTR("b", "[}"), "{\"type\":\"service\",\"idKeys\":[\"a\"],\"descriptionKeys\":[\"b\"]}"), 0},
        {"k8s.pod-x_1{a=}[]", RESOURCE(ATTR("a", ""), "{\"type\":\"k8s.pod-x_1\",\"idKeys\":[\"a\"]}"), 0},
        {"", NOTHING, 0}, {" ;; ", NOTHING, 0},
    };
    CHECK(rows);
}

static void what_is_malformed_is_left_out_and_the_rest_holds(void **state)
{
    (void)state;
#define HOST RESOURCE(ATTR("b", "2"), "{\"type\":\"host\",\"idKeys\":[\"b\"]}")
    static const struct row rows[] = {
        {"service{};host{b=2}", HOST, 1}, {"invalid{syntax;host{b=2}", HOST, 1}, {"service;host{b=2}", HOST, 1},
        {"{a=1};host{b=2}", HOST, 1}, {"1x{a=1};host{b=2}", HOST, 1}, {"a b{a=1};host{b=2}", HOST, 1},
        {"service{a};host{b=2}", HOST, 1}, {"service{=1};host{b=2}", HOST, 1}, {"service{a=1,};host{b=2}", HOST, 1},
        {"service{1a=1};host{b=2}", HOST, 1}, {"service{a=1=2};host{b=2}", HOST, 1}, {"service{a=[};host{b=2}", HOST, 1},
        {"service{a=%};host{b=2}", HOST, 1}, {"service{a=%00};host{b=2}", HOST, 1}, {"service{a=1}[c=3;host{b=2}", HOST, 1},
        {"service{a=1}x;host{b=2}", HOST, 1}, {"service{a=1}[c];host{b=2}", HOST, 1}, {"x;y;host{b=2}", HOST, 2},
        {"host{b=2}@invalid-url", HOST, 1}, {"host{b=2}@", HOST, 1}, {"host{b=2}@http:", HOST, 1}, {"host{b=2}@a b:c", HOST, 1},
    };
    CHECK(rows);
}

static void of_a_type_the_last_holds_and_so_does_a_description(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"service{a=1}[v=1];service{a=1}[v=2]",
         RESOURCE(ATTR("a", "1") "," ATTR("v", "2"), "{\"type\":\"service\",\"idKeys\":[\"a\"],\"descriptionKeys\":[\"v\"]}"), 1},
        {"service{a=1};service{a=2}", RESOURCE(ATTR("a", "2"), "{\"type\":\"service\",\"idKeys\":[\"a\"]}"), 1},
        {"x{a=1}[v=1,w=1];y{b=2}[v=2]",
         RESOURCE(ATTR("a", "1") "," ATTR("w", "1") "," ATTR("b", "2") "," ATTR("v", "2"),
                  "{\"type\":\"x\",\"idKeys\":[\"a\"],\"descriptionKeys\":[\"w\"]},{\"type\":\"y\",\"idKeys\":[\"b\"],\"descriptionKeys\":[\"v\"]}"), 1},
    };
    CHECK(rows);
}

static void they_are_in_the_resource_below_what_the_attributes_say(void **state)
{
    (void)state;
    set_variable("OTEL_ENTITIES", "host{host.id=there}[host.name=web];deployment{x=1}");
    set_variable("OTEL_RESOURCE_ATTRIBUTES", "x=2");
    set_variable("WHENCE_RESOURCE_DETECTORS", "host");
    wh_resource *resource = wh__env_resource("orders", NULL);
    const char *json = json_of(resource);
    assert_int_equal(said_count, 0);
    assert_non_null(strstr(json, ATTR("host.id", "there")));
    assert_non_null(strstr(json, ATTR("host.name", "web")));
    assert_non_null(strstr(json, ATTR("x", "2")));
    assert_non_null(strstr(json, ATTR("service.name", "orders")));
    assert_non_null(strstr(json, "\"entityRefs\":[{\"type\":\"host\",\"idKeys\":[\"host.id\"],\"descriptionKeys\":[\"host.name\"]},"
                                 "{\"type\":\"deployment\",\"idKeys\":[\"x\"]}]"));
    wh_resource_free(resource);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HEARING(entities_are_attributes_and_what_they_identify),
        HEARING(what_is_malformed_is_left_out_and_the_rest_holds),
        HEARING(of_a_type_the_last_holds_and_so_does_a_description),
        HEARING(they_are_in_the_resource_below_what_the_attributes_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
