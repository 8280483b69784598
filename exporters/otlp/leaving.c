#include "otlp/leaving.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <whence/base.h>

/* Of libcrypto, which libcurl has brought along; or not, then it has another library for TLS. */
__attribute__((weak)) void OPENSSL_thread_stop(void);

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of all below */
static pthread_cond_t one_has_left;
static struct wh__otlp_visit *inside, *kept;
static uint32_t leaving; /* atomic, for wh__otlp_is_leaving() */

/* ---- forks ---- */

static void before_fork(void)
{
    pthread_mutex_lock(&lock);
}

static void after_fork_in_parent(void)
{
    pthread_mutex_unlock(&lock);
}

static void make_condition(void)
{
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&one_has_left, &attr);
    pthread_condattr_destroy(&attr);
}

/* The parent's threads are not here, and are not waited for. */
static void after_fork_in_child(void)
{
    inside = NULL;
    make_condition();
    pthread_mutex_unlock(&lock);
}

/* When the library is loaded: a program's own handler before a fork may wait for an export, and so must run before ours. */
__attribute__((constructor)) static void at_load(void)
{
    make_condition();
    pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}

/* ---- leaving ---- */

static void wake_all(void)
{
    for (const struct wh__otlp_visit *visit = inside; visit; visit = visit->next) {
        wh__otlp_sockets_shut(visit->sockets);
        if (visit->multi) curl_multi_wakeup(visit->multi);
    }
}

static void at_exit(void)
{
    struct timespec until;
    int rc = 0;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += 2;
    pthread_mutex_lock(&lock);
    __atomic_store_n(&leaving, 1, __ATOMIC_SEQ_CST);
    wake_all();
    while (inside && rc == 0) rc = pthread_cond_timedwait(&one_has_left, &lock, &until);
    pthread_mutex_unlock(&lock);
}

int wh__otlp_leaving_begin(void)
{
    return atexit(at_exit) ? ENOMEM : 0;
}

bool wh__otlp_is_leaving(void)
{
    return __atomic_load_n(&leaving, __ATOMIC_SEQ_CST) != 0;
}

/* ---- visits ---- */

static void link_in(struct wh__otlp_visit *visit, struct wh__otlp_visit **list)
{
    visit->next = *list;
    visit->link = list;
    if (visit->next) visit->next->link = &visit->next;
    *list = visit;
}

bool wh__otlp_visit_begin(struct wh__otlp_visit *visit)
{
    pthread_mutex_lock(&lock);
    const bool may_enter = !wh__otlp_is_leaving();
    if (may_enter) link_in(visit, &inside);
    pthread_mutex_unlock(&lock);
    return may_enter;
}

/* A thread that ends has OpenSSL free what it keeps for it, and exit() may be taking just that apart: so none is left. */
void wh__otlp_visit_end(struct wh__otlp_visit *visit)
{
    if (OPENSSL_thread_stop) OPENSSL_thread_stop();
    pthread_mutex_lock(&lock);
    *visit->link = visit->next;
    if (visit->next) visit->next->link = visit->link;
    pthread_cond_signal(&one_has_left);
    pthread_mutex_unlock(&lock);
}

void wh__otlp_visit_keep(struct wh__otlp_visit *visit)
{
    pthread_mutex_lock(&lock);
    link_in(visit, &kept);
    pthread_mutex_unlock(&lock);
}
