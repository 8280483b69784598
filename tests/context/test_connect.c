/* Making and taking connections under a context. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include "wait_tools.h"

/* ---- listeners ---- */

struct address {
    union {
        struct sockaddr any;
        struct sockaddr_in in;
        struct sockaddr_un un;
    };
    socklen_t len;
};

static int new_socket(int family, int type)
{
    const int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | type, 0);
    assert_true(fd >= 0);
    return fd;
}

/* On a port that was free, or on a name that the kernel has found. */
static int listen_on(int family, int type, int backlog, struct address *address)
{
    const int fd = new_socket(family, type);
    *address = (struct address){.len = sizeof address->in};
    if (family == AF_INET) {
        address->in = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    } else {
        address->un.sun_family = AF_UNIX;
        address->len = sizeof(sa_family_t);
    }
    assert_int_equal(bind(fd, &address->any, address->len), 0);
    address->len = sizeof address->un;
    assert_int_equal(getsockname(fd, &address->any, &address->len), 0);
    assert_int_equal(listen(fd, backlog), 0);
    return fd;
}

static const int families[] = {AF_INET, AF_UNIX};
static const int types[] = {0, SOCK_NONBLOCK};

/* ---- both sides ---- */

static void they_meet(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *ctx = wh_with_timeout(NULL, WH_SEC(1000));
    const int first = next_fd();
    for (int i = 0; i < 8; i++) {
        const wh_ctx *of = i & 4 ? ctx : NULL;
        struct address address, peer = {.len = sizeof peer.un};
        const int family = families[i % 2], listener = listen_on(family, types[i / 2 % 2], 8, &address);
        const int fd = new_socket(family, types[i / 2 % 2]);
        const int flags = fcntl(fd, F_GETFL);
        int accepted = -1;
        char byte;
        assert_int_equal(wh_connect(of, fd, &address.any, address.len), 0);
        assert_int_equal(fcntl(fd, F_GETFL), flags);
        assert_int_equal(wh_accept(of, listener, i % 3 ? &peer.any : NULL, i % 3 ? &peer.len : NULL, &accepted), 0);
        assert_int_equal(fcntl(accepted, F_GETFD), FD_CLOEXEC);
        assert_int_equal(fcntl(accepted, F_GETFL) & O_NONBLOCK, 0);
        if (i % 3) {
            assert_int_equal(peer.any.sa_family, family);
            assert_int_equal(peer.len, family == AF_INET ? sizeof peer.in : sizeof(sa_family_t));
        }
        assert_int_equal(write(fd, "x", 1), 1);
        assert_int_equal(read(accepted, &byte, 1), 1);
        close(accepted);
        close(fd);
        close(listener);
    }
    wh_done_fd(ctx);
    assert_in_range(next_fd(), first, first + 1); /* the context's own, if it was needed */
}

static void the_errors_of_the_call(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
    struct address address;
    int accepted = 99;
    const int listener = listen_on(AF_INET, 0, 8, &address), fd = new_socket(AF_INET, 0);
    struct pair pair = pipe_pair();
    close(listener);
    assert_int_equal(wh_connect(ctx, fd, &address.any, address.len), ECONNREFUSED);
    assert_int_equal(wh_connect(ctx, -1, &address.any, address.len), EBADF);
    assert_int_equal(wh_connect(ctx, pair.ours, &address.any, address.len), ENOTSOCK);
    assert_int_equal(fcntl(pair.ours, F_GETFL) & O_NONBLOCK, 0);
    assert_int_equal(wh_accept(ctx, -1, NULL, NULL, &accepted), EBADF);
    assert_int_equal(wh_accept(ctx, 1000000, NULL, NULL, &accepted), EBADF);
    assert_int_equal(wh_accept(ctx, fd, NULL, NULL, &accepted), EINVAL);
    assert_int_equal(accepted, 99);
    close(fd);
    close_pair(&pair);
}

/* ---- cancelled ---- */

WH__MAY_VANISH static int accept_one(struct wait *wait)
{
    int accepted;
    const int err = wh_accept(wait->ctx, wait->fd, NULL, NULL, &accepted);
    if (!err) close(accepted);
    return err;
}

static void T128_a_cancel_wakes_accept(void **state)
{
    (void)state;
    for (int i = 0; i < 16; i++) {
        struct address address;
        const int family = families[i % 2], listener = listen_on(family, types[i / 2 % 2], 8, &address);
        WH_AUTO wh_ctx *root = wh_with_cancel(NULL);
        WH_AUTO wh_ctx *ctx = i % 3 ? wh_with_cancel(root) : wh_with_timeout(root, WH_MS(2));
        struct wait wait = {.fn = accept_one, .ctx = ctx, .fd = listener};
        wait_begin(&wait);
        if (i % 3) {
            if (i % 4) wait_until_asleep(&wait);
            wh_cancel(root, reason_x, NULL);
        }
        assert_int_equal(wait_end(&wait), i % 3 ? ECANCELED : ETIMEDOUT);
        const int fd = new_socket(family, 0); /* it is usable */
        assert_int_equal(connect(fd, &address.any, address.len), 0);
        assert_int_equal(accept_one(&(struct wait){.fd = listener}), 0);
        close(fd);
        close(listener);
    }
}

static void T124_who_is_cancelled_takes_nobody(void **state)
{
    (void)state;
    struct address address;
    const int listener = listen_on(AF_UNIX, 0, 8, &address), fd = new_socket(AF_UNIX, 0);
    WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
    wh_cancel(ctx, reason_x, NULL);
    assert_int_equal(connect(fd, &address.any, address.len), 0);
    for (int i = 0; i < 10000; i++) {
        int accepted = -5;
        assert_int_equal(wh_accept(ctx, listener, NULL, NULL, &accepted), ECANCELED);
        assert_int_equal(accepted, -5);
    }
    assert_int_equal(accept_one(&(struct wait){.fd = listener}), 0);
    const int other = new_socket(AF_UNIX, 0);
    assert_int_equal(wh_connect(ctx, other, &address.any, address.len), ECANCELED);
    make_patient(listener);
    assert_int_equal(accept(listener, NULL, NULL), -1); /* nobody has come */
    close(other);
    close(fd);
    close(listener);
}

static struct address race_address;
static void connect_and_cancel(struct race *race, int round)
{
    race->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (round % 2) wh_cancel(race->ctx, reason_x, NULL);
    if (connect(race->fd, &race_address.any, race_address.len)) abort();
    if (round % 2 == 0) wh_cancel(race->ctx, reason_x, NULL);
}

/* Either the caller has the connection, or it is still in the queue. */
static void T125_no_connection_is_lost(void **state)
{
    (void)state;
    const int first = next_fd(), listener = listen_on(AF_UNIX, 0, 8, &race_address), total = rounds(10000);
    make_patient(listener);
    wh_ctx *ctx = wh_with_cancel(NULL);
    struct race race = {.fn = connect_and_cancel, .rounds = total, .ctx = ctx};
    race.thread = start(run_race, &race);
    int deviations = 0;
    for (int i = 0; i < total; i++) {
        int accepted = -1;
        meet(&race.gate, 2);
        const int err = wh_accept(ctx, listener, NULL, NULL, &accepted);
        meet(&race.gate, 2);
        if (err) accepted = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        deviations += err != 0 && err != ECANCELED;
        deviations += accepted < 0 || close(accepted) != 0 || accept(listener, NULL, NULL) >= 0;
        close(race.fd);
        wh_end(ctx);
        if (i + 1 < total) race.ctx = ctx = wh_with_cancel(NULL);
    }
    join(race.thread);
    assert_int_equal(deviations, 0);
    close(listener);
    assert_int_equal(next_fd(), first);
}

/* A peer that resets the connection while it waits in the queue: a blocking listener does not block for that. */
static void a_peer_that_has_gone_again(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *ctx = wh_with_timeout(NULL, WH_SEC(1000));
    for (int i = 0; i < 20; i++) {
        struct address address;
        const int family = families[i % 2], listener = listen_on(family, 0, 8, &address), fd = new_socket(family, 0);
        const struct linger reset = {.l_onoff = 1, .l_linger = 0};
        struct wait wait = {.fn = accept_one, .ctx = ctx, .fd = listener};
        assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset), 0);
        if (i >= 10) {
            wait_begin(&wait);
            wait_until_asleep(&wait);
        }
        assert_int_equal(connect(fd, &address.any, address.len), 0);
        close(fd);
        assert_int_equal(i >= 10 ? wait_end(&wait) : accept_one(&wait), 0);
        close(listener);
    }
}

static void T128_several_accept_from_one_listener(void **state)
{
    (void)state;
    enum { TAKERS = 4 };
    struct address address;
    const int listener = listen_on(AF_INET, SOCK_NONBLOCK, 8, &address), fd = new_socket(AF_INET, 0);
    WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
    struct wait waits[TAKERS];
    for (int i = 0; i < TAKERS; i++) {
        waits[i] = (struct wait){.fn = accept_one, .ctx = ctx, .fd = listener};
        wait_begin(&waits[i]);
    }
    for (int i = 0; i < TAKERS; i++) wait_until_asleep(&waits[i]);
    assert_int_equal(connect(fd, &address.any, address.len), 0);
    char byte;
    assert_int_equal(read(fd, &byte, 1), 0); /* taken, and closed */
    wh_cancel(ctx, reason_x, NULL);
    int taken = 0;
    for (int i = 0; i < TAKERS; i++) taken += wait_end(&waits[i]) == 0;
    assert_int_equal(taken, 1);
    close(fd);
    close(listener);
}

/* ---- connect that has to wait: a queue that is full ---- */

struct crowd {
    struct address address;
    int listener, fds[8];
};

/* For TCP, a queue of one holds two; what comes then is not answered. */
static void crowd_begin(struct crowd *crowd, int family)
{
    crowd->listener = listen_on(family, SOCK_NONBLOCK, 0, &crowd->address);
    for (int i = 0; i < 8; i++) {
        crowd->fds[i] = new_socket(family, SOCK_NONBLOCK);
        connect(crowd->fds[i], &crowd->address.any, crowd->address.len);
    }
}

static void crowd_end(struct crowd *crowd)
{
    for (int i = 0; i < 8; i++) close(crowd->fds[i]);
    close(crowd->listener);
}

WH__MAY_VANISH static int connect_one(struct wait *wait)
{
    const struct crowd *crowd = wait->more;
    return wh_connect(wait->ctx, wait->fd, &crowd->address.any, crowd->address.len);
}

static void T128_a_cancel_wakes_connect(void **state)
{
    (void)state;
    for (int i = 0; i < 8; i++) {
        struct crowd crowd;
        crowd_begin(&crowd, families[i % 2]);
        const int fd = new_socket(families[i % 2], types[i / 2 % 2]), flags = fcntl(fd, F_GETFL);
        WH_AUTO wh_ctx *root = wh_with_cancel(NULL);
        WH_AUTO wh_ctx *ctx = i / 4 ? wh_with_cancel(root) : wh_with_timeout(root, WH_MS(3));
        struct wait wait = {.fn = connect_one, .ctx = ctx, .fd = fd, .more = &crowd};
        wait_begin(&wait);
        if (i / 4) {
            wait_until_asleep(&wait);
            wh_cancel(root, reason_x, NULL);
        }
        assert_int_equal(wait_end(&wait), i / 4 ? ECANCELED : ETIMEDOUT);
        assert_int_equal(fcntl(fd, F_GETFL), flags);
        assert_int_equal(close(fd), 0);
        crowd_end(&crowd);
    }
}

static void T127_a_connecting_thread_can_be_cancelled(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
    for (int i = 0; i < 4; i++) {
        struct crowd crowd;
        crowd_begin(&crowd, families[i % 2]);
        const int fd = new_socket(families[i % 2], 0), flags = fcntl(fd, F_GETFL);
        struct wait connects = {.fn = connect_one, .ctx = i / 2 ? ctx : NULL, .fd = fd, .more = &crowd};
        wait_vanishes(&connects);
        assert_int_equal(fcntl(fd, F_GETFL), flags); /* put back on the way out */
        close(fd);
        struct address address;
        const int listener = listen_on(AF_INET, 0, 8, &address);
        struct wait accepts = {.fn = accept_one, .ctx = i / 2 ? ctx : NULL, .fd = listener};
        wait_vanishes(&accepts);
        close(listener);
        crowd_end(&crowd);
    }
    assert_int_equal(ctx->refs, 1);
}

/* When there is room in the queue, a connection comes about. */
static void it_waits_for_room(void **state)
{
    (void)state;
    struct pest pest;
    struct crowd crowd;
    crowd_begin(&crowd, AF_UNIX);
    const int fd = new_socket(AF_UNIX, 0);
    WH_AUTO wh_ctx *ctx = wh_with_timeout(NULL, WH_SEC(1000));
    struct wait wait = {.fn = connect_one, .ctx = ctx, .fd = fd, .more = &crowd};
    wait_begin(&wait);
    wait_until_asleep(&wait);
    pest_begin(&pest); /* T126: it stings the one who accepts */
    for (int i = 0; i < 2; i++) assert_int_equal(accept_one(&(struct wait){.ctx = ctx, .fd = crowd.listener}), 0);
    pest_end(&pest);
    assert_int_equal(wait_end(&wait), 0);
    close(fd);
    crowd_end(&crowd);
}

/* One that the caller has begun himself. */
static void a_connection_under_way_is_waited_for(void **state)
{
    (void)state;
    struct address address;
    const int listener = listen_on(AF_INET, 0, 8, &address), fd = new_socket(AF_INET, SOCK_NONBLOCK);
    WH_AUTO wh_ctx *ctx = wh_with_timeout(NULL, WH_SEC(1000));
    const int rc = connect(fd, &address.any, address.len);
    assert_true(rc == 0 || errno == EINPROGRESS);
    const int err = wh_connect(ctx, fd, &address.any, address.len);
    assert_true(err == 0 || err == EISCONN); /* it may have stood before we asked */
    close(fd);
    close(listener);
}

static bool meet_without_descriptors(void *unused)
{
    (void)unused;
    struct address address;
    struct crowd crowd;
    crowd_begin(&crowd, AF_INET);
    const int listener = listen_on(AF_INET, 0, 8, &address), fd = new_socket(AF_INET, 0), other = new_socket(AF_INET, 0);
    const int spare = new_socket(AF_INET, 0);
    int accepted;
    CHECK(use_up_descriptors());
    wh_ctx *ctx = wh_with_timeout(NULL, WH_MS(3));
    CHECK(wh_accept(ctx, listener, NULL, NULL, &accepted) == ETIMEDOUT);
    wh_end(ctx);
    ctx = wh_with_timeout(NULL, WH_MS(3));
    CHECK(wh_connect(ctx, other, &crowd.address.any, crowd.address.len) == ETIMEDOUT);
    wh_end(ctx);
    ctx = wh_with_timeout(NULL, WH_SEC(1000));
    CHECK(wh_connect(ctx, fd, &address.any, address.len) == 0);
    CHECK(wh_accept(ctx, listener, NULL, NULL, &accepted) == EMFILE); /* which is for the caller to see */
    close(other);
    close(spare);
    const int next = new_socket(AF_INET, 0); /* under valgrind the first one is gone */
    CHECK(wh_connect(ctx, next, &address.any, address.len) == 0);
    CHECK(wh_accept(ctx, listener, NULL, NULL, &accepted) == 0);
    wh_end(ctx);
    return true;
}

static void T121_without_descriptors(void **state)
{
    (void)state;
    assert_int_equal(in_child(meet_without_descriptors, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_meet),
        cmocka_unit_test(the_errors_of_the_call),
        cmocka_unit_test(T128_a_cancel_wakes_accept),
        cmocka_unit_test(T124_who_is_cancelled_takes_nobody),
        cmocka_unit_test(T125_no_connection_is_lost),
        cmocka_unit_test(a_peer_that_has_gone_again),
        cmocka_unit_test(T128_several_accept_from_one_listener),
        cmocka_unit_test(T128_a_cancel_wakes_connect),
        cmocka_unit_test(T127_a_connecting_thread_can_be_cancelled),
        cmocka_unit_test(it_waits_for_room),
        cmocka_unit_test(a_connection_under_way_is_waited_for),
        cmocka_unit_test(T121_without_descriptors),
    };
    return cmocka_run_group_tests_name("connect", tests, NULL, NULL);
}
