#include "scenarios.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <whence/test.h>
#include <whence/whence.h>

bool scenario_failed;

#define HOLDS(condition) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "%s:%d: %s: does not hold: %s\n", __FILE__, __LINE__, __func__, #condition); \
            scenario_failed = true; \
        } \
    } while (0)

WH_REASON(reason_x, "x");
WH_KEY(number, int)

static int destroyed;
static void destroy(int *value)
{
    destroyed += *value;
}
WH_KEY_OWNED(owned, int, destroy)

static void count(void *arg)
{
    __atomic_fetch_add((int *)arg, 1, __ATOMIC_ACQ_REL);
}

/* Patience is for what another thread is about to do. */
static bool comes_true(const int *counter, int value)
{
    for (const int64_t until = wh_now() + WH_SEC(30); wh_now() < until; wh_wait(NULL, WH_US(50)))
        if (__atomic_load_n(counter, __ATOMIC_ACQUIRE) == value) return true;
    return false;
}

/* Of a context that nobody has cancelled: open, or out of memory and done in every respect. */
static bool is_whole(const wh_ctx *ctx)
{
    const int err = wh_err(ctx);
    return ctx && (err ? err == ECANCELED && wh_cause(ctx) == WH_NO_MEMORY && wh_wait(ctx, WH_NEVER) == err : !wh_cause(ctx));
}

static bool is_lost_or(int rc, int expected)
{
    return rc == expected || rc == ENOMEM || rc == ECANCELED;
}

/* ---- context.h ---- */

static void roots(void)
{
    HOLDS(!wh_err(wh_background()) && !wh_err(wh_todo()));
    HOLDS(!wh_cancellable(wh_background()) && wh_deadline(NULL) == WH_NEVER && wh_remaining(NULL) == WH_NEVER);
    HOLDS(wh_http_status(NULL) == 500);
}

static void derive_and_cancel(void)
{
    wh_ctx *root = wh_with_cancel(NULL);
    wh_ctx *all[] = {wh_with_timeout(root, WH_SEC(100)), wh_with_deadline(root, wh_now() + WH_SEC(100000)),
        wh_with_number(root, 1), wh_with_cancel(root), wh_detach(root)};
    for (int i = 0; i < 5; i++) {
        HOLDS(is_whole(all[i]) && wh_cancellable(all[i]));
        wh_release(wh_hold(all[i]));
    }
    HOLDS(wh_remaining(all[0]) > 0 && (wh_err(all[0]) || wh_deadline(all[0]) != WH_NEVER));
    HOLDS(wh_err(all[2]) || wh_number(all[2]) == 1);
    HOLDS(wh_cancel(root, reason_x, "all of it") == (wh_cause(root) == reason_x));
    HOLDS(!wh_cancelf(root, reason_x, "number %d", 2));
    for (int i = 0; i < 4; i++) HOLDS(wh_err(all[i]) == ECANCELED);
    for (int i = 0; i < 5; i++) wh_end(all[i]);
    wh_end(root);
}

static void merged(void)
{
    wh_ctx *a = wh_with_cancel(NULL), *b = wh_with_timeout(NULL, WH_SEC(100)), *c = wh_with_number(b, 3);
    wh_ctx *two = wh_merge(a, c), *three = wh_merge_at((const wh_ctx *const[]){a, two, c}, 3, WH_HERE);
    HOLDS(is_whole(three) && (wh_err(three) || wh_number(three) == 3));
    wh_cancel(b, reason_x, NULL);
    HOLDS(wh_err(two) == ECANCELED && wh_err(three) == ECANCELED);
    wh_ctx *const all[] = {a, b, c, two, three};
    for (int i = 0; i < 5; i++) wh_end(all[i]);
}

static void cancel_a_deep_chain(void)
{
    enum { DEEP = 300 };
    static wh_ctx *chain[DEEP];
    static int ran;
    ran = 0;
    for (int i = 0; i < DEEP; i++) chain[i] = wh_with_cancel(i ? chain[i - 1] : NULL);
    const int rc = wh_after_inline(chain[DEEP - 1], count, &ran, NULL);
    wh_done_fd(chain[DEEP / 2]);
    wh_cancelf(chain[0], reason_x, "number %d", 5);
    for (int i = 0; i < DEEP; i++) HOLDS(wh_err(chain[i]) == ECANCELED);
    HOLDS(ran == (rc == 0));
    for (int i = 0; i < DEEP; i++) wh_end(chain[i]);
}

static void values(void)
{
    destroyed = 0;
    wh_ctx *value = wh_with_owned(NULL, 1);
    wh_ctx *inner = wh_with_cancel(value);
    wh_ctx *outer = wh_take_over(wh_with_value(inner, &wh_key_number, &(int){2}), inner);
    HOLDS(is_whole(outer) && (wh_err(outer) || wh_err(value) || wh_value(outer, &wh_key_owned)));
    wh_end(value);
    wh_end(outer);
    HOLDS(destroyed == 1); /* also if nobody has ever seen it */
}

static void causes(void)
{
    static char words[400];
    struct wh_cause cause = {.size = sizeof cause};
    wh_ctx *ctx = wh_with_timeout(NULL, WH_SEC(10));
    HOLDS(wh_cause_info(ctx, &cause) == (wh_err(ctx) != 0));
    HOLDS(wh_explain(ctx, words, sizeof words) > 0 && wh_log_line(ctx, words, sizeof words) > 0);
    wh_cancelf(ctx, reason_x, "number %d", 5);
    HOLDS(wh_cause_info(ctx, &cause) && cause.reason == wh_cause(ctx));
    HOLDS(wh_explain(ctx, words, sizeof words) > 0 && wh_log_line(ctx, words, sizeof words) > 0);
    HOLDS(wh_log_level(ctx) == WH_LOG_ERROR);
    struct wh_because because[WH_CAUSES_MAX];
    wh_ctx *other = wh_with_cancel(NULL);
    const bool is_new = wh_err(other) == 0;
    HOLDS(wh_causes(other, because, WH_CAUSES_MAX) == !is_new);
    HOLDS(wh_cancel_because(other, NULL, "a text", ctx) == is_new);
    const size_t count = wh_causes(other, because, WH_CAUSES_MAX);
    HOLDS(count == 1 || count == 2);
    HOLDS(strcmp(because[0].reason, wh_cause(other)->name) == 0 && (count == 1 || strcmp(because[1].reason, wh_cause(ctx)->name) == 0));
    wh_end(other);
    wh_end_because(ctx, WH_HANDLER_RETURNED);
}

static void waits(void)
{
    wh_ctx *ctx = wh_with_timeout(NULL, WH_US(100));
    const int fd = wh_done_fd(ctx);
    HOLDS(fd >= 0 || errno == ENOMEM);
    HOLDS(is_lost_or(wh_wait(ctx, WH_NEVER), ETIMEDOUT) && wh_err(ctx));
    wh_end(ctx);
    HOLDS(wh_wait(NULL, 0) == 0);
}

static void callbacks(void)
{
    static int ran;
    ran = 0;
    wh_callback *one = NULL, *two = NULL, *three = NULL;
    wh_ctx *ctx = wh_with_cancel(NULL);
    const int first = wh_after(ctx, count, &ran, &one), second = wh_after(ctx, count, &ran, &two);
    const int third = wh_after_inline(ctx, count, &ran, &three);
    HOLDS(is_lost_or(first, 0) && is_lost_or(second, 0) && is_lost_or(third, 0));
    const bool was_done = wh_err(ctx) != 0;
    const bool stopped = wh_stop_wait(two);
    HOLDS(second ? !stopped : stopped || was_done);
    wh_cancel(ctx, reason_x, NULL);
    HOLDS(comes_true(&ran, (first == 0) + (third == 0) + (second == 0 && !stopped)));
    HOLDS(!wh_stop(three) && !wh_stop_wait(one));
    wh_end(ctx);
}

static void peers_and_signals(void)
{
    int fds[2];
    wh_ctx *ctx = wh_with_signals(NULL, (const int[]){SIGUSR1}, 1);
    HOLDS(is_whole(ctx));
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds)) return;
    HOLDS(is_lost_or(wh_watch_peer(ctx, fds[0], 0), 0));
    wh_end(ctx);
    close(fds[0]);
    close(fds[1]);
}

static void triggers(void)
{
    wh_trigger *trigger = NULL;
    wh_ctx *ctx = wh_with_cancel(NULL);
    const int rc = wh_trigger_new(ctx, &trigger);
    HOLDS(is_lost_or(rc, 0));
    HOLDS(wh_trigger_fire(trigger, reason_x, SIGUSR1) == (rc == 0));
    HOLDS(rc || wh_wait(ctx, WH_SEC(30)) == ECANCELED);
    wh_trigger_free(trigger);
    wh_end(ctx);
}

/* ---- wait.h ---- */

static void sleeps(void)
{
    struct wh_ticker ticker = wh_ticker_begin(WH_US(10));
    uint64_t missed;
    wh_ctx *ctx = wh_with_cancel(NULL);
    HOLDS(is_lost_or(wh_sleep(ctx, WH_US(10)), 0) && is_lost_or(wh_sleep_until(ctx, wh_now()), 0));
    HOLDS(is_lost_or(wh_tick(ctx, &ticker, &missed), 0));
    wh_cancel(ctx, reason_x, NULL);
    HOLDS(wh_sleep(ctx, WH_NEVER) == ECANCELED && wh_tick(ctx, &ticker, &missed) == ECANCELED);
    wh_end(ctx);
}

static void reads_and_writes(void)
{
    static struct pollfd fds[130];
    char byte;
    size_t count = 0;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC)) return;
    wh_ctx *ctx = wh_with_timeout(NULL, WH_US(300));
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++) fds[i] = (struct pollfd){.fd = ends[0], .events = POLLIN};
    wh_poll(ctx, fds, 127, WH_US(1), &count);
    wh_poll_prefer_result(ctx, fds, 130, WH_US(1), &count);
    if (wh_write(ctx, ends[1], "x", 1, &count) == 0) HOLDS(wh_read(NULL, ends[0], &byte, 1, &count) == 0 && count == 1 && byte == 'x');
    HOLDS(wh_read(ctx, ends[0], &byte, 1, &count) == wh_err(ctx) && wh_err(ctx));
    HOLDS(wh_poll(ctx, fds, 1, WH_NEVER, &count) == wh_err(ctx));
    wh_end(ctx);
    close(ends[0]);
    close(ends[1]);
}

static void connections(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int accepted = -1;
    const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(listener, (void *)&address, len) || listen(listener, 1) || getsockname(listener, (void *)&address, &len)) return;
    wh_ctx *ctx = wh_with_timeout(NULL, WH_SEC(30));
    const int rc = wh_connect(ctx, client, (void *)&address, len);
    HOLDS(is_lost_or(rc, 0));
    if (rc == 0) HOLDS(wh_accept(ctx, listener, NULL, NULL, &accepted) == 0 && accepted >= 0);
    wh_end(ctx);
    if (accepted >= 0) close(accepted);
    close(client);
    close(listener);
}

static void conditions(void)
{
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
    wh_ctx *ctx = wh_with_timeout(NULL, WH_US(300));
    pthread_mutex_lock(&mutex);
    while (wh_cond_wait(ctx, &never, &mutex) == 0) continue;
    pthread_mutex_unlock(&mutex);
    HOLDS(wh_err(ctx));
    wh_end(ctx);
}

/* ---- live.h, and the rest of test.h ---- */

static void the_living(void)
{
    static struct wh_latency rows[4];
    uint64_t lost;
    const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    wh_track(WH_TRACK_LIVE | WH_TRACK_LATENCY);
    wh_ctx *root = wh_test_root(), *leak = wh_with_timeout(wh_todo(), WH_SEC(10));
    HOLDS(is_whole(root) && is_whole(leak) && wh_live_count() <= 2);
    for (enum wh_dump_format format = WH_DUMP_TEXT; format <= WH_DUMP_DOT; format++) HOLDS(is_lost_or(wh_dump(nowhere, format), 0));
    HOLDS(is_lost_or(wh_dump_on(SIGUSR2), 0) && wh_dump_on(0) == 0);
    HOLDS(is_lost_or(wh_report_leaks(nowhere), 0));
    wh_cancelf(leak, reason_x, "a text");
    wh_end(leak);
    HOLDS(is_lost_or(wh_report_latency(nowhere), 0) && wh_latency(rows, 4, &lost) <= 4096);
    wh_test_end(root); /* counts what was not ended, or says that it could not */
    wh_track(0);
    close(nowhere);
}

/* A chain of them, so that how deep it is could be seen. */
static void merged_deep(void)
{
    enum { DEEP = 100 };
    static wh_ctx *chain[DEEP];
    static char words[400];
    wh_ctx *root = wh_with_number(NULL, 1), *shared = wh_with_cancel(root);
    chain[0] = wh_with_cancel(NULL);
    for (int i = 1; i < DEEP; i++) chain[i] = wh_merge(chain[i - 1], shared);
    HOLDS(wh_err(chain[DEEP - 1]) || wh_number(chain[DEEP - 1]) == 1);
    wh_cancelf(chain[0], reason_x, "number %d", 5);
    HOLDS(wh_err(chain[DEEP - 1]) == ECANCELED && wh_explain(chain[DEEP - 1], words, sizeof words) > 0);
    for (int i = 0; i < DEEP; i++) wh_end(chain[i]);
    wh_end(shared);
    wh_end(root);
}


static void clocks(void)
{
    wh_clock *clock = wh_clock_new(0);
    HOLDS(clock || errno == ENOMEM);
    wh_ctx *root = wh_with_clock(NULL, clock), *ctx = wh_with_timeout(root, WH_SEC(1));
    HOLDS(is_whole(root) && is_whole(ctx));
    if (clock) wh_clock_advance(clock, WH_SEC(1));
    HOLDS(!clock || wh_clock_now(clock) == WH_SEC(1));
    HOLDS(is_lost_or(wh_err(ctx), ETIMEDOUT) && wh_err(ctx));
    wh_end(ctx);
    wh_end(root);
    wh_clock_free(clock);
}

/* ---- work.h ---- */

static int add_one(const wh_ctx *ctx, void *arg)
{
    (void)ctx;
    count(arg);
    return 0;
}

static int fail_always(const wh_ctx *ctx, void *arg)
{
    (void)ctx, (void)arg;
    return EIO;
}

static void groups(void)
{
    static int ran;
    ran = 0;
    wh_group *group = wh_group_new(NULL);
    HOLDS(is_whole(wh_group_ctx(group)));
    int started = 0;
    for (int i = 0; i < 3; i++) started += wh_go(group, add_one, &ran) == 0;
    const int rc = wh_group_wait(group);
    HOLDS(started == 3 ? rc == 0 : is_lost_or(rc, ENOMEM));
    HOLDS(ran == started);
    wh_group_free(group);
}

static void groups_in_full(void)
{
    static int ran;
    static struct wh_member_failure failures[4];
    static struct wh_straggler stragglers[4];
    ran = 0;
    wh_group *group = wh_group_new(NULL, .policy = WH_COLLECT);
    HOLDS(is_lost_or(wh_group_limit(group, 2), 0));
    const int one = wh_go_optional(group, fail_always, NULL), two = wh_go(group, add_one, &ran);
    const int three = wh_try_go(group, add_one, &ran);
    HOLDS(is_lost_or(one, 0) && is_lost_or(two, 0) && (three == EAGAIN || is_lost_or(three, 0)));
    HOLDS(wh_group_stragglers(group, stragglers, 4) <= 3);
    wh_group_wait_until(group, 0);
    const int rc = wh_group_wait(group);
    HOLDS(rc == 0 || is_lost_or(rc, ENOMEM));
    HOLDS(ran == (two == 0) + (three == 0));
    HOLDS(wh_group_failures(group, failures, 4) <= 3);
    wh_group_free(group);
}

static void semaphores(void)
{
    wh_ctx *ctx = wh_with_timeout(NULL, WH_US(100));
    wh_sem *sem = wh_sem_new(2);
    HOLDS(sem || errno == ENOMEM);
    if (sem) {
        HOLDS(wh_sem_acquire(NULL, sem, 2) == 0);
        HOLDS(is_lost_or(wh_sem_acquire(ctx, sem, 1), ETIMEDOUT) && !wh_sem_try_acquire(sem, 1));
        HOLDS(wh_sem_release(sem, 2) == 0 && wh_sem_release(sem, 1) == EINVAL);
    }
    wh_sem_free(sem);
    wh_end(ctx);
}

static void retries(void)
{
    wh_ctx *ctx = wh_with_cancel(NULL);
    HOLDS(is_lost_or(wh_retry(ctx, fail_always, NULL, .attempts = 3, .delay = WH_US(1)), EIO));
    wh_end(ctx);
}

const struct scenario scenarios[] = {
    {"roots", roots},
    {"derive and cancel", derive_and_cancel},
    {"merged", merged},
    {"a deep chain", cancel_a_deep_chain},
    {"values", values},
    {"causes", causes},
    {"waits", waits},
    {"callbacks", callbacks},
    {"peers and signals", peers_and_signals},
    {"clocks", clocks},
    {"triggers", triggers},
    {"sleeps", sleeps},
    {"reads and writes", reads_and_writes},
    {"connections", connections},
    {"conditions", conditions},
    {"the living", the_living},
    {"merged, deep", merged_deep},
    {"groups", groups},
    {"groups in full", groups_in_full},
    {"semaphores", semaphores},
    {"retries", retries},
};
const size_t scenario_count = sizeof scenarios / sizeof *scenarios;
