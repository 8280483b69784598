/* How much stack the library takes: contexts are for coroutines and small threads, too. */
#include <fcntl.h>
#include <sys/mman.h>

#include "scenarios.h"
#include "tools.h"

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

static void nothing(void)
{
}

static void T169_no_call_takes_more_than_four_kilobytes(void **state)
{
    (void)state;
    const size_t floor = depth_of(nothing);
    for (size_t i = 0; i < scenario_count; i++) {
        const size_t depth = depth_of(scenarios[i].run);
        print_message("           %s: %zu bytes, of which the thread itself %zu\n", scenarios[i].name, depth, floor);
        assert_true(depth < LIMIT);
    }
    assert_false(scenario_failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(T169_no_call_takes_more_than_four_kilobytes),
    };
    return cmocka_run_group_tests_name("stack", tests, NULL, NULL);
}
