/* Every way in which a span can end early, and all that it says then: attributes, events, link and status, with both policies. */
#include <stdlib.h>
#include <string.h>

#include "ways.h"

static struct wh_span_view first_named(struct spans *spans, const char *name)
{
    struct wh_span_view view;
    if (!wh_memory_find(spans->memory, name, &view)) fail_msg("no span \"%s\"", name);
    return view;
}

/* NULL: it is not to be there. A message may say more than is known beforehand. */
static void assert_text(const struct wh_span_view *span, const char *key, const char *part)
{
    if (!part) {
        if (span_has(span, key)) fail_msg("%s says %s", key, span_text(span, key));
        return;
    }
    if (!strstr(span_text(span, key), part)) fail_msg("%s says %s, not %s", key, span_text(span, key), part);
}

static void assert_id(const struct wh_span_view *span, const char *key, const uint8_t *id, size_t size)
{
    assert_string_equal(span_text(span, key), hex(id, size));
}

/* By its name: two of one name may be meant by it. */
static void assert_is_span(struct spans *spans, const struct wh_span_view *span, const char *id_key, const char *name)
{
    struct wh_span_view view;
    char id[17];
    snprintf(id, sizeof id, "%s", span_text(span, id_key));
    for (size_t i = 0; wh_memory_span(spans->memory, i, &view); i++)
        if (view.name.len == strlen(name) && memcmp(view.name.ptr, name, view.name.len) == 0 && strcmp(hex(view.span_id, 8), id) == 0) return;
    fail_msg("%s is %s, which is no span \"%s\"", id_key, id, name);
}

static void assert_origin(struct spans *spans, const struct wh_span_view *victim, const struct way *way)
{
    if (!way->origin) {
        assert_text(victim, WH_ATTR_CANCEL_ORIGIN_SPAN_ID, NULL);
        assert_text(victim, WH_ATTR_CANCEL_ORIGIN_TRACE_ID, NULL);
        assert_text(victim, WH_ATTR_CANCEL_ORIGIN_SPAN_NAME, NULL);
    } else if (strcmp(way->origin, "remote") == 0) {
        assert_string_equal(span_text(victim, WH_ATTR_CANCEL_ORIGIN_SPAN_ID), REMOTE_SPAN);
        assert_string_equal(span_text(victim, WH_ATTR_CANCEL_ORIGIN_TRACE_ID), REMOTE_TRACE);
        assert_text(victim, WH_ATTR_CANCEL_ORIGIN_SPAN_NAME, NULL);
    } else {
        assert_is_span(spans, victim, WH_ATTR_CANCEL_ORIGIN_SPAN_ID, way->origin);
        assert_id(victim, WH_ATTR_CANCEL_ORIGIN_TRACE_ID, victim->trace_id, 16);
        assert_string_equal(span_text(victim, WH_ATTR_CANCEL_ORIGIN_SPAN_NAME), way->origin);
    }
    assert_int_equal(span_int(victim, WH_ATTR_CANCEL_DEPTH), way->depth);
}

static void assert_cancel(struct spans *spans, const struct wh_span_view *victim, const struct way *way)
{
    struct wh_event_view event;
    const bool received = span_event(victim, WH_EVENT_CANCEL_RECEIVED, &event);
    assert_int_equal(received, way->reason != NULL);
    assert_int_equal(span_has(victim, WH_ATTR_CANCELLED), way->reason != NULL);
    assert_text(victim, WH_ATTR_CANCEL_REASON, way->reason);
    assert_text(victim, WH_ATTR_CANCEL_MESSAGE, way->message);
    assert_text(victim, WH_ATTR_CANCEL_SITE, way->site);
    assert_int_equal(span_has(victim, WH_ATTR_CANCEL_OVERRUN_MS), way->reason != NULL);
    assert_int_equal(span_has(victim, WH_ATTR_CANCEL_SUPPRESSED_COUNT), way->suppressed > 0);
    if (way->suppressed) {
        assert_int_equal(span_int(victim, WH_ATTR_CANCEL_SUPPRESSED_COUNT), way->suppressed);
        assert_text(victim, WH_ATTR_CANCEL_SUPPRESSED, "sibling_failed at ways.c:");
        assert_text(victim, WH_ATTR_CANCEL_SUPPRESSED, " +");
    } else {
        assert_text(victim, WH_ATTR_CANCEL_SUPPRESSED, NULL);
    }
    if (!way->reason) return;
    assert_true(span_bool(victim, WH_ATTR_CANCELLED));
    assert_true(strncmp(span_text(victim, WH_ATTR_CANCEL_SITE), "ways.c:", 7) == 0);
    assert_true(span_double(victim, WH_ATTR_CANCEL_OVERRUN_MS) >= 0);
    assert_origin(spans, victim, way);
}

/* One that is requested stands on one span alone, the one on whose context cancel was called. */
static void assert_requested(struct spans *spans, const struct way *way)
{
    struct wh_span_view view;
    struct wh_event_view event;
    for (size_t i = 0; wh_memory_span(spans->memory, i, &view); i++) {
        const bool is_it = way->requested && view.name.len == strlen(way->requested) && memcmp(view.name.ptr, way->requested, view.name.len) == 0;
        assert_int_equal(span_event(&view, WH_EVENT_CANCEL_REQUESTED, &event), is_it);
    }
}

static void assert_linked(struct spans *spans, const struct wh_span_view *victim, const struct way *way)
{
    struct wh_cursor cursor = {victim->raw};
    struct wh_link_view link;
    const bool any = wh_next_link(&cursor, &link);
    assert_int_equal(any, way->link != NULL);
    if (!any) return;
    assert_id(victim, WH_ATTR_CANCEL_ORIGIN_SPAN_ID, link.span_id, 8);
    assert_is_span(spans, victim, WH_ATTR_CANCEL_ORIGIN_SPAN_ID, way->link);
    assert_false(wh_next_link(&cursor, &link));
}

static void assert_status(const struct wh_span_view *victim, const struct way *way, bool cancelled_is_error)
{
    const bool benign = !way->error, is_error = !benign || (cancelled_is_error && way->reason);
    assert_int_equal(victim->status, is_error ? WH_STATUS_ERROR : WH_STATUS_UNSET);
    const char *type = !benign ? way->error : is_error ? way->reason : NULL;
    assert_text(victim, WH_ATTR_ERROR_TYPE, type && *type ? type : NULL);
    const bool has_failed = !way->reason && type && *type;
    assert_int_equal(span_has(victim, WH_ATTR_FAILURE_SITE), has_failed);
    if (has_failed) assert_text(victim, WH_ATTR_FAILURE_SITE, "ways.c:");
}

static void assert_chain(struct spans *spans, const struct wh_span_view *victim, const struct way *way)
{
    struct wh_attr_view chain, item;
    const bool any = wh_span_attr(victim, WH_ATTR_CAUSE_CHAIN, &chain);
    assert_int_equal(any, way->chain[0] != NULL);
    assert_int_equal(span_has(victim, WH_ATTR_CAUSE_ROOT_REASON), any);
    if (!any) return;
    assert_int_equal(chain.type, WH_ARRAY);
    size_t count = 0;
    for (struct wh_cursor cursor = {chain.as.bytes}; wh_next_item(&cursor, &item); count++) {
        char text[700];
        snprintf(text, sizeof text, "%.*s", (int)item.as.string.len, item.as.string.ptr);
        if (!way->chain[count] || strncmp(text, way->chain[count], strlen(way->chain[count]))) fail_msg("link %zu is %s", count, text);
    }
    assert_null(way->chain[count]);
    const char *last = way->chain[count - 1];
    assert_memory_equal(span_text(victim, WH_ATTR_CAUSE_ROOT_REASON), last, strcspn(last, " "));
    if (!way->root) return;
    assert_string_equal(span_text(victim, WH_ATTR_CAUSE_ROOT_SPAN_NAME), way->root);
    assert_is_span(spans, victim, WH_ATTR_CAUSE_ROOT_SPAN_ID, way->root);
    assert_id(victim, WH_ATTR_CAUSE_ROOT_TRACE_ID, first_named(spans, way->root).trace_id, 16);
    assert_text(victim, WH_ATTR_CAUSE_ROOT_SITE, "ways.c:");
    assert_true(*span_text(victim, WH_ATTR_CAUSE_ROOT_SERVICE) != '\0');
}

static void assert_gave_up(const struct wh_span_view *victim, const struct way *way)
{
    struct wh_event_view event;
    const bool at_semaphore = way->gave_up && strcmp(way->gave_up, "semaphore") == 0;
    assert_text(victim, WH_ATTR_GAVE_UP, way->gave_up);
    assert_int_equal(span_event(victim, WH_EVENT_SEMAPHORE_GAVE_UP, &event), at_semaphore);
    assert_int_equal(span_event(victim, WH_EVENT_RETRY_GAVE_UP, &event), way->gave_up && !at_semaphore);
}

static void go(const struct way *way, bool cancelled_is_error)
{
    const struct wh_limits tight = {.attributes = 1, .events = 1, .links = 1, .event_attributes = 1, .link_attributes = 1};
    struct spans spans = spans_begin_with((struct wh_provider_opts){.cancelled_is_error = cancelled_is_error,
        .limits = cancelled_is_error ? tight : (struct wh_limits){0}});
    print_message("             %s\n", way->name);
    way->happen(&spans);
    assert_int_equal(wh_provider_flush(spans.provider, WH_SEC(10)), 0);
    const struct wh_span_view victim = first_named(&spans, "victim");
    assert_cancel(&spans, &victim, way);
    assert_requested(&spans, way);
    assert_linked(&spans, &victim, way);
    assert_status(&victim, way, cancelled_is_error);
    assert_chain(&spans, &victim, way);
    assert_gave_up(&victim, way);
    assert_text(&victim, WH_ATTR_DEADLINE_SOURCE, way->source);
    assert_text(&victim, WH_ATTR_DEADLINE_NEARLY_LATE, NULL);
    assert_int_equal(victim.dropped_attributes + victim.dropped_events + victim.dropped_links, 0);
    spans_end(&spans);
}

static void whoever_was_stopped_says_why(void **state)
{
    (void)state;
    for (size_t i = 0; i < way_count; i++) go(&ways[i], false);
}

/* And within limits that leave no room for anything. */
static void the_policy_makes_errors_of_the_benign(void **state)
{
    (void)state;
    for (size_t i = 0; i < way_count; i++) go(&ways[i], true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whoever_was_stopped_says_why),
        cmocka_unit_test(the_policy_makes_errors_of_the_benign),
    };
    return cmocka_run_group_tests_name("ways", tests, NULL, NULL);
}
