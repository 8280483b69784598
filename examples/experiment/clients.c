/* The clients: so many a second, each on a thread of its own; nearly all of them give up early. */
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "experiment.h"

struct client {
    int32_t number;
    uint16_t port;
    int64_t patience;
    struct record *record;
};

/* The last ones are all impatient, so that there is an afterwards: a moment when nobody waits for anything. */
bool is_patient(const struct plan *plan, int request)
{
    const int64_t left = (int64_t)(plan->requests - request) * WH_SEC(1) / plan->rate;
    return request % plan->patient_every == 0 && left > plan->unit;
}

static int client(const wh_ctx *ctx, void *arg)
{
    struct client *self = arg;
    uint64_t answer;
    (void)ctx;
    atomic_store(&self->record->asked, wh_now());
    const int fd = connect_to(self->port);
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    const bool sent = fd >= 0 && send(fd, &self->number, sizeof self->number, MSG_NOSIGNAL) == sizeof self->number;
    if (sent && poll(&readable, 1, (int)(self->patience / 1000000)) == 1)
        atomic_store(&self->record->answered, recv(fd, &answer, sizeof answer, MSG_WAITALL) == sizeof answer);
    atomic_store(&self->record->gone, wh_now());
    if (fd >= 0) close(fd);
    free(self);
    return 0;
}

void clients(uint16_t port, const struct plan *plan, struct shared *shared)
{
    unsigned seed = 1; /* the same draws every time, so that both ways have the same clients */
    const int64_t began = wh_now();
    WH_AUTO_GROUP wh_group *group = wh_group_new(NULL);
    for (int i = 0; i < plan->requests; i++) {
        struct client *self = malloc(sizeof *self);
        must(self != NULL, "malloc");
        const int64_t span = plan->most_patience - plan->least_patience;
        const int64_t patience = plan->least_patience + (int64_t)((double)span * rand_r(&seed) / RAND_MAX);
        *self = (struct client){i, port, is_patient(plan, i) ? WH_MIN(2) : patience, &shared->records[i]};
        wh_sleep(NULL, began + i * (WH_SEC(1) / plan->rate) - wh_now());
        must(wh_go(group, client, self) == 0, "a client's thread");
    }
    wh_group_wait(group);
}
