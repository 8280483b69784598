/* rates: an upstream that does not know Whence. It answers, fails, is slow, or accepts and never answers. */
#include <microhttpd.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <netinet/in.h>

static enum MHD_Result handle(void *arg, struct MHD_Connection *connection, const char *url, const char *method,
                              const char *version, const char *upload, size_t *upload_size, void **state)
{
    static char rate[] = "1.08", sorry[] = "out of order";
    (void)arg, (void)url, (void)method, (void)version, (void)upload, (void)upload_size, (void)state;
    const char *mode = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "mode");
    const int fails = mode && (strcmp(mode, "fail") == 0 || strcmp(mode, "broken") == 0);
    if (mode && strcmp(mode, "fail") == 0) poll(NULL, 0, 30);
    if (mode && strcmp(mode, "slow") == 0) poll(NULL, 0, 150);
    if (mode && strcmp(mode, "hole") == 0) poll(NULL, 0, 2000);
    char *body = fails ? sorry : rate;
    struct MHD_Response *response = MHD_create_response_from_buffer(strlen(body), body, MHD_RESPMEM_PERSISTENT);
    const enum MHD_Result queued = MHD_queue_response(connection, fails ? 500 : 200, response);
    MHD_destroy_response(response);
    return queued;
}

int main(int argc, char **argv)
{
    const struct sockaddr_in loopback = {.sin_family = AF_INET, .sin_port = htons((unsigned short)(argc > 1 ? atoi(argv[1]) : 0)),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    sigset_t stop;
    int number;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTERM);
    sigaddset(&stop, SIGINT);
    sigprocmask(SIG_BLOCK, &stop, NULL);
    struct MHD_Daemon *daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL,
        0, NULL, NULL, handle, NULL, MHD_OPTION_SOCK_ADDR, &loopback, MHD_OPTION_END);
    if (!daemon) return 1;
    printf("listening on %u\n", MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
    fflush(stdout);
    sigwait(&stop, &number);
    MHD_stop_daemon(daemon);
    return 0;
}
