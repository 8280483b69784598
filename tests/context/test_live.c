/* The list itself: while others make, cancel and end contexts, across threads, forks and lack of memory. */
#include "gate.h"
#include "live_tools.h"

WH_REASON(reason_x, "x");
WH_KEY(number, int)

/* ---- many, while others change them ---- */

enum { THREADS = 8, OWN = 64 };

struct mutators {
    wh_ctx *root;
    bool stop;
    pthread_t threads[THREADS];
};

static wh_ctx *make_one(const wh_ctx *parent, uint32_t random)
{
    switch (random % 6) {
    case 0: return wh_with_cancel(parent);
    case 1: return wh_with_number(parent, 1);
    case 2: return wh_detach(parent);
    case 3: return wh_with_timeout(parent, WH_US(random % 2048));
    case 4: return wh_with_timeout(parent, WH_SEC(100));
    default: return wh_with_cancel(NULL);
    }
}

static void *mutate(void *arg)
{
    struct mutators *all = arg;
    wh_ctx *own[OWN] = {NULL};
    uint32_t seed = (uint32_t)(uintptr_t)&seed | 1;
    while (!__atomic_load_n(&all->stop, __ATOMIC_RELAXED)) {
        const uint32_t random = next_random(&seed);
        wh_ctx **place = &own[random % OWN];
        const wh_ctx *other = own[(random >> 8) % OWN];
        if (random >> 30 == 0) wh_cancel(*place, reason_x, "by a mutator");
        wh_end(*place);
        *place = other == *place ? NULL : make_one(other ? other : all->root, random >> 16);
        if (random >> 28 == 15) sched_yield();
    }
    for (int i = 0; i < OWN; i++) wh_end(own[i]);
    return NULL;
}

static void begin(struct mutators *all)
{
    *all = (struct mutators){.root = wh_with_cancel(NULL)};
    for (int i = 0; i < THREADS; i++) all->threads[i] = start(mutate, all);
}

static void end(struct mutators *all)
{
    __atomic_store_n(&all->stop, true, __ATOMIC_RELAXED);
    for (int i = 0; i < THREADS; i++) join(all->threads[i]);
    wh_end(all->root);
}

/* Linked, it must hang together: ids ascend, a child is younger than its parent, and who stood there all the time is
 * there. */
static void check(const struct wh__snapshot *snapshot, wh_ctx *const *standing, size_t count)
{
    for (size_t i = 0; i < snapshot->count; i++) {
        const struct wh__seen *seen = &snapshot->list[i];
        assert_true(i == 0 || seen->id > seen[-1].id);
        assert_true(seen->parent < seen->id);
        assert_true(seen->err == 0 || seen->err == ECANCELED || seen->err == ETIMEDOUT);
        assert_true((seen->err == 0) == (seen->reason == NULL));
    }
    for (size_t i = 0; i < count; i++) {
        const int32_t at = wh__snapshot_find(snapshot, id_of(standing[i]));
        assert_true(at != WH__NONE);
        const struct wh__seen *seen = &snapshot->list[at];
        assert_ptr_equal(seen->address, standing[i]);
        assert_int_equal(seen->stage, WH__OWNED);
        assert_int_equal(seen->refs, 1);
    }
    size_t drawn = 0;
    uint32_t depth = 0;
    for (int32_t at = snapshot->roots; at != WH__NONE; at = wh__snapshot_next(snapshot, at, &depth)) drawn++;
    assert_int_equal(drawn, snapshot->count);
}

/* Who was made and ended before it began is not in it. */
static void look_for_the_dead(const struct wh__snapshot *snapshot, const uint64_t *dead, size_t count)
{
    for (size_t i = 0; i < count; i++) assert_int_equal(wh__snapshot_find(snapshot, dead[i]), WH__NONE);
}

static void T173_a_hundred_thousand_are_read_in_slices_while_eight_threads_change_them(void **state)
{
    (void)state;
    const size_t many = (size_t)rounds(getenv("WHENCE_LONG") ? 100000 : 10000);
    enum { DEAD = 100 };
    uint64_t dead[DEAD];
    struct mutators all;
    wh_ctx **standing = calloc(many, sizeof(wh_ctx *));
    assert_non_null(standing);
    wh_track(WH_TRACK_LIVE);
    begin(&all);
    for (size_t i = 0; i < many; i++) standing[i] = i % 8 ? wh_with_cancel(all.root) : wh_with_number(all.root, 1);
    for (int round = 0; round < 3; round++) {
        struct wh__snapshot snapshot;
        for (int i = 0; i < DEAD; i++) {
            wh_ctx *ctx = wh_with_cancel(all.root);
            dead[i] = id_of(ctx);
            wh_end(ctx);
        }
        assert_int_equal(wh__snapshot_take(&snapshot), 0);
        assert_true(snapshot.longest <= WH_DUMP_SLICE);
        assert_true(snapshot.slices >= many / WH_DUMP_SLICE);
        wh__snapshot_link(&snapshot);
        check(&snapshot, standing, many);
        look_for_the_dead(&snapshot, dead, DEAD);
        wh__snapshot_free(&snapshot);
    }
    const int fd = paper();
    for (enum wh_dump_format format = WH_DUMP_TEXT; format <= WH_DUMP_DOT; format++)
        assert_int_equal(wh_dump(fd, format), 0);
    assert_int_equal(wh_report_leaks(fd), 0);
    close(fd);
    end(&all);
    for (size_t i = 0; i < many; i++) wh_end(standing[i]);
    free(standing);
}

static void *dump_on_and_on(void *arg)
{
    const bool *stop = arg;
    while (!__atomic_load_n(stop, __ATOMIC_RELAXED)) {
        struct wh__snapshot snapshot;
        wh__snapshot_take(&snapshot);
        wh__snapshot_free(&snapshot);
    }
    return NULL;
}

static void T173_several_dumps_at_once(void **state)
{
    (void)state;
    bool stop = false;
    struct mutators all;
    pthread_t dumpers[3];
    wh_track(WH_TRACK_LIVE);
    begin(&all);
    for (int i = 0; i < 3; i++) dumpers[i] = start(dump_on_and_on, &stop);
    for (int i = 0; i < rounds(50); i++) {
        const int fd = paper();
        assert_int_equal(wh_dump(fd, i % 2 ? WH_DUMP_JSON : WH_DUMP_TEXT), 0);
        close(fd);
    }
    __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
    for (int i = 0; i < 3; i++) join(dumpers[i]);
    end(&all);
}

static void count(void *arg)
{
    __atomic_fetch_add((int *)arg, 1, __ATOMIC_RELAXED);
}

/* A dump that looks at a context just as its owner ends it is not somebody who has it. */
static void a_dump_never_makes_an_end_a_cancel(void **state)
{
    (void)state;
    bool stop = false;
    int ran = 0;
    wh_track(WH_TRACK_LIVE);
    const pthread_t dumper = start(dump_on_and_on, &stop);
    for (int i = 0; i < chances(20000); i++) {
        wh_ctx *ctx = wh_with_cancel(NULL);
        wh_ctx *child = wh_with_cancel(ctx);
        assert_int_equal(wh_after_inline(child, count, &ran, NULL), 0);
        assert_int_equal(wh_after_inline(ctx, count, &ran, NULL), 0);
        wh_end(child);
        wh_end(ctx);
    }
    __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
    join(dumper);
    assert_int_equal(ran, 0);
}

static void *switch_on_and_off(void *arg)
{
    const bool *stop = arg;
    for (unsigned i = 0; !__atomic_load_n(stop, __ATOMIC_RELAXED); i++) {
        wh_track(i & 3);
        sched_yield();
    }
    return NULL;
}

static void tracking_may_change_at_any_time(void **state)
{
    (void)state;
    bool stop = false;
    struct mutators all;
    begin(&all);
    const pthread_t switcher = start(switch_on_and_off, &stop), dumper = start(dump_on_and_on, &stop);
    for (int i = 0; i < rounds(100); i++) {
        const int fd = paper();
        assert_int_equal(wh_dump(fd, WH_DUMP_TEXT), 0);
        close(fd);
    }
    __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
    join(switcher);
    join(dumper);
    end(&all);
}

/* ---- what is listed ---- */

static void every_way_to_make_a_context_lists_it(void **state)
{
    (void)state;
    const int signals[] = {SIGUSR1};
    size_t before = wh_live_count();
    wh_track(WH_TRACK_LIVE);
    WH_AUTO wh_ctx *at_root = wh_with_cancel(NULL);
    WH_AUTO wh_ctx *at_background = wh_with_cancel(wh_background());
    WH_AUTO wh_ctx *plain = wh_with_cancel(at_root);
    WH_AUTO wh_ctx *value = wh_with_number(plain, 1);
    WH_AUTO wh_ctx *below = wh_with_cancel(value);
    WH_AUTO wh_ctx *timed = wh_with_timeout(below, WH_SEC(100));
    WH_AUTO wh_ctx *late = wh_with_timeout(below, 0);
    WH_AUTO wh_ctx *late_child = wh_with_cancel(late);
    WH_AUTO wh_ctx *detached = wh_detach(timed);
    WH_AUTO wh_ctx *signalled = wh_with_signals(NULL, signals, 1);
    const wh_ctx *const all[] = {at_root, at_background, plain, value, below, timed, late, late_child, detached, signalled};
    for (size_t i = 0; i < 10; i++) {
        assert_int_equal(wh_live_count() - before, 10);
        assert_true(id_of(all[i]) > (i ? id_of(all[i - 1]) : 0));
    }
    WH_AUTO_GROUP wh_group *group = wh_group_new(NULL);
    assert_true(id_of(wh_group_ctx(group)) > 0);
}

static void spans_are_listed_whatever_way_they_begin(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    wh_track(WH_TRACK_LIVE);
    {
        WH_AUTO wh_ctx *span = wh_start(spans.root, "first");
        WH_AUTO wh_ctx *child = wh_start(span, "child");
        WH_AUTO wh_ctx *timed = wh_start(child, "timed", .timeout = WH_SEC(100));
        assert_true(id_of(span) && id_of(child) && id_of(timed));
        assert_int_equal(wh__live_record_of(child)->parent, id_of(span));
    }
    spans_end(&spans);
    assert_int_equal(wh_live_count(), 0);
}

static void what_was_taken_over_leaves_with_its_owner(void **state)
{
    (void)state;
    wh_track(WH_TRACK_LIVE);
    wh_ctx *outer = wh_with_cancel(NULL);
    wh_ctx *both = wh_take_over(wh_with_number(outer, 1), outer);
    assert_int_equal(wh_live_count(), 2);
    wh_end(both);
    assert_int_equal(wh_live_count(), 0);
}

static void off_lists_nothing_and_keeps_who_is_there(void **state)
{
    (void)state;
    wh_track(WH_TRACK_LIVE);
    wh_ctx *listed = wh_with_cancel(NULL);
    wh_track(0);
    wh_ctx *other = wh_with_cancel(listed);
    assert_int_equal(id_of(other), 0);
    assert_null(other->extra);
    assert_int_equal(wh_live_count(), 1);
    wh_end(other);
    wh_end(listed);
    assert_int_equal(wh_live_count(), 0);
}

/* A context that cannot be listed is a context all the same. */
static void without_memory_it_is_counted_only(void **state)
{
    (void)state;
    const size_t before = wh__live_unlisted();
    enum { MANY = 3000 }; /* more than the pages at hand have blocks */
    static wh_ctx *all[MANY];
    wh_track(WH_TRACK_LIVE);
    for (int i = 0; i < MANY; i++) {
        memory_ends_after(0);
        all[i] = wh_with_cancel(NULL);
        memory_is_back();
    }
    size_t listed = 0, whole = 0;
    for (int i = 0; i < MANY; i++) {
        whole += wh_cause(all[i]) != WH_NO_MEMORY;
        listed += id_of(all[i]) != 0;
        wh_end(all[i]);
    }
    assert_true(listed < MANY);
    assert_int_equal(wh__live_unlisted() - before, whole - listed);
}

/* ---- fork ---- */

static wh_ctx *inherited;

static bool a_child_has_a_list_of_its_own(void *unused)
{
    (void)unused;
    wh_ctx *own = wh_with_cancel(inherited);
    CHECK(id_of(own) && wh__live_record_of(own)->parent == id_of(inherited));
    struct wh__snapshot snapshot;
    CHECK(wh__snapshot_take(&snapshot) == 0);
    wh__snapshot_link(&snapshot);
    const int32_t theirs = wh__snapshot_find(&snapshot, id_of(inherited)), mine = wh__snapshot_find(&snapshot, id_of(own));
    CHECK(theirs != WH__NONE && mine != WH__NONE);
    CHECK(snapshot.list[theirs].is_inherited && !snapshot.list[mine].is_inherited);
    wh__snapshot_free(&snapshot);
    const size_t before = wh_live_count();
    wh_end(own);
    wh_end(inherited);
    CHECK(wh_live_count() == before - 2);
    return true;
}

static void the_child_of_a_fork_has_copies(void **state)
{
    (void)state;
    bool stop = false;
    struct mutators all;
    wh_track(WH_TRACK_LIVE);
    if (!UNDER_ASAN) begin(&all); /* its allocator stays locked in the child, if another thread was in it */
    inherited = wh_with_cancel(NULL);
    const pthread_t dumper = UNDER_ASAN ? pthread_self() : start(dump_on_and_on, &stop);
    for (int i = 0; i < rounds(100); i++) assert_int_equal(in_child(a_child_has_a_list_of_its_own, NULL), 0);
    __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
    if (!UNDER_ASAN) join(dumper);
    if (!UNDER_ASAN) end(&all);
    assert_int_equal(wh_live_count(), 1);
    wh_end(inherited);
}

/* ---- chains ---- */

static int warnings;
static char warning[500];

static void hear(enum wh_severity severity, const char *line, void *arg)
{
    (void)arg;
    warnings += severity == WH_WARNING;
    snprintf(warning, sizeof warning, "%s", line);
}

static void T081_a_chain_that_grows_in_a_loop_is_said_once(void **state)
{
    (void)state;
    const int deep = 100000;
    wh_ctx **chain = calloc((size_t)deep, sizeof(wh_ctx *));
    assert_non_null(chain);
    wh_report_to(hear, NULL);
    for (int i = 0; i < deep; i++) {
        chain[i] = wh_with_number(i ? chain[i - 1] : NULL, i);
        assert_int_equal(warnings, i >= 10000);
    }
    wh_report_to(NULL, NULL);
    assert_says(warning, "a context with the value \"number\" stands 10000 levels deep");
    for (int i = deep; i--;) wh_end(chain[i]);
    free(chain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(T173_a_hundred_thousand_are_read_in_slices_while_eight_threads_change_them, leaves_nothing),
        cmocka_unit_test_teardown(T173_several_dumps_at_once, leaves_nothing),
        cmocka_unit_test_teardown(a_dump_never_makes_an_end_a_cancel, leaves_nothing),
        cmocka_unit_test_teardown(tracking_may_change_at_any_time, leaves_nothing),
        cmocka_unit_test_teardown(every_way_to_make_a_context_lists_it, leaves_nothing),
        cmocka_unit_test_teardown(spans_are_listed_whatever_way_they_begin, leaves_nothing),
        cmocka_unit_test_teardown(what_was_taken_over_leaves_with_its_owner, leaves_nothing),
        cmocka_unit_test_teardown(off_lists_nothing_and_keeps_who_is_there, leaves_nothing),
        cmocka_unit_test_teardown(without_memory_it_is_counted_only, leaves_nothing),
        cmocka_unit_test_teardown(the_child_of_a_fork_has_copies, leaves_nothing),
        cmocka_unit_test_teardown(T081_a_chain_that_grows_in_a_loop_is_said_once, leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
