/* A pipeline: three stages with bounded queues between them: pattern 18. The first error stops all of them, also those that
 * wait for room or for work; and the end of one is the end of the next. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <whence/whence.h>

enum { ROOM = 4 };

struct queue {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int items[ROOM];
    unsigned first, count;
    bool closed;
};
#define QUEUE {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER}

static int put(const wh_ctx *ctx, struct queue *q, int item)
{
    int err = 0;
    pthread_mutex_lock(&q->lock);
    while (q->count == ROOM && err == 0) err = wh_cond_wait(ctx, &q->changed, &q->lock);
    if (err == 0) {
        q->items[(q->first + q->count++) % ROOM] = item;
        pthread_cond_broadcast(&q->changed);
    }
    pthread_mutex_unlock(&q->lock);
    return err;
}

/* 0; ENODATA after the last; wh_err(ctx). */
static int get(const wh_ctx *ctx, struct queue *q, int *item)
{
    int err = 0;
    pthread_mutex_lock(&q->lock);
    while (q->count == 0 && !q->closed && err == 0) err = wh_cond_wait(ctx, &q->changed, &q->lock);
    if (err == 0 && q->count == 0) err = ENODATA;
    if (err == 0) {
        *item = q->items[q->first];
        q->first = (q->first + 1) % ROOM, q->count--;
        pthread_cond_broadcast(&q->changed);
    }
    pthread_mutex_unlock(&q->lock);
    return err;
}

static void close_queue(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->closed = true;
    pthread_cond_broadcast(&q->changed);
    pthread_mutex_unlock(&q->lock);
}

struct pipeline {
    struct queue read, parsed;
    int files, bad_one, stored;
};

static int reader(const wh_ctx *ctx, void *arg)
{
    struct pipeline *p = arg;
    int err = 0;
    for (int i = 1; i <= p->files && err == 0; i++) err = put(ctx, &p->read, i);
    close_queue(&p->read);
    return err;
}

static int parser(const wh_ctx *ctx, void *arg)
{
    struct pipeline *p = arg;
    int item, err;
    while ((err = get(ctx, &p->read, &item)) == 0) {
        if (item == p->bad_one) return wh_fail(ctx, EBADMSG, "file is not valid");
        if ((err = put(ctx, &p->parsed, item))) return err;
    }
    close_queue(&p->parsed);
    return err == ENODATA ? 0 : err;
}

static int store(const wh_ctx *ctx, void *arg)
{
    struct pipeline *p = arg;
    int item, err;
    while ((err = get(ctx, &p->parsed, &item)) == 0) p->stored++;
    return err == ENODATA ? 0 : err;
}

static void run(struct pipeline p)
{
    WH_AUTO_GROUP wh_group *group = wh_group_new(NULL);
    wh_go(group, reader, &p);
    wh_go(group, parser, &p);
    wh_go(group, store, &p);
    const int rc = wh_group_wait(group);
    if (rc)
        printf("%s, and every stage has stopped\n", strerror(rc));
    else
        printf("%d files stored\n", p.stored);
}

int main(void)
{
    run((struct pipeline){.read = QUEUE, .parsed = QUEUE, .files = 1000});
    run((struct pipeline){.read = QUEUE, .parsed = QUEUE, .files = 1000000, .bad_one = 500});
    return 0;
}
