/* Whole requests: taken apart into batches, or refused. */
#include <errno.h>

#include "bytes.h"
#include "reading.h"

/* Two resources; in each, two scopes; in each of those, `count` spans and one in which a name says where it belongs. */
static void build_request(struct bytes *request, size_t count)
{
    request->len = 0;
    for (char r = '1'; r <= '2'; r++) {
        static struct bytes resource_spans, scope_spans;
        resource_spans.len = 0;
        for (char s = '1'; s <= '2'; s++) {
            const char scope[] = {0x0a, 1, s}, span[] = {0x2a, 2, r, s}, empty[] = {0x30, 1};
            scope_spans.len = 0;
            for (size_t i = 0; i < count; i++) put_len(&scope_spans, 2, empty, sizeof empty);
            put_len(&scope_spans, 2, span, sizeof span);
            put_len(&scope_spans, 1, scope, sizeof scope); /* after the spans: order means nothing */
            put_len(&resource_spans, 2, scope_spans.bytes, scope_spans.len);
        }
        const char resource[] = {0x10, (char)(r - '0')};
        put_len(&resource_spans, 1, resource, sizeof resource);
        put_len(request, 1, resource_spans.bytes, resource_spans.len);
    }
}

struct seen {
    size_t spans, batches, named;
    int answer;
};

static int see(const struct wh_batch *batch, void *arg)
{
    struct seen *seen = arg;
    struct wh_span_view view;
    assert_true(batch->count > 0 && batch->size == sizeof *batch);
    seen->batches++;
    seen->spans += batch->count;
    for (size_t i = 0; i < batch->count; i++) {
        if (!wh_span_read(batch->scopes[0].spans[i], &view) || view.name.len != 2) continue;
        const char resource[] = {0x10, (char)(view.name.ptr[0] - '0')}, scope[] = {0x0a, 1, view.name.ptr[1]};
        assert_int_equal(batch->resource.len, sizeof resource);
        assert_memory_equal(batch->resource.ptr, resource, sizeof resource);
        assert_int_equal(batch->scopes[0].scope.len, sizeof scope);
        assert_memory_equal(batch->scopes[0].scope.ptr, scope, sizeof scope);
        seen->named++;
    }
    return seen->answer;
}

static void a_request_comes_apart_scope_by_scope(void **state)
{
    (void)state;
    static struct bytes request;
    struct seen seen = {0};
    build_request(&request, 600); /* more than one batch for each scope */
    assert_int_equal(wh_read_request(bytes_of(&request), see, &seen), 0);
    assert_int_equal(seen.spans, 4 * 601);
    assert_int_equal(seen.named, 4);
    assert_true(seen.batches >= 4);
    seen = (struct seen){.answer = ENOSPC};
    assert_int_equal(wh_read_request(bytes_of(&request), see, &seen), ENOSPC);
    assert_int_equal(seen.batches, 1);
    assert_int_equal(wh_read_request((struct wh_bytes){NULL, 0}, see, &seen), 0);
    assert_int_equal(seen.batches, 1);
}

static int read_silently(const struct wh_batch *batch, void *arg)
{
    (void)arg;
    read_all(batch->resource);
    read_all(batch->scopes[0].scope);
    for (size_t i = 0; i < batch->count; i++) read_all(batch->scopes[0].spans[i]);
    return 0;
}

static void a_broken_request_is_refused(void **state)
{
    (void)state;
    static struct bytes request;
    build_request(&request, 3);
    size_t good = 0;
    for (size_t len = 0; len <= request.len; len++) {
        const struct wh_bytes prefix = copy_of(request.bytes, len);
        const int rc = wh_read_request(prefix, read_silently, NULL);
        assert_true(rc == 0 || rc == EBADMSG);
        good += rc == 0;
        free_copy(prefix);
    }
    assert_int_equal(good, 3); /* nothing, one resource, both */
    for (int i = 0; i < 5000; i++) {
        const struct wh_bytes mutant = mutant_of(bytes_of(&request));
        const int rc = wh_read_request(mutant, read_silently, NULL);
        assert_true(rc == 0 || rc == EBADMSG);
        free_copy(mutant);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_comes_apart_scope_by_scope),
        cmocka_unit_test(a_broken_request_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
