/* The server: a thread a request, and a unit of work that waits for a backend and computes in turns. Whether there are
 * contexts is one line: what the work is done under. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "experiment.h"

struct request {
    int fd;
    uint16_t backend_port;
    const struct plan *plan;
    bool with;
    struct shared *shared;
};

int ask(const wh_ctx *ctx, int fd, struct question question, void *answer)
{
    int rc = wh_write(ctx, fd, &question, sizeof question, NULL);
    for (size_t got = 0, more = 0; rc == 0 && got < question.bytes; got += more) {
        rc = wh_read(ctx, fd, (char *)answer + got, question.bytes - got, &more);
        if (rc == 0 && more == 0) rc = EIO;
    }
    return rc;
}

/* Stands for whatever is done with rows: as much as a checksum of all that has come. */
static uint64_t compute(const unsigned char *data, size_t size)
{
    uint64_t sum = 1469598103934665603u;
    for (size_t i = 0; i < size; i++) sum = (sum ^ data[i]) * 1099511628211u;
    return sum;
}

static void note_step(struct record *record)
{
    /* The clients' side of the record is looked at here to measure, and never to decide. */
    const int64_t gone = atomic_load(&record->gone);
    atomic_fetch_add(&record->steps, 1);
    if (gone && gone < wh_now()) atomic_fetch_add(&record->wasted, 1);
}

/* 0, and in *sum what the client has asked for. */
static int unit(const wh_ctx *ctx, const struct request *request, struct record *record, uint64_t *sum)
{
    const struct plan *plan = request->plan;
    const size_t bytes = (size_t)plan->step_bytes;
    const struct question question = {(uint32_t)(plan->unit / plan->steps / 1000), (uint32_t)bytes};
    unsigned char *rows = malloc(bytes * (size_t)plan->steps); /* touched as the answers come */
    const int fd = connect_to(request->backend_port);
    int rc = rows && fd >= 0 ? 0 : EIO;
    for (int step = 0; rc == 0 && step < plan->steps; step++) {
        rc = ask(ctx, fd, question, rows + (size_t)step * bytes);
        if (rc) break;
        *sum += compute(rows, (size_t)(step + 1) * bytes);
        note_step(record);
    }
    if (fd >= 0) close(fd);
    free(rows);
    return rc;
}

static int serve(const wh_ctx *group, struct request *request)
{
    int32_t number;
    if (recv(request->fd, &number, sizeof number, MSG_WAITALL) != sizeof number) return 0;
    struct record *record = &request->shared->records[number];
    atomic_store(&record->began, wh_now());

    WH_AUTO wh_ctx *own = wh_start(group, "unit", .kind = WH_SERVER, .timeout = WH_MIN(2), .peer_fd = request->fd);
    const wh_ctx *ctx = request->with ? own : wh_background(); /* with or without: all the difference there is */
    uint64_t sum = 0;
    if (unit(ctx, request, record, &sum) == 0) send(request->fd, &sum, sizeof sum, MSG_NOSIGNAL); /* perhaps to nobody */
    atomic_store(&record->ended, wh_now());
    return 0;
}

static int handle(const wh_ctx *ctx, void *arg)
{
    struct request *request = arg;
    const int rc = serve(ctx, request); /* its context is ended before its descriptor is closed */
    close(request->fd);
    free(request);
    return rc;
}

void server(int listener, uint16_t backend_port, const struct plan *plan, bool with, struct shared *shared)
{
    const int signals[] = {SIGTERM};
    WH_AUTO wh_ctx *root = wh_with_signals(NULL, signals, 1);
    wh_group *group = wh_group_new(root);
    int fd;
    while (wh_accept(root, listener, NULL, NULL, &fd) == 0) {
        struct request *request = malloc(sizeof *request);
        must(request != NULL, "malloc");
        *request = (struct request){fd, backend_port, plan, with, shared};
        if (wh_go(group, handle, request)) {
            close(fd);
            free(request);
        }
    }
    must(wh_err(root) != 0, "accept");
    wh_group_wait(group);
    wh_group_free(group);
    shared->usage = own_usage();
}
