/* Waiting for descriptors and for a context at once. */
#include "gate.h"
#include "wait_tools.h"

typedef int poll_fn(const wh_ctx *ctx, struct pollfd *fds, size_t count, int64_t limit, size_t *ready);
static poll_fn *const both[] = {wh_poll, wh_poll_prefer_result};

/* ---- what comes ---- */

static void it_returns_what_is_ready(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *ctx = wh_with_timeout(NULL, WH_SEC(1000));
    const wh_ctx *contexts[] = {ctx, NULL, wh_background()};
    struct pair a = unix_pair(), b = unix_pair();
    assert_int_equal(write(b.theirs, "x", 1), 1);
    for (int i = 0; i < 6; i++) {
        struct pollfd fds[] = {{a.ours, POLLIN, 77}, {b.ours, POLLIN | POLLOUT, 77}, {-1, POLLIN, 77}, {a.theirs, POLLOUT, 0}};
        size_t ready = 99;
        assert_int_equal(both[i % 2](contexts[i / 2], fds, 4, WH_NEVER, &ready), 0);
        assert_int_equal(ready, 2);
        assert_int_equal(fds[0].revents, 0);
        assert_int_equal(fds[1].revents, POLLIN | POLLOUT);
        assert_int_equal(fds[2].revents, 0);
        assert_int_equal(fds[3].revents, POLLOUT);
        assert_int_equal(both[i % 2](contexts[i / 2], fds, 1, WH_MS(1), &ready), 0);
        assert_int_equal(ready, 0);
        fds[0].fd = 1000000; /* not open: that is ready, too */
        assert_int_equal(both[i % 2](contexts[i / 2], fds, 1, WH_NEVER, &ready), 0);
        assert_int_equal(ready, 1);
        assert_int_equal(fds[0].revents, POLLNVAL);
    }
    close_pair(&a);
    close_pair(&b);
}

static void the_limit_is_kept(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *ctx = wh_with_timeout(NULL, WH_SEC(1000));
    struct pair pair = unix_pair();
    struct pollfd fd = {pair.ours, POLLIN, 0};
    const int64_t limits[] = {WH_MS(2), 1, 0, -1, INT64_MIN};
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        for (int k = 0; k < 4; k++) {
            size_t ready = 99;
            const int64_t before = wh_now();
            assert_int_equal(both[k % 2](k / 2 ? ctx : NULL, &fd, 1, limits[i], &ready), 0);
            assert_int_equal(ready, 0);
            assert_true(wh_now() - before >= limits[i]);
            assert_int_equal(both[k % 2](k / 2 ? ctx : NULL, NULL, 0, limits[i], &ready), 0);
            assert_int_equal(ready, 0);
        }
    close_pair(&pair);
}

static void only_to_look_makes_no_descriptor(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
    struct pair pair = unix_pair();
    struct pollfd fds[] = {{pair.ours, POLLIN, 0}, {pair.ours, POLLOUT, 0}};
    size_t ready;
    assert_int_equal(wh_poll(ctx, fds, 1, 0, &ready), 0);
    assert_int_equal(wh_poll(ctx, fds, 2, WH_NEVER, &ready), 0);
    assert_int_equal(wh__state(ctx) & WH__HAS_FD, 0);
    close_pair(&pair);
}

/* ---- who wins ---- */

static void T123_each_has_its_winner(void **state)
{
    (void)state;
    struct pair pair = unix_pair();
    assert_int_equal(write(pair.theirs, "x", 1), 1);
    int deviations = 0;
    for (int i = 0; i < 10000; i++) {
        WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
        struct pollfd fd = {pair.ours, POLLIN, 0};
        size_t ready = 99;
        if (i % 3 == 0) wh_done_fd(ctx);
        wh_cancel(ctx, reason_x, NULL);
        if (i % 3 == 1) wh_done_fd(ctx);
        deviations += wh_poll(ctx, &fd, 1, i % 2 ? WH_NEVER : 0, &ready) != ECANCELED || ready != 99;
        deviations += wh_poll_prefer_result(ctx, &fd, 1, i % 2 ? WH_NEVER : 0, &ready) != 0 || ready != 1 || fd.revents != POLLIN;
    }
    assert_int_equal(deviations, 0);
    close_pair(&pair);
}

/* In even rounds the result comes first, in odd ones the cancel. */
static void bring_both(struct race *race, int round)
{
    if (round % 2) wh_cancel(race->ctx, reason_x, NULL);
    if (write(race->fd, "x", 1) != 1) abort();
    if (round % 2 == 0) wh_cancel(race->ctx, reason_x, NULL);
}

/* While the waiter is on his way to sleep, or asleep: whoever is woken by the later of the two has seen the earlier. */
static void T123_in_a_race_the_one_that_came_first_is_seen(void **state)
{
    (void)state;
    struct pair pair = unix_pair();
    const int total = rounds(10000);
    struct race race = {.fn = bring_both, .rounds = total, .fd = pair.theirs};
    wh_ctx *ctx = wh_with_cancel(NULL);
    race.ctx = ctx;
    race.thread = start(run_race, &race);
    int deviations = 0;
    for (int i = 0; i < total; i++) {
        struct pollfd fd = {pair.ours, POLLIN, 0};
        size_t ready = 0;
        char byte;
        meet(&race.gate, 2);
        const int prefer = i / 2 % 2, err = both[prefer](ctx, &fd, 1, WH_NEVER, &ready);
        if (prefer && i % 2 == 0) deviations += err != 0;       /* a result, and then the cancel */
        if (!prefer && i % 2) deviations += err != ECANCELED;   /* the cancel, and then a result */
        deviations += err ? err != ECANCELED : ready != 1;
        meet(&race.gate, 2);
        assert_int_equal(read(pair.ours, &byte, 1), 1);
        wh_end(ctx);
        if (i + 1 < total) race.ctx = ctx = wh_with_cancel(NULL);
        if (i % 5 == 0) wh_done_fd(ctx);
    }
    join(race.thread);
    assert_int_equal(deviations, 0);
    close_pair(&pair);
}

static void T123_a_context_that_is_done_is_not_waited_with(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *ctx = wh_with_timeout(NULL, 0);
    struct pair pair = unix_pair();
    struct pollfd fd = {pair.ours, POLLIN, 0};
    size_t ready = 99;
    assert_int_equal(wh_poll(ctx, &fd, 1, WH_NEVER, &ready), ETIMEDOUT);
    assert_int_equal(wh_poll_prefer_result(ctx, &fd, 1, WH_NEVER, &ready), ETIMEDOUT);
    assert_int_equal(wh_poll_prefer_result(ctx, NULL, 0, WH_NEVER, &ready), ETIMEDOUT);
    assert_int_equal(ready, 99);
    close_pair(&pair);
}

/* ---- woken ---- */

enum { MANY = 300 };

/* `more`: how many descriptors, none of which is ever ready. */
WH__MAY_VANISH static int poll_long(struct wait *wait)
{
    struct pollfd fds[MANY];
    size_t ready, count = (size_t)(intptr_t)wait->more;
    for (size_t i = 0; i < count; i++) fds[i] = (struct pollfd){.fd = wait->fd, .events = POLLIN};
    return wh_poll(wait->ctx, fds, count, WH_SEC(1000), &ready);
}

static void T128_a_cancel_wakes_it(void **state)
{
    (void)state;
    struct pair pair = unix_pair();
    const intptr_t counts[] = {0, 1, 127, 128, MANY};
    for (int i = 0; i < 20; i++) {
        WH_AUTO wh_ctx *root = wh_with_cancel(NULL);
        WH_AUTO wh_ctx *ctx = wh_with_timeout(root, WH_SEC(1000));
        struct wait wait = {.fn = poll_long, .ctx = ctx, .fd = pair.ours, .more = (void *)counts[i % 5]};
        wait_begin(&wait);
        if (i % 4) wait_until_asleep(&wait);
        wh_cancel(root, reason_x, NULL);
        assert_int_equal(wait_end(&wait), ECANCELED);
    }
    close_pair(&pair);
}

static void T127_a_polling_thread_can_be_cancelled(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
    struct pair pair = unix_pair();
    struct wait few = {.fn = poll_long, .ctx = ctx, .fd = pair.ours, .more = (void *)1};
    struct wait many = {.fn = poll_long, .ctx = ctx, .fd = pair.ours, .more = (void *)MANY};
    struct wait never = {.fn = poll_long, .fd = pair.ours, .more = (void *)2};
    wait_vanishes(&few);
    wait_vanishes(&many); /* its memory is given back, or a sanitizer says that it is not */
    wait_vanishes(&never);
    assert_int_equal(ctx->refs, 1);
    assert_true(wh_cancel(ctx, reason_x, NULL));
    close_pair(&pair);
}

static void T126_signals_neither_end_nor_lengthen_it(void **state)
{
    (void)state;
    struct pest pest;
    size_t ready = 99;
    struct pair pair = unix_pair();
    struct pollfd fd = {pair.ours, POLLIN, 0};
    WH_AUTO wh_ctx *ctx = wh_with_timeout(NULL, WH_MS(12));
    pest_begin(&pest);
    const int64_t began = wh_now();
    assert_int_equal(wh_poll(NULL, &fd, 1, WH_MS(5), &ready), 0);
    assert_int_equal(ready, 0);
    assert_true(wh_now() - began >= WH_MS(5));
    assert_int_equal(wh_poll(ctx, &fd, 1, WH_NEVER, &ready), ETIMEDOUT);
    assert_true(wh_now() >= wh_deadline(ctx));
    pest_end(&pest);
    close_pair(&pair);
}

/* ---- what is missing ---- */

static void without_memory_many_are_waited_for_too(void **state)
{
    (void)state;
    struct pollfd fds[MANY];
    struct pair quiet = unix_pair(), loud = unix_pair();
    assert_int_equal(write(loud.theirs, "x", 1), 1);
    WH_AUTO wh_ctx *ctx = wh_with_timeout(NULL, WH_MS(3));
    for (int i = 0; i < MANY; i++) fds[i] = (struct pollfd){.fd = quiet.ours, .events = POLLIN};
    size_t ready = 0;
    memory_ends_after(0);
    assert_int_equal(wh_poll(ctx, fds, MANY, WH_NEVER, &ready), ETIMEDOUT);
    fds[MANY - 1].fd = loud.ours;
    assert_int_equal(wh_poll(NULL, fds, MANY, WH_NEVER, &ready), 0);
    assert_int_equal(ready, 1);
    assert_int_equal(fds[MANY - 1].revents, POLLIN);
    assert_int_equal(wh_poll_prefer_result(ctx, fds, MANY, WH_NEVER, &ready), 0);
    memory_is_back();
    close_pair(&quiet);
    close_pair(&loud);
}

static void *cancel_soon(void *arg)
{
    wh_wait(NULL, WH_MS(20));
    wh_cancel(arg, reason_x, NULL);
    return NULL;
}

/* In a child: cancelled while it polls. */
static bool is_woken(wh_ctx *ctx, struct pollfd *fds, size_t count)
{
    size_t ready;
    if (!MAY_JOIN_IN_CHILD) return true;
    const pthread_t thread = start(cancel_soon, ctx);
    CHECK(wh_poll(ctx, fds, count, WH_NEVER, &ready) == ECANCELED);
    CHECK(pthread_join(thread, NULL) == 0);
    return true;
}

/* Neither a descriptor for the context nor a thread for its deadline. */
static bool poll_without_descriptors(void *unused)
{
    (void)unused;
    struct pair pair = unix_pair();
    struct pollfd fds[64];
    size_t ready = 0;
    for (int i = 0; i < 64; i++) fds[i] = (struct pollfd){.fd = i ? -1 : pair.ours, .events = POLLIN};
    CHECK(use_up_descriptors());
    wh_ctx *ctx = wh_with_cancel(NULL);
    wh_ctx *timed = wh_with_timeout(ctx, WH_MS(3));
    CHECK(wh_done_fd(ctx) == -1 && errno == EMFILE);
    CHECK(wh_poll(timed, fds, 1, WH_NEVER, &ready) == ETIMEDOUT);
    CHECK(wh_poll(ctx, fds, 64, WH_MS(8), &ready) == 0 && ready == 0);
    CHECK(is_woken(ctx, fds, 1));
    wh_ctx *open = wh_with_cancel(NULL);
    CHECK(write(pair.theirs, "x", 1) == 1);
    CHECK(wh_poll(open, fds, 64, WH_NEVER, &ready) == 0 && ready == 1);
    wh_end(open);
    wh_end(timed);
    wh_end(ctx);
    return true;
}

static void T121_without_descriptors_no_cancel_is_lost(void **state)
{
    (void)state;
    assert_int_equal(in_child(poll_without_descriptors, NULL), 0);
}

/* As many as the process may have open, and the context's is one more than poll() takes. */
static bool poll_as_many_as_may_be(void *unused)
{
    (void)unused;
    struct pollfd fds[16];
    size_t ready;
    wh_ctx *ctx = wh_with_cancel(NULL);
    wh_ctx *timed = wh_with_timeout(ctx, WH_MS(3));
    CHECK(wh_done_fd(ctx) >= 0 && wh_done_fd(timed) >= 0);
    CHECK(allow_descriptors(16));
    for (int i = 0; i < 16; i++) fds[i] = (struct pollfd){.fd = -1, .events = POLLIN};
    CHECK(wh_poll(timed, fds, 16, WH_NEVER, &ready) == ETIMEDOUT);
    CHECK(wh_poll(NULL, fds, 16, WH_MS(1), &ready) == 0);
    CHECK(is_woken(ctx, fds, 16));
    struct pollfd more[17] = {{.fd = -1}};
    const int err = wh_poll(NULL, more, 17, WH_MS(1), &ready);
    CHECK(err == (getenv("WHENCE_TEST_ROUNDS") ? 0 : EINVAL)); /* under valgrind the kernel knows nothing of the limit */
    wh_end(timed);
    wh_end(ctx);
    return true;
}

static void T121_at_the_limit_of_descriptors(void **state)
{
    (void)state;
    assert_int_equal(in_child(poll_as_many_as_may_be, NULL), 0);
}

/* As a program does that closes all descriptors to become a daemon. */
static bool poll_with_a_closed_descriptor(void *unused)
{
    (void)unused;
    size_t ready;
    wh_ctx *ctx = wh_with_cancel(NULL);
    CHECK(close(wh_done_fd(ctx)) == 0);
    CHECK(wh_poll(ctx, NULL, 0, WH_MS(8), &ready) == 0 && ready == 0);
    CHECK(is_woken(ctx, NULL, 0));
    return true;
}

static void a_descriptor_that_somebody_closed_is_done_without(void **state)
{
    (void)state;
    assert_int_equal(in_child(poll_with_a_closed_descriptor, NULL), 0);
}

static bool poll_in_the_child(void *arg)
{
    wh_ctx *ctx = arg;
    size_t ready;
    wh_ctx *timed = wh_with_timeout(ctx, WH_MS(2));
    CHECK(wh_poll(timed, NULL, 0, WH_NEVER, &ready) == ETIMEDOUT);
    CHECK(wh_poll(ctx, NULL, 0, WH_MS(1), &ready) == 0);
    CHECK(wh_cancel(ctx, reason_x, NULL) && wh_poll(ctx, NULL, 0, WH_NEVER, &ready) == ECANCELED);
    wh_end(timed);
    return true;
}

static void T156_the_child_of_a_fork_polls_too(void **state)
{
    (void)state;
    size_t ready;
    WH_AUTO wh_ctx *ctx = wh_with_timeout(NULL, WH_SEC(1000));
    assert_int_equal(wh_poll(ctx, NULL, 0, WH_MS(1), &ready), 0);
    assert_int_equal(in_child(poll_in_the_child, ctx), 0);
    assert_int_equal(wh_poll(ctx, NULL, 0, WH_MS(1), &ready), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_returns_what_is_ready),
        cmocka_unit_test(the_limit_is_kept),
        cmocka_unit_test(only_to_look_makes_no_descriptor),
        cmocka_unit_test(T123_each_has_its_winner),
        cmocka_unit_test(T123_in_a_race_the_one_that_came_first_is_seen),
        cmocka_unit_test(T123_a_context_that_is_done_is_not_waited_with),
        cmocka_unit_test(T128_a_cancel_wakes_it),
        cmocka_unit_test(T127_a_polling_thread_can_be_cancelled),
        cmocka_unit_test(T126_signals_neither_end_nor_lengthen_it),
        cmocka_unit_test(without_memory_many_are_waited_for_too),
        cmocka_unit_test(T121_without_descriptors_no_cancel_is_lost),
        cmocka_unit_test(T121_at_the_limit_of_descriptors),
        cmocka_unit_test(a_descriptor_that_somebody_closed_is_done_without),
        cmocka_unit_test(T156_the_child_of_a_fork_polls_too),
    };
    return cmocka_run_group_tests_name("poll", tests, NULL, NULL);
}
