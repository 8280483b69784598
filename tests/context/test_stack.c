/* How much stack the library takes: contexts are for coroutines and small threads, too. */
#include <fcntl.h>
#include <sys/mman.h>

#include <whence/test.h>

#include "context/tree.h"
#include "tools.h"

WH_REASON(reason_x, "x");
WH_KEY(number, int)

/* The stack of one thread, painted, so that one can see how deep it was used. */
enum { SIZE = 4 * 1024 * 1024, PAINT = 0x5a };

struct call {
    void (*fn)(void);
    const unsigned char *frame; /* of the thread's function, where the call begins */
};

/* Sanitizers keep the variables of a function apart, with much room in between. */
#if UNDER_ASAN || UNDER_TSAN
enum { LIMIT = 128 * 1024 };
#else
enum { LIMIT = 4096 };
#endif

static void *call_it(void *arg)
{
    struct call *call = arg;
    call->frame = __builtin_frame_address(0);
    call->fn();
    return NULL;
}

/* By way of the kernel, since for valgrind nothing is left on the stack of a thread that is gone. */
static size_t unused_of(const unsigned char *stack)
{
    unsigned char part[4096];
    size_t count = 0;
    const int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    assert_true(memory >= 0);
    for (size_t i = 0; i == count && count < SIZE; i += sizeof part) {
        assert_int_equal(pread(memory, part, sizeof part, (off_t)(uintptr_t)(stack + i)), (int)sizeof part);
        while (count < i + sizeof part && part[count - i] == PAINT) count++;
    }
    close(memory);
    return count;
}

/* The first time, symbols are bound and records made. */
static size_t depth_of(void (*fn)(void))
{
    struct call call = {.fn = fn};
    pthread_attr_t attr;
    fn();
    unsigned char *stack = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(stack != MAP_FAILED);
    memset(stack, PAINT, SIZE);
    assert_int_equal(pthread_attr_init(&attr), 0);
    assert_int_equal(pthread_attr_setstack(&attr, stack, SIZE), 0);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, &attr, call_it, &call), 0);
    join(thread);
    pthread_attr_destroy(&attr);
    const size_t unused = unused_of(stack);
    munmap(stack, SIZE);
    return (size_t)(call.frame - stack) - unused;
}

/* ---- the calls ---- */

static void nothing(void)
{
}

static void count(void *arg)
{
    ++*(int *)arg;
}

static void derive_and_end(void)
{
    wh_ctx *root = wh_with_cancel(NULL);
    wh_ctx *value = wh_with_number(root, 1);
    wh_ctx *timed = wh_with_timeout(value, WH_SEC(10));
    wh_ctx *detached = wh_detach(timed);
    wh_end(detached);
    wh_end(timed);
    wh_end(value);
    wh_end(root);
}

static void cancel_deep(void)
{
    enum { DEEP = 1000 };
    static wh_ctx *chain[DEEP];
    int ran = 0;
    for (int i = 0; i < DEEP; i++) chain[i] = wh_with_cancel(i ? chain[i - 1] : NULL);
    wh_after_inline(chain[DEEP - 1], count, &ran, NULL);
    wh_done_fd(chain[DEEP / 2]);
    wh_cancelf(chain[0], reason_x, "number %d", 5);
    wh_cancel(chain[5], reason_x, "later");
    for (int i = 0; i < DEEP; i++) wh_end(chain[i]);
}

static void ask_and_wait(void)
{
    struct wh_cause cause = {.size = sizeof cause};
    wh_ctx *ctx = wh_with_timeout(NULL, WH_US(100));
    wh_wait(ctx, WH_NEVER);
    wh_cause_info(ctx, &cause);
    static char words[400];
    wh_explain(ctx, words, sizeof words);
    wh_end(ctx);
}

static void call_back(void)
{
    int ran = 0;
    wh_callback *callback;
    wh_ctx *ctx = wh_with_cancel(NULL);
    wh_after(ctx, count, &ran, &callback);
    wh_stop_wait(callback);
    wh_end(ctx);
}

static int succeed(const wh_ctx *ctx, void *arg)
{
    (void)ctx, (void)arg;
    return 0;
}

static int fail_always(const wh_ctx *ctx, void *arg)
{
    (void)ctx, (void)arg;
    return 5;
}

static void work_together(void)
{
    struct wh_member_failure failure;
    wh_group *group = wh_group_new(NULL);
    wh_group_limit(group, 1);
    wh_go_optional(group, fail_always, NULL);
    wh_go(group, succeed, NULL);
    wh_group_stragglers(group, NULL, 0);
    wh_group_wait_until(group, 0);
    wh_group_wait(group);
    wh_group_failures(group, &failure, 1);
    wh_group_free(group);
    wh_retry(NULL, fail_always, NULL, .attempts = 3, .delay = WH_US(1));
}

static void log_it(void)
{
    static char line[400];
    wh_ctx *ctx = wh_with_timeout(NULL, WH_SEC(10));
    wh_cancelf(ctx, reason_x, "number %d", 5);
    wh_log_line(ctx, line, sizeof line);
    wh_end_because(ctx, WH_HANDLER_RETURNED);
}

static void wait_for_everything(void)
{
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
    static struct pollfd fds[130];
    size_t count;
    int ends[2];
    char byte;
    assert_int_equal(pipe(ends), 0);
    wh_ctx *ctx = wh_with_timeout(NULL, WH_US(300));
    wh_trigger *trigger;
    assert_int_equal(wh_trigger_new(ctx, &trigger), 0);
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++) fds[i] = (struct pollfd){.fd = ends[0], .events = POLLIN};
    wh_sleep(ctx, WH_US(1));
    wh_poll(ctx, fds, 127, WH_US(1), &count);
    wh_poll(ctx, fds, 130, WH_US(1), &count);
    wh_write(ctx, ends[1], "x", 1, &count);
    wh_read(ctx, ends[0], &byte, 1, &count);
    pthread_mutex_lock(&mutex);
    while (wh_cond_wait(ctx, &never, &mutex) == 0) continue;
    pthread_mutex_unlock(&mutex);
    wh_trigger_fire(trigger, NULL, 1);
    wh_trigger_free(trigger);
    wh_end(ctx);
    close(ends[0]);
    close(ends[1]);
}

static void look_at_the_living(void)
{
    const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    wh_track(WH_TRACK_LIVE | WH_TRACK_LATENCY);
    wh_ctx *root = wh_test_root(), *leak = wh_with_timeout(wh_todo(), WH_SEC(10));
    for (enum wh_dump_format format = WH_DUMP_TEXT; format <= WH_DUMP_DOT; format++) wh_dump(nowhere, format);
    wh_report_leaks(nowhere);
    wh_cancelf(leak, reason_x, "a text");
    wh_end(leak);
    wh_report_latency(nowhere);
    wh_test_end(root);
    wh_track(0);
    close(nowhere);
}

static void merge(void)
{
    enum { DEEP = 1000 };
    static wh_ctx *chain[DEEP];
    wh_ctx *root = wh_with_number(NULL, 1), *shared = wh_with_cancel(root);
    chain[0] = wh_with_cancel(NULL);
    for (int i = 1; i < DEEP; i++) chain[i] = wh_merge(chain[i - 1], shared);
    wh_number(chain[DEEP - 1]);
    wh_cancelf(chain[0], reason_x, "number %d", 5);
    wh_explain(chain[DEEP - 1], (char[400]){0}, 400);
    for (int i = 0; i < DEEP; i++) wh_end(chain[i]);
    wh_end(shared);
    wh_end(root);
}

static void move_a_clock(void)
{
    wh_clock *clock = wh_clock_new(0);
    wh_ctx *root = wh_with_clock(NULL, clock);
    wh_ctx *timed = wh_with_timeout(root, 10), *later = wh_with_timeout(root, 20);
    wh_clock_advance(clock, 15);
    wh_wait(later, 0);
    wh_end(timed);
    wh_end(later);
    wh_end(root);
    wh_clock_free(clock);
}

static void T169_no_call_takes_more_than_four_kilobytes(void **state)
{
    (void)state;
    const size_t floor = depth_of(nothing);
    void (*const calls[])(void) = {derive_and_end, cancel_deep, ask_and_wait, call_back, work_together, log_it,
        wait_for_everything, look_at_the_living, merge, move_a_clock};
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        const size_t depth = depth_of(calls[i]);
        print_message("           %zu bytes, of which the thread itself %zu\n", depth, floor);
        assert_true(depth < LIMIT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(T169_no_call_takes_more_than_four_kilobytes),
    };
    return cmocka_run_group_tests_name("stack", tests, NULL, NULL);
}
