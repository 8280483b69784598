/* Small blocks: each is one's own, any thread may return it, and pages that nobody needs go back. */
#include "../context/tools.h"
#include "base/mem.h"
#include "base/slab.h"

static size_t bytes_of(enum wh__size size)
{
    return size == WH__KEPT ? 256 : (size_t)64 << size;
}

static void blocks_are_aligned_and_do_not_overlap(void **state)
{
    (void)state;
    enum { MANY = 3000 };
    for (int s = 0; s < WH__SIZES; s++) {
        const enum wh__size size = (enum wh__size)s;
        unsigned char *blocks[MANY];
        for (int i = 0; i < MANY; i++) {
            blocks[i] = wh__slab_get(size);
            assert_non_null(blocks[i]);
            assert_int_equal((uintptr_t)blocks[i] % 64, 0);
            memset(blocks[i], i, bytes_of(size));
        }
        for (int i = 0; i < MANY; i++) {
            for (size_t n = 0; n < bytes_of(size); n++) assert_int_equal(blocks[i][n], (unsigned char)i);
            wh__slab_put(blocks[i]);
        }
    }
    wh__slab_put_if(NULL);
}

static void empty_pages_go_back_all_but_one_of_a_size(void **state)
{
    (void)state;
    enum { MANY = 20000 };
    static void *blocks[MANY];
    const size_t before = wh__slab_pages();
    for (int i = 0; i < MANY; i++) blocks[i] = wh__slab_get((enum wh__size)(i % WH__SIZES));
    assert_true(wh__slab_pages() > before + 50);
    for (int i = 0; i < MANY; i++) wh__slab_put(blocks[i]);
    assert_true(wh__slab_pages() <= before + WH__SIZES);
}

/* What most programs do for ever: the system is not asked. */
static int asked;
static bool count_asking(size_t size)
{
    (void)size;
    __atomic_fetch_add(&asked, 1, __ATOMIC_RELAXED);
    return true;
}

static void one_block_again_and_again_asks_for_nothing(void **state)
{
    (void)state;
    void *others[200];
    for (int i = 0; i < 200; i++) others[i] = wh__slab_get(WH__128);
    wh__slab_put(wh__slab_get(WH__128));
    wh__mem_gate = count_asking;
    asked = 0;
    for (int i = 0; i < 10000; i++) wh__slab_put(wh__slab_get(WH__128));
    for (int i = 0; i < 200; i++) wh__slab_put(others[i]);
    for (int i = 0; i < 10000; i++) wh__slab_put(wh__slab_get(WH__128));
    assert_int_equal(asked, 0);
    wh__mem_gate = NULL;
}

static bool refuse(size_t size)
{
    (void)size;
    return false;
}

static void what_was_stocked_can_be_taken_without_asking(void **state)
{
    (void)state;
    void *taken = NULL;
    wh__mem_gate = refuse;
    for (void *block; (block = wh__slab_take(WH__512)); taken = block) *(void **)block = taken;
    assert_null(wh__slab_get(WH__512));
    wh__slab_stock(WH__512); /* without memory nothing happens */
    assert_null(wh__slab_take(WH__512));
    wh__mem_gate = NULL;
    wh__slab_stock(WH__512);
    wh__mem_gate = refuse;
    void *block = wh__slab_take(WH__512);
    assert_non_null(block);
    wh__slab_put(block);
    wh__mem_gate = NULL;
    for (void *next; taken; taken = next) {
        next = *(void **)taken;
        wh__slab_put(taken);
    }
}

/* ---- among threads ---- */

enum { BATCH = 500 };
struct parcel {
    struct gate gate;
    int rounds;
    uint32_t *blocks[BATCH];
    bool failed;
};

static void *return_them(void *arg)
{
    struct parcel *parcel = arg;
    for (int round = 0; round < parcel->rounds; round++) {
        meet(&parcel->gate, 2);
        for (uint32_t i = 0; i < BATCH; i++) {
            if (*parcel->blocks[i] != i) parcel->failed = true;
            wh__slab_put(parcel->blocks[i]);
        }
        meet(&parcel->gate, 2);
    }
    return NULL;
}

/* One takes, another returns: the memory comes back to who took it. */
static void what_others_return_is_used_again(void **state)
{
    (void)state;
    struct parcel parcel = {.rounds = rounds(2000)};
    const size_t before = wh__slab_pages();
    const pthread_t thread = start(return_them, &parcel);
    for (int round = 0; round < parcel.rounds; round++) {
        for (uint32_t i = 0; i < BATCH; i++) {
            parcel.blocks[i] = wh__slab_get((enum wh__size)(i % WH__SIZES));
            *parcel.blocks[i] = i;
        }
        meet(&parcel.gate, 2);
        for (int i = 0; i < 200; i++) wh__slab_put(wh__slab_get(WH__64)); /* meanwhile */
        meet(&parcel.gate, 2);
    }
    join(thread);
    assert_false(parcel.failed);
    assert_true(wh__slab_pages() <= before + 2 * WH__SIZES);
}

static void *take_some(void *arg)
{
    void **blocks = arg;
    for (int i = 0; i < BATCH; i++) blocks[i] = wh__slab_get(WH__256);
    return wh__current;
}

/* A record, and the pages in it, are the next thread's. */
static void who_comes_later_takes_over_what_was_left(void **state)
{
    (void)state;
    void *blocks[BATCH], *record, *next;
    const pthread_t first = start(take_some, blocks);
    pthread_join(first, &record);
    for (int i = 0; i < BATCH; i++) wh__slab_put(blocks[i]);
    const size_t pages = wh__slab_pages();
    for (int round = 0; round < 20; round++) {
        pthread_join(start(take_some, blocks), &next);
        assert_ptr_equal(next, record);
        for (int i = 0; i < BATCH; i++) wh__slab_put(blocks[i]);
    }
    assert_true(wh__slab_pages() <= pages + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_aligned_and_do_not_overlap),
        cmocka_unit_test(empty_pages_go_back_all_but_one_of_a_size),
        cmocka_unit_test(one_block_again_and_again_asks_for_nothing),
        cmocka_unit_test(what_was_stocked_can_be_taken_without_asking),
        cmocka_unit_test(what_others_return_is_used_again),
        cmocka_unit_test(who_comes_later_takes_over_what_was_left),
    };
    return cmocka_run_group_tests_name("slab", tests, NULL, NULL);
}
