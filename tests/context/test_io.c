/* Reading and writing under a context. */
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "wait_tools.h"

static int unread(int fd)
{
    int count = -1;
    assert_int_equal(ioctl(fd, FIONREAD, &count), 0);
    return count;
}

/* Sockets and pipes, blocking and not: {from which to read, to which to write}. */
enum { KINDS = 4 };
static struct pair pair_of(int kind)
{
    struct pair pair = kind % 2 ? pipe_pair() : unix_pair();
    if (kind / 2) {
        make_patient(pair.ours);
        make_patient(pair.theirs);
    }
    return pair;
}

/* ---- bytes ---- */

static void what_is_written_is_read(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *ctx = wh_with_timeout(NULL, WH_SEC(1000));
    const wh_ctx *contexts[] = {ctx, NULL, wh_background()};
    for (int i = 0; i < 3 * KINDS; i++) {
        const wh_ctx *const of = contexts[i / KINDS];
        struct pair pair = pair_of(i % KINDS);
        const int flags = fcntl(pair.ours, F_GETFL);
        char bytes[10] = "";
        size_t count = 99;
        assert_int_equal(wh_write(of, pair.theirs, "hello", 5, &count), 0);
        assert_int_equal(count, 5);
        assert_int_equal(wh_write(of, pair.theirs, "!", 1, NULL), 0);
        assert_int_equal(wh_read(of, pair.ours, bytes, 3, &count), 0);
        assert_int_equal(count, 3);
        assert_int_equal(wh_read(of, pair.ours, bytes + 3, 7, &count), 0);
        assert_int_equal(count, 3);
        assert_string_equal(bytes, "hello!");
        assert_int_equal(wh_read(of, pair.ours, bytes, 0, &count), 0);
        assert_int_equal(count, 0);
        count = 99;
        assert_int_equal(wh_write(of, pair.theirs, bytes, 0, &count), 0);
        assert_int_equal(count, 0);
        assert_int_equal(fcntl(pair.ours, F_GETFL), flags);
        close(pair.theirs);
        count = 99;
        assert_int_equal(wh_read(of, pair.ours, bytes, 1, &count), 0); /* the end */
        assert_int_equal(count, 0);
        close(pair.ours);
    }
}

static void files_and_counters_too(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *ctx = wh_with_timeout(NULL, WH_SEC(1000));
    enum { LARGE = 3 << 20 };
    char *out = malloc(LARGE), *in = calloc(1, LARGE);
    memset(out, 'w', LARGE);
    FILE *file = tmpfile();
    assert_non_null(file);
    const int fd = fileno(file);
    size_t count = 0, all = 0;
    assert_int_equal(wh_write(ctx, fd, out, LARGE, &count), 0);
    assert_int_equal(count, LARGE);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    while (wh_read(ctx, fd, in + all, LARGE - all, &count) == 0 && count) all += count;
    assert_int_equal(all, LARGE);
    assert_memory_equal(in, out, LARGE);
    fclose(file);
    free(in);
    free(out);
    for (int flags = 0; flags <= EFD_NONBLOCK; flags += EFD_NONBLOCK) {
        const int counter = eventfd(0, EFD_CLOEXEC | flags);
        uint64_t number = 7;
        WH_AUTO wh_ctx *brief = wh_with_timeout(ctx, WH_MS(2));
        assert_int_equal(wh_read(brief, counter, &number, sizeof number, &count), ETIMEDOUT);
        assert_int_equal(wh_write(ctx, counter, &number, sizeof number, NULL), 0);
        assert_int_equal(wh_read(ctx, counter, &number, sizeof number, &count), 0);
        assert_int_equal(number, 7);
        close(counter);
    }
}

static void wrong_descriptors(void **state)
{
    (void)state;
    char byte;
    size_t count = 99;
    WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
    struct pair pair = pipe_pair();
    const int wrong[] = {-1, 1000000};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(wh_read(ctx, wrong[i], &byte, 1, &count), EBADF);
        assert_int_equal(count, 99);
        assert_int_equal(wh_write(ctx, wrong[i], "x", 1, NULL), EBADF);
    }
    assert_int_equal(wh_read(ctx, pair.theirs, &byte, 1, &count), EBADF); /* the end for writing */
    assert_int_equal(wh_write(ctx, pair.ours, "x", 1, &count), EBADF);
    assert_int_equal(count, 0);
    close_pair(&pair);
}

/* ---- cancelled ---- */

static void T124_who_is_cancelled_moves_no_byte(void **state)
{
    (void)state;
    for (int kind = 0; kind < KINDS; kind++) {
        struct pair pair = pair_of(kind);
        char byte = 'a';
        assert_int_equal(write(pair.theirs, "xyz", 3), 3);
        for (int i = 0; i < 10000 / KINDS; i++) {
            WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
            WH_AUTO wh_ctx *below = wh_with_timeout(ctx, WH_SEC(1000));
            size_t got = 99, put = 99;
            if (i % 2) wh_done_fd(below);
            wh_cancel(ctx, reason_x, NULL);
            assert_int_equal(wh_read(below, pair.ours, &byte, 1, &got), ECANCELED);
            assert_int_equal(wh_write(below, pair.theirs, "x", 1, &put), ECANCELED);
            assert_true(got == 99 && put == 0 && byte == 'a');
        }
        assert_int_equal(unread(pair.ours), 3);
        close_pair(&pair);
    }
}

WH__MAY_VANISH static int read_one(struct wait *wait)
{
    char byte;
    size_t got;
    return wh_read(wait->ctx, wait->fd, &byte, 1, &got);
}

enum { LOTS = 1 << 22 };

WH__MAY_VANISH static int write_lots(struct wait *wait)
{
    static char lots[LOTS];
    return wh_write(wait->ctx, wait->fd, lots, LOTS, wait->more);
}

static void T128_a_cancel_wakes_it(void **state)
{
    (void)state;
    for (int i = 0; i < 8 * KINDS; i++) {
        struct pair pair = pair_of(i % KINDS);
        size_t put = 0;
        WH_AUTO wh_ctx *root = wh_with_cancel(NULL);
        WH_AUTO wh_ctx *ctx = wh_with_timeout(root, WH_SEC(1000));
        struct wait reads = {.fn = read_one, .ctx = ctx, .fd = pair.ours};
        struct wait writes = {.fn = write_lots, .ctx = ctx, .fd = pair.theirs, .more = &put};
        struct wait *wait = i / KINDS % 2 ? &writes : &reads;
        wait_begin(wait);
        if (i / KINDS % 4) wait_until_asleep(wait);
        wh_cancel(root, reason_x, NULL);
        assert_int_equal(wait_end(wait), ECANCELED);
        assert_int_equal(unread(pair.ours), put); /* what is said to have gone has gone, and no more */
        char *bytes = malloc(put + 1);
        for (size_t all = 0, got = 0; all < put; all += got)
            assert_int_equal(wh_read(NULL, pair.ours, bytes, put - all, &got), 0);
        assert_int_equal(wh_write(NULL, pair.theirs, "y", 1, NULL), 0); /* and it is usable */
        assert_int_equal(read(pair.ours, bytes, 1), 1);
        free(bytes);
        close_pair(&pair);
    }
}

static void T128_a_deadline_wakes_it(void **state)
{
    (void)state;
    for (int kind = 0; kind < KINDS; kind++) {
        struct pair pair = pair_of(kind);
        size_t put = 0;
        WH_AUTO wh_ctx *ctx = wh_with_timeout(NULL, WH_MS(2));
        struct wait reads = {.ctx = ctx, .fd = pair.ours}, writes = {.ctx = ctx, .fd = pair.theirs, .more = &put};
        assert_int_equal(kind % 2 ? write_lots(&writes) : read_one(&reads), ETIMEDOUT);
        assert_true(wh_now() >= wh_deadline(ctx));
        close_pair(&pair);
    }
}

/* All of it arrives, however slowly it is read. */
static void *read_slowly(void *arg)
{
    char bytes[10007];
    size_t got = 1;
    intptr_t all = 0;
    while (wh_read(NULL, *(int *)arg, bytes, sizeof bytes, &got) == 0 && got) all += (intptr_t)got;
    return (void *)all;
}

static void all_of_it_is_written(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *ctx = wh_with_timeout(NULL, WH_SEC(1000));
    for (int kind = 0; kind < KINDS; kind++) {
        struct pair pair = pair_of(kind);
        size_t put = 0;
        void *all;
        struct wait wait = {.ctx = ctx, .fd = pair.theirs, .more = &put};
        const pthread_t reader = start(read_slowly, &pair.ours);
        assert_int_equal(write_lots(&wait), 0);
        assert_int_equal(put, LOTS);
        close(pair.theirs);
        pthread_join(reader, &all);
        assert_int_equal((intptr_t)all, LOTS);
        close(pair.ours);
    }
}

/* ---- both at once ---- */

static void write_and_cancel(struct race *race, int round)
{
    const char byte = (char)round;
    if (round % 2) wh_cancel(race->ctx, reason_x, NULL);
    if (write(race->fd, &byte, 1) != 1) abort();
    if (round % 2 == 0) wh_cancel(race->ctx, reason_x, NULL);
}

/* Either the caller has the byte, or it is still there. */
static void T125_no_byte_is_lost(void **state)
{
    (void)state;
    for (int kind = 0; kind < KINDS; kind++) {
        struct pair pair = pair_of(kind);
        const int total = rounds(10000) / KINDS;
        wh_ctx *ctx = wh_with_cancel(NULL);
        struct race race = {.fn = write_and_cancel, .rounds = total, .fd = pair.theirs, .ctx = ctx};
        race.thread = start(run_race, &race);
        int deviations = 0;
        for (int i = 0; i < total; i++) {
            char byte = 0;
            size_t got = 0;
            meet(&race.gate, 2);
            const int err = wh_read(ctx, pair.ours, &byte, 1, &got);
            meet(&race.gate, 2);
            deviations += err != 0 && err != ECANCELED;
            if (err) deviations += unread(pair.ours) != 1 || read(pair.ours, &byte, 1) != 1;
            deviations += byte != (char)i || unread(pair.ours) != 0;
            wh_end(ctx);
            if (i + 1 < total) race.ctx = ctx = wh_with_cancel(NULL);
        }
        join(race.thread);
        assert_int_equal(deviations, 0);
        close_pair(&pair);
    }
}

/* ---- what others do to the descriptor ---- */

/* A blocking pipe of which others read wants a read that does not wait: of newer kernels, and ThreadSanitizer does not see
 * it (context/wait/io.c). */
static bool reads_at_once(int fd)
{
    char byte;
    const struct iovec part = {&byte, 1};
    return !UNDER_TSAN && syscall(SYS_preadv2, fd, &part, 1L, -1L, -1L, 8L /* RWF_NOWAIT */) < 0 && errno == EAGAIN;
}

/* Several take from one blocking descriptor: whoever comes too late hears his context none the less. */
static void T128_another_reader_may_be_faster(void **state)
{
    (void)state;
    for (int kind = 0; kind < KINDS; kind++) {
        enum { READERS = 4 };
        struct pair pair = pair_of(kind);
        if (kind == 1 && !reads_at_once(pair.ours)) {
            print_message("           left out: a blocking pipe\n");
            close_pair(&pair);
            continue;
        }
        WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
        struct wait waits[READERS];
        for (int i = 0; i < READERS; i++) {
            waits[i] = (struct wait){.fn = read_one, .ctx = ctx, .fd = pair.ours};
            wait_begin(&waits[i]);
        }
        for (int i = 0; i < READERS; i++) wait_until_asleep(&waits[i]);
        assert_int_equal(write(pair.theirs, "x", 1), 1); /* wakes all, and is there for one */
        EVENTUALLY(unread(pair.ours) == 0);
        wh_cancel(ctx, reason_x, NULL);
        int read_it = 0;
        for (int i = 0; i < READERS; i++) {
            const int err = wait_end(&waits[i]);
            read_it += err == 0;
            assert_true(err == 0 || err == ECANCELED);
        }
        assert_int_equal(read_it, 1);
        close_pair(&pair);
    }
}

static void a_peer_that_is_gone_raises_no_signal(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
    struct pair pair = unix_pair();
    size_t put = 99;
    close(pair.theirs);
    assert_ptr_equal(signal(SIGPIPE, SIG_DFL), SIG_DFL); /* it would end the program */
    assert_int_equal(wh_write(ctx, pair.ours, "x", 1, &put), EPIPE);
    assert_int_equal(put, 0);
    close(pair.ours);
}

/* ---- signals, pthread_cancel, and what is missing ---- */

static void T126_signals_do_not_end_it(void **state)
{
    (void)state;
    struct pest pest;
    WH_AUTO wh_ctx *ctx = wh_with_timeout(NULL, WH_MS(20));
    pest_begin(&pest);
    for (int kind = 0; kind < KINDS; kind++) {
        struct pair pair = pair_of(kind);
        struct wait wait = {.ctx = ctx, .fd = pair.ours};
        assert_int_equal(read_one(&wait), ETIMEDOUT);
        close_pair(&pair);
    }
    pest_end(&pest);
}

static void T127_a_reading_thread_can_be_cancelled(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
    wh_done_fd(ctx);
    const int first = next_fd();
    for (int kind = 0; kind < KINDS; kind++) {
        struct pair pair = pair_of(kind);
        struct wait reads = {.fn = read_one, .ctx = kind ? ctx : NULL, .fd = pair.ours};
        struct wait writes = {.fn = write_lots, .ctx = ctx, .fd = pair.theirs};
        wait_vanishes(&reads);
        wait_vanishes(&writes);
        close_pair(&pair);
    }
    assert_int_equal(next_fd(), first);
    assert_int_equal(ctx->refs, 1);
}

/* A request to end the thread is there already: it is not heard between the bytes and the caller. */
static void *read_while_ending(void *arg)
{
    const struct wait *wait = arg;
    char bytes[8];
    size_t got = 0;
    pthread_cancel(pthread_self());
    const int err = wh_read(wait->ctx, wait->fd, bytes, sizeof bytes, &got);
    return (void *)(intptr_t)(err ? -1 : (intptr_t)got);
}

static void T127_bytes_are_not_lost_to_a_thread_that_ends(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
    for (int kind = 0; kind < KINDS; kind++) {
        if (kind == 1 && UNDER_TSAN) continue; /* there a blocking pipe is always waited for first */
        struct pair pair = pair_of(kind);
        struct wait wait = {.ctx = ctx, .fd = pair.ours};
        void *result;
        assert_int_equal(write(pair.theirs, "xyz", 3), 3);
        assert_int_equal(pthread_join(start(read_while_ending, &wait), &result), 0);
        if (result == PTHREAD_CANCELED)
            assert_int_equal(unread(pair.ours), 3);
        else
            assert_int_equal((intptr_t)result, 3);
        close_pair(&pair);
    }
}

static bool move_without_descriptors(void *unused)
{
    (void)unused;
    for (int kind = 0; kind < KINDS; kind++) {
        struct pair pair = pair_of(kind);
        struct rlimit before;
        CHECK(getrlimit(RLIMIT_NOFILE, &before) == 0 && allow_descriptors((rlim_t)pair.theirs + 1));
        wh_ctx *ctx = wh_with_timeout(NULL, WH_MS(3));
        struct wait wait = {.ctx = ctx, .fd = pair.ours}, fill = {.ctx = ctx, .fd = pair.theirs};
        CHECK(wh_done_fd(ctx) == -1 && errno == EMFILE);
        CHECK(read_one(&wait) == ETIMEDOUT);
        CHECK(write_lots(&fill) == ETIMEDOUT);
        CHECK(wh_write(NULL, pair.theirs, "x", 1, NULL) == 0 && read_one(&(struct wait){.fd = pair.ours}) == 0);
        wh_end(ctx);
        CHECK(allow_descriptors(before.rlim_cur));
        close_pair(&pair);
    }
    return true;
}

static void T121_without_descriptors(void **state)
{
    (void)state;
    assert_int_equal(in_child(move_without_descriptors, NULL), 0);
}

/* The lesson of a select whose arm calls first and looks afterwards: work that was cancelled before is not waited for. */
static void regression_2_asked_before_it_starts(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
    struct pair pair = unix_pair();
    struct pollfd fd = {pair.ours, POLLIN, 0};
    char byte;
    size_t count;
    wh_cancel(ctx, reason_x, NULL);
    assert_int_equal(wh_sleep(ctx, WH_NEVER), ECANCELED);
    assert_int_equal(wh_poll(ctx, &fd, 1, WH_NEVER, &count), ECANCELED);
    assert_int_equal(wh_read(ctx, pair.ours, &byte, 1, &count), ECANCELED);
    close_pair(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(files_and_counters_too),
        cmocka_unit_test(wrong_descriptors),
        cmocka_unit_test(T124_who_is_cancelled_moves_no_byte),
        cmocka_unit_test(T128_a_cancel_wakes_it),
        cmocka_unit_test(T128_a_deadline_wakes_it),
        cmocka_unit_test(all_of_it_is_written),
        cmocka_unit_test(T125_no_byte_is_lost),
        cmocka_unit_test(T128_another_reader_may_be_faster),
        cmocka_unit_test(a_peer_that_is_gone_raises_no_signal),
        cmocka_unit_test(T126_signals_do_not_end_it),
        cmocka_unit_test(T127_a_reading_thread_can_be_cancelled),
        cmocka_unit_test(T127_bytes_are_not_lost_to_a_thread_that_ends),
        cmocka_unit_test(T121_without_descriptors),
        cmocka_unit_test(regression_2_asked_before_it_starts),
    };
    return cmocka_run_group_tests_name("io", tests, NULL, NULL);
}
