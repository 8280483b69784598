/* A slow backend: one thread, an event loop, and a heap of the answers that are due. It works on so many questions at a
 * time and lets the others wait; and as databases do, it goes on with what it has begun when the asker has gone. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "experiment.h"

enum { MAX_FDS = 20000 };

struct job {
    int64_t due;
    int fd;
    unsigned generation; /* of the descriptor: another one, and the asker has gone */
    struct question question;
};

static struct loop {
    const struct plan *plan;
    int epoll, listener;
    unsigned seed, generation[MAX_FDS];
    struct job *heap;                    /* at work, the next due first */
    size_t at_work;
    struct job *queue;                   /* a ring: waiting for a slot */
    size_t first, waiting, room;
} loop;

/* ---- the heap ---- */

static void swap(struct job *a, struct job *b)
{
    const struct job other = *a;
    *a = *b, *b = other;
}

static void begin(struct job job)
{
    size_t i = loop.at_work++;
    loop.heap[i] = job;
    for (; i && loop.heap[i].due < loop.heap[(i - 1) / 2].due; i = (i - 1) / 2) swap(&loop.heap[i], &loop.heap[(i - 1) / 2]);
}

static struct job next_due(void)
{
    const struct job job = loop.heap[0];
    loop.heap[0] = loop.heap[--loop.at_work];
    for (size_t i = 0, least; (least = 2 * i + 1) < loop.at_work; i = least) {
        if (least + 1 < loop.at_work && loop.heap[least + 1].due < loop.heap[least].due) least++;
        if (loop.heap[i].due <= loop.heap[least].due) break;
        swap(&loop.heap[i], &loop.heap[least]);
    }
    return job;
}

/* ---- questions and answers ---- */

static int64_t between(int64_t least, int64_t most)
{
    return least + (int64_t)((double)(most - least) * rand_r(&loop.seed) / RAND_MAX);
}

static int64_t delay(struct question question)
{
    const struct plan *plan = loop.plan;
    if (question.delay_us != ANY_DELAY) return WH_US(question.delay_us);
    if (rand_r(&loop.seed) % plan->tail_every == 0) return between(plan->least_tail, plan->most_tail);
    return between(plan->least_delay, plan->most_delay);
}

static bool is_there(const struct job *job)
{
    return loop.generation[job->fd] == job->generation;
}

static void fill_slots(int64_t now)
{
    while (loop.waiting && loop.at_work < (size_t)loop.plan->slots) {
        struct job job = loop.queue[loop.first];
        loop.first = (loop.first + 1) % loop.room, loop.waiting--;
        job.due = now + delay(job.question);
        if (is_there(&job)) begin(job);
    }
}

static void hang_up(int fd)
{
    loop.generation[fd]++;
    close(fd);
}

static void answer(const struct job *job)
{
    static const char text[1 << 16];
    if (is_there(job) && send(job->fd, text, job->question.bytes, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) hang_up(job->fd);
}

static void take(int fd, int64_t now)
{
    struct job job = {.fd = fd, .generation = loop.generation[fd]};
    if (recv(fd, &job.question, sizeof job.question, MSG_DONTWAIT) != sizeof job.question || loop.waiting == loop.room ||
        job.question.bytes > 1 << 16) {
        hang_up(fd);
        return;
    }
    loop.queue[(loop.first + loop.waiting++) % loop.room] = job;
    fill_slots(now);
}

static int watch(int fd)
{
    return epoll_ctl(loop.epoll, EPOLL_CTL_ADD, fd, &(struct epoll_event){.events = EPOLLIN, .data.fd = fd});
}

static void let_in(void)
{
    const int fd = accept4(loop.listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0) return;
    if (fd >= MAX_FDS || watch(fd)) close(fd);
}

static int until_next(int64_t now)
{
    if (loop.at_work == 0) return -1;
    return loop.heap[0].due <= now ? 0 : (int)((loop.heap[0].due - now) / 1000000) + 1;
}

void backend(int listener, const struct plan *plan, unsigned seed)
{
    loop = (struct loop){.plan = plan, .listener = listener, .seed = seed, .room = 2 * MAX_FDS};
    loop.epoll = epoll_create1(EPOLL_CLOEXEC);
    loop.heap = malloc(sizeof *loop.heap * (size_t)plan->slots);
    loop.queue = malloc(sizeof *loop.queue * loop.room);
    must(loop.epoll >= 0 && loop.heap && loop.queue, "backend");
    must(watch(listener) == 0, "epoll_ctl");
    for (;;) {
        struct epoll_event events[256];
        const int count = epoll_wait(loop.epoll, events, 256, until_next(wh_now()));
        must(count >= 0 || errno == EINTR, "epoll_wait");
        const int64_t now = wh_now();
        for (int i = 0; i < count; i++) {
            if (events[i].data.fd == listener) let_in();
            else take(events[i].data.fd, now);
        }
        while (loop.at_work && loop.heap[0].due <= now) {
            const struct job job = next_due();
            answer(&job);
        }
        fill_slots(now);
    }
}
