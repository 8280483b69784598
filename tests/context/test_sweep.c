/* Every allocation of every public call fails in turn: in each scenario the first, the second, the third, until none does.
 * Nothing hangs, nothing is lost, and all blocks come back; what has leaked beside them AddressSanitizer says. */
#include "memory_tools.h"
#include "scenarios.h"

/* What the first run makes for good, threads and records, is there before any of it is counted. */
static int set_up(void **state)
{
    (void)state;
    for (size_t i = 0; i < scenario_count; i++) scenarios[i].run();
    wh__mem_gate = gate;
    return scenario_failed;
}

static int tear_down(void **state)
{
    (void)state;
    wh__mem_gate = NULL;
    return 0;
}

/* What the system is asked for: the pages from which blocks come, and whatever is larger. */
static void T007_each_time_that_the_system_is_asked(void **state)
{
    (void)state;
    int failures = 0;
    for (size_t i = 0; i < scenario_count; i++) {
        int number = 0;
        for (;; number++) {
            leave_of_each_size(0);
            asked = 0;
            fails_at = number;
            scenarios[i].run();
            fails_at = -1;
            give_all_back();
            if (scenario_failed) fail_msg("%s, without allocation %d", scenarios[i].name, number + 1);
            if (asked <= number) break;
        }
        failures += number;
        print_message("           %s: %d\n", scenarios[i].name, number);
    }
    print_message("           %d allocations failed, one at a time\n", failures);
    assert_true(failures > (int)scenario_count);
}

/* Of one size there are so many blocks, and no more; of the others enough. */
static int sweep_blocks(const struct scenario *scenario, enum wh__size size)
{
    enum { ENOUGH = 400 };
    int blocks = 0;
    for (;; blocks++) {
        leave_of_each_size(ENOUGH);
        leave_of(size, blocks);
        refused = 0;
        fail_pages = true;
        scenario->run();
        const int failures = refused;
        assert_left_of(size, blocks);
        fail_pages = false;
        give_all_back();
        if (scenario_failed) fail_msg("%s, with %d blocks of size %d", scenario->name, blocks, size);
        if (!failures) return blocks;
        assert_true(blocks < ENOUGH);
    }
}

static void T007_T168_each_block(void **state)
{
    (void)state;
    int failures = 0;
    for (size_t i = 0; i < scenario_count; i++)
        for (int size = 0; size < WH__SIZES; size++) failures += sweep_blocks(&scenarios[i], (enum wh__size)size);
    print_message("           %d blocks were the last\n", failures);
    assert_true(failures > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(T007_each_time_that_the_system_is_asked, set_up, tear_down),
        cmocka_unit_test_setup_teardown(T007_T168_each_block, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("sweep", tests, NULL, NULL);
}
