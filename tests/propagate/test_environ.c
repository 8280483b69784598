/* The environment as a carrier (OpenTelemetry, context/env-carriers.md), up to a child that is started with one. */
#include "carrier.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gate.h"
#include "propagate/environ.h"

extern char **environ;

#define TRACE "0af7651916cd43dd8448eb211c80319c"
#define TRACEPARENT "00-" TRACE "-b7ad6b7169203331-01"

static const char *own_path;

static const char *value_of(char **envp, const char *name)
{
    const size_t len = strlen(name);
    for (; *envp; envp++)
        if (strncmp(*envp, name, len) == 0 && (*envp)[len] == '=') return *envp + len + 1;
    return NULL;
}

static size_t length(char *const *envp)
{
    size_t count = 0;
    while (envp[count]) count++;
    return count;
}

static void names_are_normalised(void **state)
{
    (void)state;
    static const struct { const char *field, *is; } rows[] = {
        {"traceparent", "TRACEPARENT"}, {"tracestate", "TRACESTATE"}, {"baggage", "BAGGAGE"}, {"X-B3-TraceId", "X_B3_TRACEID"},
        {"uber-trace-id", "UBER_TRACE_ID"}, {"a.b c", "A_B_C"}, {"1abc", "_1ABC"}, {"", "_"}, {"_x", "_X"}, {"\xc3\xa4", "__"}, {"a9", "A9"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char name[64];
        assert_int_equal(wh__env_name(name, sizeof name, rows[i].field), strlen(rows[i].is));
        assert_string_equal(name, rows[i].is);
    }
    char small[4];
    assert_int_equal(wh__env_name(small, sizeof small, "traceparent"), 3);
    assert_string_equal(small, "TRA");
}

static wh_ctx *some_context(void)
{
    struct carrier in = {0};
    carrier_add(&in, "traceparent", TRACEPARENT);
    carrier_add(&in, "tracestate", "a=1,b=2");
    carrier_add(&in, "baggage", "tenant=blue;m");
    carrier_add(&in, "x-request-id", "r-17");
    wh_ctx *ctx = wh_extract(NULL, carrier_get, &in);
    carrier_clear(&in);
    return ctx;
}

static void an_environment_is_made_without_touching_ours(void **state)
{
    (void)state;
    setenv("TRACEPARENT", "ours", 1);
    setenv("WHENCE_TIMEOUT", "ours", 1);
    char **before = environ;
    const size_t count = length(environ);
    WH_AUTO wh_ctx *ctx = some_context();
    char **envp = wh_inject_env(ctx, NULL);
    assert_non_null(envp);
    assert_ptr_equal(environ, before);
    assert_int_equal(length(environ), count);
    assert_string_equal(getenv("TRACEPARENT"), "ours");
    assert_string_equal(value_of(envp, "TRACEPARENT"), TRACEPARENT);
    assert_string_equal(value_of(envp, "TRACESTATE"), "a=1,b=2");
    assert_string_equal(value_of(envp, "BAGGAGE"), "tenant=blue;m");
    assert_string_equal(value_of(envp, "X_REQUEST_ID"), "r-17");
    assert_null(value_of(envp, "WHENCE_TIMEOUT")); /* ours is not the child's */
    assert_string_equal(value_of(envp, "PATH"), getenv("PATH"));
    assert_int_equal(length(envp), count - 2 + 4);
    free(envp);
    unsetenv("TRACEPARENT");
    unsetenv("WHENCE_TIMEOUT");
}

static void an_environment_of_ones_own_is_completed(void **state)
{
    (void)state;
    char *const own[] = {"HOME=/", "BAGGAGE=old=1", "TRACEPARENTS=not one", "odd", NULL}, *const empty[] = {NULL};
    WH_AUTO wh_ctx *ctx = some_context(), *late = wh_with_timeout(ctx, WH_SEC(100));
    char **envp = wh_inject_env(late, own);
    assert_string_equal(value_of(envp, "HOME"), "/");
    assert_string_equal(value_of(envp, "TRACEPARENTS"), "not one");
    assert_string_equal(value_of(envp, "BAGGAGE"), "tenant=blue;m");
    assert_non_null(value_of(envp, "WHENCE_TIMEOUT"));
    assert_int_equal(length(envp), 3 + 5);
    free(envp);
    envp = wh_inject_env(wh_background(), empty);
    assert_null(envp[0]);
    free(envp);
}

static int allocations;

static bool count_allocations(size_t size)
{
    (void)size;
    allocations++;
    return true;
}

static void it_is_one_block_of_memory_or_none(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *ctx = some_context();
    allocations = 0;
    wh__mem_gate = count_allocations;
    char **envp = wh_inject_env(ctx, NULL);
    wh__mem_gate = NULL;
    assert_int_equal(allocations, 1);
    free(envp);
    memory_ends_after(0);
    assert_null(wh_inject_env(ctx, NULL));
    assert_true(memory_is_back());
}

static void a_context_is_extracted_from_ours(void **state)
{
    (void)state;
    char id[33];
    struct wh_span_context span;
    setenv("TRACEPARENT", TRACEPARENT, 1);
    setenv("TRACESTATE", "x=1", 1);
    setenv("BAGGAGE", "a=%20", 1);
    setenv("WHENCE_TIMEOUT", "100S", 1);
    setenv("traceparent", "00-11111111111111111111111111111111-2222222222222222-01", 1); /* not normalised: another variable */
    WH_AUTO wh_ctx *ctx = wh_extract_env(NULL);
    assert_string_equal(wh_trace_id_hex(ctx, id), TRACE);
    assert_true(wh_span_of(ctx, &span));
    assert_true(span.remote);
    assert_string_equal(span.tracestate, "x=1");
    assert_string_equal(wh_baggage(ctx, "a"), " ");
    assert_true(wh_remaining(ctx) <= WH_SEC(100));
    unsetenv("TRACEPARENT");
    unsetenv("TRACESTATE");
    unsetenv("BAGGAGE");
    unsetenv("WHENCE_TIMEOUT");
    unsetenv("traceparent");
    WH_AUTO wh_ctx *none = wh_extract_env(NULL);
    assert_false(wh_span_of(none, &span));
    assert_int_equal(wh_err(none), 0);
}

static void other_formats_travel_in_it_too(void **state)
{
    (void)state;
    char *const empty[] = {NULL};
    assert_int_equal(wh_set_propagators_named("b3multi,jaeger"), 0);
    WH_AUTO wh_ctx *ctx = extract_one(wh_b3_propagator(), "b3", TRACE "-b7ad6b7169203331-1");
    char **envp = wh_inject_env(ctx, empty);
    assert_string_equal(value_of(envp, "X_B3_TRACEID"), TRACE);
    assert_string_equal(value_of(envp, "UBER_TRACE_ID"), TRACE ":b7ad6b7169203331:0:1");
    char **ours = environ;
    char id[33];
    environ = envp;
    WH_AUTO wh_ctx *back = wh_extract_env(NULL);
    environ = ours;
    assert_string_equal(wh_trace_id_hex(back, id), TRACE);
    free(envp);
    assert_int_equal(wh_set_propagators_named(NULL), 0);
}

/* ---- a child ---- */

/* What the child does: says what it has been told, of itself and of a span that it starts. */
static int be_the_child(void)
{
    char id[33];
    struct wh_span_context span, own;
    struct spans spans = spans_begin();
    wh_ctx *from = wh_extract_env(spans.root);
    wh_ctx *work = wh_start(from, "work");
    const bool same = wh_span_of(from, &span) && wh_span_of(work, &own) && memcmp(span.trace_id, own.trace_id, 16) == 0;
    printf("%s %s %s %s %d\n", wh_trace_id_hex(work, id), same ? "goes on" : "is new", wh_baggage(work, "tenant"), wh_request_id(work),
        wh_remaining(work) < WH_SEC(100));
    wh_end(work);
    wh_end(from);
    spans_end(&spans);
    return 0;
}

static void a_child_goes_on_with_the_trace(void **state)
{
    (void)state;
    char *const argv[] = {(char *)own_path, "--child", NULL};
    for (int spawn = 0; spawn < 2; spawn++) {
        int ends[2], status;
        char said[256] = "";
        WH_AUTO wh_ctx *ctx = some_context(), *late = wh_with_timeout(ctx, WH_SEC(99));
        char **envp = wh_inject_env(late, NULL);
        pid_t pid;
        assert_int_equal(pipe(ends), 0);
        if (spawn) {
            posix_spawn_file_actions_t actions;
            posix_spawn_file_actions_init(&actions);
            posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
            assert_int_equal(posix_spawn(&pid, own_path, &actions, NULL, argv, envp), 0);
            posix_spawn_file_actions_destroy(&actions);
        } else {
            pid = fork();
            assert_int_not_equal(pid, -1);
            if (pid == 0) {
                dup2(ends[1], 1);
                execve(own_path, argv, envp);
                _exit(127);
            }
        }
        close(ends[1]);
        free(envp);
        size_t len = 0;
        for (ssize_t got; (got = read(ends[0], said + len, sizeof said - 1 - len)) > 0; len += (size_t)got) continue;
        close(ends[0]);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        assert_string_equal(said, TRACE " goes on blue r-17 1\n");
    }
}

int main(int argc, char **argv)
{
    own_path = argv[0];
    if (argc > 1 && strcmp(argv[1], "--child") == 0) return be_the_child();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_normalised),
        cmocka_unit_test(an_environment_is_made_without_touching_ours),
        cmocka_unit_test(an_environment_of_ones_own_is_completed),
        cmocka_unit_test(it_is_one_block_of_memory_or_none),
        cmocka_unit_test(a_context_is_extracted_from_ours),
        cmocka_unit_test(other_formats_travel_in_it_too),
        cmocka_unit_test(a_child_goes_on_with_the_trace),
    };
    return cmocka_run_group_tests_name("environ", tests, NULL, NULL);
}
