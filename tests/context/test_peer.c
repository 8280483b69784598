/* Peers that hang up: noticed in every way they go, and nothing else is taken for it. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "context/tree.h"
#include "shards_tools.h"

/* A connection over the loopback: what the server has, and what its client has. */
struct line {
    int server, client;
};

static int listener = -1;
static struct sockaddr_in address;

static int open_listener(void **state)
{
    (void)state;
    socklen_t size = sizeof address;
    address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 300) ||
           getsockname(listener, (struct sockaddr *)&address, &size);
}

static int close_listener(void **state)
{
    (void)state;
    return close(listener);
}

static struct line connect_line(void)
{
    struct line line;
    line.client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(line.client >= 0);
    assert_int_equal(connect(line.client, (struct sockaddr *)&address, sizeof address), 0);
    line.server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    assert_true(line.server >= 0);
    return line;
}

static void reset(int fd)
{
    const struct linger now = {.l_onoff = 1};
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now), 0);
    close(fd);
}

static void assert_gone(const wh_ctx *ctx, const char *text)
{
    assert_int_equal(wh_wait(ctx, WH_SEC(20)), ECANCELED);
    const struct wh_cause cause = cause_of(ctx);
    assert_ptr_equal(cause.reason, WH_CLIENT_GONE);
    assert_string_equal(cause.text, text);
    assert_int_equal(wh_http_status(ctx), 499);
}

/* Long enough for the loop to have looked: another line on it goes, and that is noticed. */
static void let_the_loop_look(void)
{
    struct line other = connect_line();
    WH_AUTO wh_ctx *probe = wh_with_cancel(NULL);
    assert_int_equal(wh_watch_peer(probe, other.server, 0), 0);
    close(other.client);
    assert_gone(probe, "connection closed");
    wh_end(probe);
    probe = NULL;
    close(other.server);
}

/* ---- how a peer goes ---- */

static void T146_a_peer_that_closes_is_gone(void **state)
{
    (void)state;
    struct line line = connect_line();
    wh_ctx *ctx = wh_with_cancel(NULL);
    WH_AUTO wh_ctx *below = wh_with_timeout(ctx, WH_SEC(100));
    assert_int_equal(wh_watch_peer(ctx, line.server, 0), 0);
    assert_int_equal(wh_err(ctx), 0);
    close(line.client);
    assert_gone(below, "connection closed");
    assert_string_equal(cause_of(ctx).site->func, __func__);
    assert_int_equal(cause_of(ctx).depth, 0);
    wh_end(ctx);
    close(line.server);
}

static void T146_a_reset_is_gone_and_says_so(void **state)
{
    (void)state;
    for (unsigned flags = 0; flags <= WH_HALF_CLOSE; flags++) {
        struct line line = connect_line();
        WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
        assert_int_equal(wh_watch_peer(ctx, line.server, flags), 0);
        reset(line.client);
        assert_gone(ctx, "connection reset");
        close(line.server);
    }
}

/* A copy that is not one, as for MSG_ZEROCOPY, is told through the error queue: the peer is still there. */
static void a_message_in_the_error_queue_is_no_hang_up(void **state)
{
    (void)state;
    static char bytes[20000];
    const int one = 1;
    struct line line = connect_line();
    WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
    assert_int_equal(setsockopt(line.server, SOL_SOCKET, SO_ZEROCOPY, &one, sizeof one), 0);
    assert_int_equal(wh_watch_peer(ctx, line.server, WH_HALF_CLOSE), 0);
    assert_true(send(line.server, bytes, sizeof bytes, MSG_ZEROCOPY) > 0);
    struct pollfd told = {.fd = line.server};
    assert_int_equal(poll(&told, 1, 20000), 1);
    assert_int_equal(told.revents, POLLERR);
    let_the_loop_look();
    assert_int_equal(wh_err(ctx), 0);
    close(line.client);
    reset(line.server);
}

static void T146_a_half_close_is_gone_unless_it_is_allowed(void **state)
{
    (void)state;
    struct line line = connect_line();
    WH_AUTO wh_ctx *strict = wh_with_cancel(NULL);
    WH_AUTO wh_ctx *patient = wh_with_cancel(NULL);
    assert_int_equal(wh_watch_peer(patient, line.server, WH_HALF_CLOSE), 0);
    assert_int_equal(wh_watch_peer(strict, line.server, 0), 0);
    shutdown(line.client, SHUT_WR);
    assert_gone(strict, "connection closed");
    let_the_loop_look();
    assert_int_equal(wh_err(patient), 0);
    assert_int_equal(write(line.server, "the answer", 10), 10);
    char answer[10];
    assert_int_equal(read(line.client, answer, sizeof answer), 10); /* it was waiting for that */
    reset(line.client);
    assert_gone(patient, "connection reset");
    close(line.server);
}

/* A close looks like a half-close until somebody writes: then the peer's system says that nobody is there. */
static void T146_with_half_close_a_failed_write_tells(void **state)
{
    (void)state;
    struct line line = connect_line();
    WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
    assert_int_equal(wh_watch_peer(ctx, line.server, WH_HALF_CLOSE), 0);
    close(line.client);
    let_the_loop_look();
    assert_int_equal(wh_err(ctx), 0);
    assert_int_equal(send(line.server, "x", 1, MSG_NOSIGNAL), 1);
    assert_int_equal(wh_wait(ctx, WH_SEC(20)), ECANCELED);
    assert_ptr_equal(wh_cause(ctx), WH_CLIENT_GONE);
    close(line.server);
}

static void T146_over_a_unix_socket_too(void **state)
{
    (void)state;
    for (unsigned flags = 0; flags <= WH_HALF_CLOSE; flags++) {
        int fds[2];
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
        WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
        assert_int_equal(wh_watch_peer(ctx, fds[0], flags), 0);
        close(fds[1]);
        assert_gone(ctx, "connection closed");
        close(fds[0]);
    }
}

static void T146_who_has_gone_before_is_noticed_at_once(void **state)
{
    (void)state;
    struct line line = connect_line();
    close(line.client);
    for (int i = 0; i < 3; i++) {
        WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
        assert_int_equal(wh_watch_peer(ctx, line.server, 0), 0);
        assert_gone(ctx, "connection closed");
    }
    close(line.server);
}

static void T146_a_span_takes_its_peer_with_its_options(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    struct line line = connect_line();
    wh_ctx *request = wh_start(spans.root, "GET /order", .kind = WH_SERVER, .peer_fd = line.server);
    close(line.client);
    assert_gone(request, "connection closed");
    wh_end(request);
    close(line.server);
    spans_end(&spans);
}

/* ---- what is no hang-up ---- */

static void T146_requests_that_wait_are_no_hang_up_and_hide_none(void **state)
{
    (void)state;
    struct line line = connect_line();
    WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
    assert_int_equal(write(line.client, "GET / HTTP/1.1\r\n\r\n", 18), 18);
    assert_int_equal(wh_watch_peer(ctx, line.server, 0), 0);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(write(line.client, "GET /next HTTP/1.1\r\n\r\n", 22), 22);
        let_the_loop_look();
        assert_int_equal(wh_err(ctx), 0);
    }
    char byte;
    assert_int_equal(read(line.server, &byte, 1), 1); /* the library has taken none of it */
    assert_int_equal(byte, 'G');
    close(line.client); /* nobody has read the rest */
    assert_gone(ctx, "connection closed");
    close(line.server);
}

static void who_has_ended_is_not_watched(void **state)
{
    (void)state;
    struct line line = connect_line();
    wh_ctx *ctx = wh_with_cancel(NULL);
    const wh_ctx *held = wh_hold(ctx);
    WH_AUTO wh_ctx *other = wh_with_cancel(NULL);
    assert_int_equal(wh_watch_peer(ctx, line.server, 0), 0);
    assert_int_equal(wh_watch_peer(other, line.server, 0), 0);
    wh_end(ctx);
    close(line.client);
    assert_gone(other, "connection closed");
    assert_ptr_equal(wh_cause(held), WH_ENDED);
    assert_int_equal(cause_of(held).losers, 0);
    wh_release(held);
    close(line.server);
}

static void who_was_done_keeps_its_cause(void **state)
{
    (void)state;
    struct line line = connect_line();
    WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
    wh_cancel(ctx, NULL, "enough");
    assert_int_equal(wh_watch_peer(ctx, line.server, 0), 0);
    close(line.client);
    let_the_loop_look();
    assert_ptr_equal(wh_cause(ctx), WH_CANCELED);
    close(line.server);
}

static void what_cannot_be_watched_is_refused(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
    const int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    assert_int_equal(wh_watch_peer(ctx, -1, 0), EBADF);
    assert_int_equal(wh_watch_peer(ctx, file, 0), EPERM);
    close(file);
    assert_int_equal(wh_watch_peer(ctx, file, 0), EBADF);
    assert_int_equal(wh_watch_peer(ctx, 1 << 20, 0), EBADF);
    struct line line = connect_line();
    assert_int_equal(wh_watch_peer(NULL, line.server, 0), EINVAL);
    assert_int_equal(wh_watch_peer(ctx, line.server, 0), 0);
    close(line.client);
    assert_gone(ctx, "connection closed");
    close(line.server);
}

/* ---- several, and again ---- */

static void two_contexts_on_one_descriptor(void **state)
{
    (void)state;
    struct line line = connect_line();
    WH_AUTO wh_ctx *one = wh_with_cancel(NULL);
    WH_AUTO wh_ctx *two = wh_with_cancel(NULL);
    WH_AUTO wh_ctx *brief = wh_with_cancel(NULL);
    assert_int_equal(wh_watch_peer(one, line.server, 0), 0);
    assert_int_equal(wh_watch_peer(brief, line.server, 0), 0);
    assert_int_equal(wh_watch_peer(two, line.server, 0), 0);
    wh_end(brief);
    brief = NULL;
    close(line.client);
    assert_gone(one, "connection closed");
    assert_gone(two, "connection closed");
    close(line.server);
}

static void a_second_watch_replaces_the_first(void **state)
{
    (void)state;
    struct line first = connect_line(), second = connect_line();
    WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
    assert_int_equal(wh_watch_peer(ctx, first.server, 0), 0);
    assert_int_equal(wh_watch_peer(ctx, second.server, 0), 0);
    close(first.client);
    let_the_loop_look();
    assert_int_equal(wh_err(ctx), 0);
    close(second.client);
    assert_gone(ctx, "connection closed");
    close(first.server);
    close(second.server);
}

static void keep_alive_one_context_after_the_other(void **state)
{
    (void)state;
    struct line line = connect_line();
    for (int i = 0; i < rounds(2000); i++) {
        WH_AUTO wh_ctx *request = wh_with_cancel(NULL);
        assert_int_equal(wh_watch_peer(request, line.server, 0), 0);
        assert_int_equal(wh_err(request), 0);
    }
    WH_AUTO wh_ctx *last = wh_with_cancel(NULL);
    assert_int_equal(wh_watch_peer(last, line.server, 0), 0);
    close(line.client);
    assert_gone(last, "connection closed");
    close(line.server);
}

/* The number of a closed descriptor is given to the next connection, also by who closes it before he ends the context. */
static void a_number_used_again_is_another_peer(void **state)
{
    (void)state;
    for (int i = quick_or_all(300, 1000000); i; i--) {
        struct line old = connect_line();
        wh_ctx *before = wh_with_cancel(NULL);
        assert_int_equal(wh_watch_peer(before, old.server, 0), 0);
        if (i % 2) wh_end(before);
        if (i % 3 == 0) close(old.client); /* the news may be on its way */
        struct line next = connect_line();
        close(old.server);
        assert_int_equal(dup3(next.server, old.server, O_CLOEXEC), old.server);
        close(next.server);
        next.server = old.server;
        WH_AUTO wh_ctx *after = wh_with_cancel(NULL);
        assert_int_equal(wh_watch_peer(after, next.server, 0), 0);
        if (i % 3) close(old.client);
        if (i % 2 == 0) wh_end(before);
        wh_wait(NULL, WH_US(100));
        assert_int_equal(wh_err(after), 0);
        close(next.client);
        assert_gone(after, "connection closed");
        wh_end(after);
        after = NULL;
        close(next.server);
    }
}

static void hundreds_go_at_once(void **state)
{
    (void)state;
    enum { MANY = 200 };
    struct line lines[MANY];
    wh_ctx *contexts[MANY];
    for (int i = 0; i < MANY; i++) {
        lines[i] = connect_line();
        contexts[i] = wh_with_cancel(NULL);
        assert_int_equal(wh_watch_peer(contexts[i], lines[i].server, 0), 0);
    }
    for (int i = 0; i < MANY; i += 2) close(lines[i].client);
    for (int i = 0; i < MANY; i += 2) assert_gone(contexts[i], "connection closed");
    for (int i = 1; i < MANY; i += 2) assert_int_equal(wh_err(contexts[i]), 0);
    for (int i = 0; i < MANY; i++) {
        wh_end(contexts[i]);
        close(lines[i].server);
        if (i % 2) close(lines[i].client);
    }
}

/* ---- going and ending at one instant ---- */

struct race {
    struct gate gate;
    int rounds, client;
};

static void *hang_up(void *arg)
{
    struct race *race = arg;
    uint32_t seed = 11;
    for (int i = 0; i < race->rounds; i++) {
        meet(&race->gate, 2);
        dawdle(&seed);
        if (i % 2)
            close(race->client);
        else
            reset(race->client);
        meet(&race->gate, 2);
    }
    return NULL;
}

static void hanging_up_just_when_it_ends(void **state)
{
    (void)state;
    struct race race = {.rounds = chances(3000)};
    uint32_t seed = 12;
    int gone = 0;
    WH_AUTO wh_ctx *root = wh_with_cancel(NULL);
    const pthread_t thread = start(hang_up, &race);
    for (int i = 0; i < race.rounds; i++) {
        struct line line = connect_line();
        wh_ctx *ctx = wh_with_cancel(root);
        race.client = line.client;
        assert_int_equal(wh_watch_peer(ctx, line.server, 0), 0);
        meet(&race.gate, 2);
        dawdle(&seed);
        if (i % 4 == 0) wh_wait(ctx, WH_US(50));
        gone += wh_err(ctx) != 0;
        assert_true(wh_err(ctx) == 0 || wh_cause(ctx) == WH_CLIENT_GONE);
        wh_end(ctx);
        close(line.server);
        meet(&race.gate, 2);
    }
    join(thread);
    assert_int_equal(wh_err(root), 0);
    EVENTUALLY(refs_of(root, true) == 1);
    assert_true(is_childless(root));
    print_message("           %d of %d were gone\n", gone, race.rounds);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(T146_a_peer_that_closes_is_gone),
        cmocka_unit_test(T146_a_reset_is_gone_and_says_so),
        cmocka_unit_test(a_message_in_the_error_queue_is_no_hang_up),
        cmocka_unit_test(T146_a_half_close_is_gone_unless_it_is_allowed),
        cmocka_unit_test(T146_with_half_close_a_failed_write_tells),
        cmocka_unit_test(T146_over_a_unix_socket_too),
        cmocka_unit_test(T146_who_has_gone_before_is_noticed_at_once),
        cmocka_unit_test(T146_a_span_takes_its_peer_with_its_options),
        cmocka_unit_test(T146_requests_that_wait_are_no_hang_up_and_hide_none),
        cmocka_unit_test(who_has_ended_is_not_watched),
        cmocka_unit_test(who_was_done_keeps_its_cause),
        cmocka_unit_test(what_cannot_be_watched_is_refused),
        cmocka_unit_test(two_contexts_on_one_descriptor),
        cmocka_unit_test(a_second_watch_replaces_the_first),
        cmocka_unit_test(keep_alive_one_context_after_the_other),
        cmocka_unit_test(a_number_used_again_is_another_peer),
        cmocka_unit_test(hundreds_go_at_once),
        cmocka_unit_test(hanging_up_just_when_it_ends),
    };
    return cmocka_run_group_tests_name("peer", tests, open_listener, close_listener);
}
