/* Stop latency: what is measured, where it is counted, and what is not. */
#include "live_tools.h"

WH_REASON(reason_x, "x");
WH_KEY(number, int)

static int ends(void **state)
{
    (void)state;
    wh_track(0);
    return wh_live_count() ? -1 : 0;
}

static struct wh_latency row_of(const struct wh_site *site, enum wh_stop what)
{
    static struct wh_latency rows[256];
    const size_t count = wh_latency(rows, 256, NULL);
    for (size_t i = 0; i < count; i++)
        if (rows[i].site == site && rows[i].what == what) return rows[i];
    return (struct wh_latency){.site = NULL};
}

/* So many, and the parts agree with each other. */
static void assert_count(const struct wh_site *site, enum wh_stop what, uint64_t count)
{
    const struct wh_latency row = row_of(site, what);
    uint64_t sum = 0;
    for (int i = 0; i < WH_STOP_BUCKETS; i++) sum += row.buckets[i];
    assert_int_equal(row.count, count);
    assert_int_equal(sum, count);
    assert_true(row.total >= row.longest);
}

static void *wait_for_it(void *ctx)
{
    wh_wait(ctx, WH_NEVER);
    return NULL;
}

static void T176_a_waiter_released(void **state)
{
    (void)state;
    static const struct wh_site site = {"a.c", "waiter", 1}, other = {"a.c", "other", 2};
    wh_track(WH_TRACK_LATENCY | WH_TRACK_LIVE);
    WH_AUTO wh_ctx *origin = wh_with_cancel_at(NULL, &site);
    WH_AUTO wh_ctx *value = wh_with_number(origin, 1);
    WH_AUTO wh_ctx *below = wh_with_cancel_at(value, &other);
    const struct wh__live_record *record = wh__live_record_of(below);
    pthread_t threads[3];
    for (int i = 0; i < 3; i++) threads[i] = start(wait_for_it, below);
    EVENTUALLY(__atomic_load_n(&record->waiters, __ATOMIC_RELAXED) == 3);
    wh_cancel(origin, reason_x, NULL);
    for (int i = 0; i < 3; i++) join(threads[i]);
    assert_count(&site, WH_STOP_WAITER, 3);
    assert_null(row_of(&other, WH_STOP_WAITER).site);
    wh_wait(below, WH_NEVER); /* does not sleep */
    assert_count(&site, WH_STOP_WAITER, 3);
}

static int obey(const wh_ctx *ctx, void *arg)
{
    (void)arg;
    return wh_wait(ctx, WH_NEVER);
}

static int finish(const wh_ctx *ctx, void *arg)
{
    (void)ctx, (void)arg;
    return 0;
}

static void T176_the_last_member_of_a_group(void **state)
{
    (void)state;
    static const struct wh_site site = {"b.c", "group", 1}, calm = {"b.c", "calm", 2};
    wh_track(WH_TRACK_LATENCY);
    WH_AUTO wh_ctx *ctx = wh_with_cancel_at(NULL, &site);
    WH_AUTO_GROUP wh_group *group = wh_group_new(ctx);
    for (int i = 0; i < 4; i++) assert_int_equal(wh_go(group, obey, NULL), 0);
    wh_cancel(ctx, reason_x, NULL);
    assert_int_equal(wh_group_wait(group), ECANCELED);
    const struct wh_latency row = row_of(&site, WH_STOP_GROUP);
    assert_true(row.count >= 1); /* and once for every time that it was empty */
    WH_AUTO wh_ctx *undone = wh_with_cancel_at(NULL, &calm);
    WH_AUTO_GROUP wh_group *well = wh_group_new(undone);
    assert_int_equal(wh_go(well, finish, NULL), 0);
    assert_int_equal(wh_group_wait(well), 0);
    assert_null(row_of(&calm, WH_STOP_GROUP).site);
}

static void T176_an_owner_that_ends_it(void **state)
{
    (void)state;
    static const struct wh_site site = {"c.c", "owner", 1}, undone = {"c.c", "undone", 2};
    wh_track(WH_TRACK_LATENCY);
    for (int i = 0; i < 5; i++) {
        wh_ctx *origin = wh_with_cancel_at(NULL, &site), *child = wh_with_cancel_at(origin, &undone);
        wh_ctx *other = wh_with_cancel_at(child, &undone), *detached = wh_detach_at(other, &undone);
        wh_end(other);
        wh_cancel(origin, reason_x, NULL);
        wh_end(child);
        wh_end(origin);
        wh_end(detached);
    }
    assert_count(&site, WH_STOP_OWNER, 10);
    assert_null(row_of(&undone, WH_STOP_OWNER).site);
    wh_ctx *late = wh_with_timeout_at(NULL, 0, &undone);
    wh_end(late);
    assert_count(&undone, WH_STOP_OWNER, 1);
}

static void nothing_is_measured_when_nobody_asks(void **state)
{
    (void)state;
    static const struct wh_site site = {"d.c", "off", 1};
    for (int round = 0; round < 2; round++) {
        wh_track(round ? WH_TRACK_LIVE : 0);
        wh_ctx *ctx = wh_with_cancel_at(NULL, &site);
        wh_cancel(ctx, reason_x, NULL);
        wh_end(ctx);
        assert_null(row_of(&site, WH_STOP_OWNER).site);
    }
}

/* The instant of the cancel is put back: so the duration is known from below. */
static void it_goes_into_the_bucket_of_its_length(void **state)
{
    (void)state;
    static const struct wh_site sites[] = {{"e.c", "long", 1}, {"e.c", "longer", 2}, {"e.c", "longest", 3}};
    const int64_t ago[] = {WH_SEC(40), WH_SEC(70), WH_SEC(10000)};
    wh_track(WH_TRACK_LATENCY);
    for (int i = 0; i < 3; i++) {
        wh_ctx *ctx = wh_with_cancel_at(NULL, &sites[i]);
        wh_cancel(ctx, reason_x, NULL);
        ctx->at -= ago[i];
        wh_end(ctx);
        const struct wh_latency row = row_of(&sites[i], WH_STOP_OWNER);
        assert_true(row.longest >= ago[i] && row.total == row.longest);
        assert_int_equal(row.buckets[row.longest > WH_US(1 << 26) ? 27 : 26], 1);
    }
    const int fd = paper();
    assert_int_equal(wh_report_latency(fd), 0);
    char *text = read_paper(fd), *longest = strstr(text, "e.c:3 longest: owner ended it, 1 time, half within ");
    assert_non_null(longest);
    assert_true(longest < strstr(text, "e.c:2 longer: "));
    assert_says(longest, "2.78 h, 99 % within 2.78 h, the longest 2.78 h\n");
    free(text);
}

static void *cancel_and_end(void *site)
{
    for (int i = 0; i < rounds(2000); i++) {
        wh_ctx *ctx = wh_with_cancel_at(NULL, site);
        wh_cancel(ctx, reason_x, NULL);
        wh_end(ctx);
    }
    return NULL;
}

static void many_threads_lose_no_count(void **state)
{
    (void)state;
    static const struct wh_site site = {"f.c", "many", 1};
    pthread_t threads[4];
    wh_track(WH_TRACK_LATENCY);
    for (int i = 0; i < 4; i++) threads[i] = start(cancel_and_end, (void *)&site);
    for (int i = 0; i < 4; i++) join(threads[i]);
    assert_count(&site, WH_STOP_OWNER, 4 * (uint64_t)rounds(2000));
}

/* Last, since what is full stays full. */
static void the_table_is_bounded_and_losses_are_counted(void **state)
{
    (void)state;
    enum { MANY = 400 };
    static struct wh_site sites[MANY];
    struct wh_latency few[2];
    uint64_t lost = 0;
    wh_track(WH_TRACK_LATENCY);
    const size_t before = wh_latency(NULL, 0, &lost);
    assert_int_equal(lost, 0);
    for (int i = 0; i < MANY; i++) {
        sites[i] = (struct wh_site){"g.c", "one of many", i};
        wh_ctx *ctx = wh_with_cancel_at(NULL, &sites[i]);
        wh_cancel(ctx, reason_x, NULL);
        wh_end(ctx);
    }
    assert_int_equal(wh_latency(few, 2, &lost), 256);
    assert_int_equal(lost, MANY - (256 - before));
    assert_int_equal(few[1].count > 0, 1);
    const int fd = paper();
    assert_int_equal(wh_report_latency(fd), 0);
    char *text = read_paper(fd);
    assert_says(text, "  at other places: ");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(T176_a_waiter_released, ends),
        cmocka_unit_test_teardown(T176_the_last_member_of_a_group, ends),
        cmocka_unit_test_teardown(T176_an_owner_that_ends_it, ends),
        cmocka_unit_test_teardown(nothing_is_measured_when_nobody_asks, ends),
        cmocka_unit_test_teardown(it_goes_into_the_bucket_of_its_length, ends),
        cmocka_unit_test_teardown(many_threads_lose_no_count, ends),
        cmocka_unit_test_teardown(the_table_is_bounded_and_losses_are_counted, ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
