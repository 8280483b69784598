/* The OTLP exporter in the child of a fork: it has what is its own, and leaves the rest alone. */
#include "test_otlp.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "otlp/sockets.h"

/* ---- fork ---- */

static int wait_for_child(pid_t child)
{
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000;
}

/* The child exports over a connection of its own, twice, and frees its exporter. Then it waits: the parent's connection
 * must end without it. */
static int be_child(struct wh_exporter *otlp, int until_closed)
{
    char byte;
    alarm(60);
    if (export_within(otlp, WH_SEC(20))) return 1;
    if (export_within(otlp, WH_SEC(20))) return 2;
    wh_exporter_free(otlp);
    return read(until_closed, &byte, 1) ? 3 : 0;
}

static void a_child_leaves_its_parents_connection_alone(void **state)
{
    (void)state;
    int hold[2];
    struct collector *collector = collector_start(NULL, 0);
    struct wh_exporter *otlp = not_null(wh_otlp_exporter_new(collector_url(collector), .gzip = true));
    assert_int_equal(export_within(otlp, WH_SEC(20)), 0);
    assert_int_equal(pipe(hold), 0);
    const pid_t child = fork_at_rest();
    if (child == 0) {
        close(hold[1]);
        _exit(be_child(otlp, hold[0]));
    }
    close(hold[0]);
    assert_true(collector_wait(collector, 3, WH_SEC(30)));
    assert_true(collector_wait_closed(collector, 1, WH_SEC(30))); /* the child's, when it freed */
    assert_int_equal(export_within(otlp, WH_SEC(20)), 0);
    static const size_t connections[] = {0, 1, 1, 0};
    for (size_t i = 0; i < COUNT(connections); i++)
        assert_int_equal(collector_request(collector, i).connection, connections[i]);
    assert_int_equal(collector_connections(collector), 2);
    wh_exporter_free(otlp);
    assert_true(collector_wait_closed(collector, 2, WH_SEC(30))); /* though the child lives */
    close(hold[1]);
    assert_int_equal(wait_for_child(child), 0);
    collector_stop(collector);
}

static void a_child_may_free_what_it_never_used(void **state)
{
    (void)state;
    struct collector *collector = collector_start(NULL, 0);
    struct wh_exporter *otlp = otlp_to(collector);
    assert_int_equal(export_within(otlp, WH_SEC(20)), 0);
    const pid_t child = fork_at_rest();
    if (child == 0) {
        otlp->interrupt(otlp);
        wh_exporter_free(otlp);
        _exit(0);
    }
    assert_int_equal(wait_for_child(child), 0);
    assert_int_equal(export_within(otlp, WH_SEC(20)), 0);
    assert_int_equal(collector_connections(collector), 1);
    wh_exporter_free(otlp);
    collector_stop(collector);
}

struct stuck {
    struct wh_exporter *otlp;
    int rc;
};

static void *export_and_be_stuck(void *arg)
{
    struct stuck *stuck = arg;
    stuck->rc = export_within(stuck->otlp, WH_SEC(600));
    return NULL;
}

/* The fork comes while another thread is in the middle of an export: the child has an exporter that works, and the
 * parent's export is not disturbed. */
static void a_fork_in_the_middle_of_an_export_harms_neither_side(void **state)
{
    (void)state;
    static const struct collector_answer script[] = {{.manner = COLLECTOR_HANGS}, {.status = 200}};
    for (int64_t protocol = WH_OTLP_HTTP_PROTOBUF; protocol <= WH_OTLP_HTTP_JSON; protocol++) {
        struct collector *collector = collector_start(script, COUNT(script));
        struct wh_exporter *otlp = not_null(wh_otlp_exporter_new(collector_url(collector), .gzip = true,
            .protocol = protocol, .timeout = WH_NEVER));
        struct stuck stuck = {otlp, 0};
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, export_and_be_stuck, &stuck), 0);
        assert_true(collector_wait(collector, 1, WH_SEC(60)));
        const pid_t child = fork_at_rest();
        if (child == 0) {
            alarm(60);
            const bool good = export_within(otlp, WH_SEC(20)) == 0 && export_within(otlp, WH_SEC(20)) == 0;
            wh_exporter_free(otlp);
            _exit(good ? 0 : 1);
        }
        assert_int_equal(wait_for_child(child), 0);
        assert_int_equal(collector_requests(collector), 3);
        assert_int_equal(collector_request(collector, 2).connection, 1);
        otlp->interrupt(otlp);
        pthread_join(thread, NULL);
        assert_int_equal(stuck.rc, ECANCELED);
        assert_int_equal(export_within(otlp, WH_SEC(20)), 0);
        wh_exporter_free(otlp);
        collector_stop(collector);
    }
}

/* A daemon closes all it has inherited, and opens its log where the socket was. */
static void only_the_socket_itself_is_closed_in_a_child(void **state)
{
    (void)state;
    struct wh__otlp_sockets sockets;
    struct curl_sockaddr address = {.family = AF_INET, .socktype = SOCK_STREAM};
    wh__otlp_sockets_init(&sockets);
    const int kept = wh__otlp_socket_open(&sockets, CURLSOCKTYPE_IPCXN, &address);
    const int replaced = wh__otlp_socket_open(&sockets, CURLSOCKTYPE_IPCXN, &address);
    const int other = wh__otlp_socket_open(&sockets, CURLSOCKTYPE_IPCXN, &address);
    const int closed = wh__otlp_socket_open(&sockets, CURLSOCKTYPE_IPCXN, &address);
    assert_true(kept >= 0 && replaced >= 0 && other >= 0 && closed >= 0);
    assert_true(fcntl(kept, F_GETFD) & FD_CLOEXEC);
    assert_int_equal(wh__otlp_socket_close(&sockets, closed), 0);
    const int file = open("/dev/null", O_RDONLY), another_socket = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(dup2(file, replaced), replaced);
    assert_int_equal(dup2(another_socket, other), other);
    wh__otlp_sockets_close_copies(&sockets);
    assert_int_equal(fcntl(kept, F_GETFD), -1);
    assert_true(fcntl(replaced, F_GETFD) >= 0);
    assert_true(fcntl(other, F_GETFD) >= 0);
    close(file);
    close(replaced);
    close(another_socket);
    close(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_child_leaves_its_parents_connection_alone),
        cmocka_unit_test(a_child_may_free_what_it_never_used),
        cmocka_unit_test(a_fork_in_the_middle_of_an_export_harms_neither_side),
        cmocka_unit_test(only_the_socket_itself_is_closed_in_a_child),
    };
    return cmocka_run_group_tests_name("exporters/otlp_fork", tests, NULL, NULL);
}
