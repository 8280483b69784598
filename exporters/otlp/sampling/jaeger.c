/* JaegerRemoteSampler: what a Jaeger says is asked for by a thread, and read by all others without waiting for it.
 *
 * One lock is for everything that is rare: starting and stopping the threads, and who frees what. A fork takes it; in the child
 * no thread asks any more, until a span begins there. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <whence/sampler.h>

#include "otlp/fetch.h"
#include "otlp/limiter.h"
#include "otlp/mem.h"
#include "otlp/readers.h"
#include "otlp/strategies.h"

struct jaeger {
    struct wh_sampler sampler;
    struct wh_sampler *initial;
    int64_t interval;
    char *url;                          /* to which the service is added; NULL: nobody is asked */
    const char *shown;                  /* of it, without what may be secret */
    char *service;
    struct wh__strategies *strategies;  /* atomic; NULL: no answer yet */
    struct wh__readers readers;         /* of the strategies */
    struct wh__limiters *limiters;      /* atomic; for the least of each operation; NULL: not needed yet */
    int64_t bucket;                     /* for the most of all */
    bool asks;                          /* atomic; its thread is there, or it is too early to try again */
    uint32_t stopped;                   /* atomic */
    bool in_outage;                     /* the thread's */
    /* under the lock */
    bool has_thread;
    bool is_held;                       /* by a provider, or whoever has made it */
    struct jaeger *next, **link;        /* of all */
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_mutex_t lock;
static pthread_cond_t changed;
static struct jaeger *all;

/* ---- forks ---- */

static void make_lock(void)
{
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_mutex_init(&lock, NULL);
    pthread_cond_init(&changed, &attr);
    pthread_condattr_destroy(&attr);
}

static void before_fork(void)
{
    pthread_mutex_lock(&lock);
}

static void after_fork_in_parent(void)
{
    pthread_mutex_unlock(&lock);
}

/* What a thread that is not here was reading, nobody reads. */
static void after_fork_in_child(void)
{
    make_lock();
    for (struct jaeger *jaeger = all; jaeger; jaeger = jaeger->next) {
        jaeger->has_thread = jaeger->asks = false;
        memset(&jaeger->readers, 0, sizeof jaeger->readers);
    }
}

static void begin_process(void)
{
    make_lock();
    pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}

/* ---- life ---- */

static void free_jaeger(struct jaeger *jaeger)
{
    wh_sampler_free(jaeger->initial);
    wh__otlp_mem_free(jaeger->strategies);
    wh__otlp_mem_free(jaeger->limiters);
    wh__otlp_mem_free(jaeger->url);
    wh__otlp_mem_free(jaeger->service);
    wh__otlp_mem_free(jaeger);
}

/* With the lock, which it leaves: whoever goes last frees. */
static void let_go(struct jaeger *jaeger)
{
    const bool is_last = !jaeger->has_thread && !jaeger->is_held;
    if (is_last) {
        *jaeger->link = jaeger->next;
        if (jaeger->next) jaeger->next->link = jaeger->link;
    }
    pthread_mutex_unlock(&lock);
    if (is_last) free_jaeger(jaeger);
}

static void shut_down(struct wh_sampler *self)
{
    struct jaeger *jaeger = (struct jaeger *)self;
    __atomic_store_n(&jaeger->stopped, 1, __ATOMIC_RELEASE);
    pthread_mutex_lock(&lock);
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    if (jaeger->initial->shutdown) jaeger->initial->shutdown(jaeger->initial);
}

static void destroy(struct wh_sampler *self)
{
    struct jaeger *jaeger = (struct jaeger *)self;
    shut_down(self);
    pthread_mutex_lock(&lock);
    jaeger->is_held = false;
    let_go(jaeger);
}

/* ---- asking ---- */

static void replace(struct jaeger *jaeger, struct wh__strategies *strategies)
{
    if (strategies->kind == WH__BY_OPERATION && strategies->rate > 0 && !jaeger->limiters)
        __atomic_store_n(&jaeger->limiters, wh__otlp_mem_zero(sizeof *jaeger->limiters), __ATOMIC_RELEASE);
    struct wh__strategies *before = __atomic_exchange_n(&jaeger->strategies, strategies, __ATOMIC_SEQ_CST);
    wh__readers_wait(&jaeger->readers);
    wh__otlp_mem_free(before);
}

static void say(struct jaeger *jaeger, int error, const char *reason)
{
    if (error && !jaeger->in_outage)
        wh_report(WH_WARNING, "no sampling strategies for %.60s from %.200s: %.200s; what was said last holds", jaeger->service,
                  jaeger->shown, reason);
    if (!error && jaeger->in_outage)
        wh_report(WH_INFO, "there are sampling strategies for %.60s from %.200s again", jaeger->service, jaeger->shown);
    jaeger->in_outage = error != 0;
}

static void ask(struct jaeger *jaeger)
{
    struct wh__fetched fetched;
    struct wh__strategies *strategies;
    const char *reason = fetched.reason;
    int rc = wh__fetch(jaeger->url, jaeger->service, WH_SEC(10), &jaeger->stopped, &fetched);
    if (rc == 0) {
        rc = wh__strategies_read(fetched.body ? fetched.body : "", fetched.len, &strategies);
        reason = rc == ENOMEM ? "no memory" : "the answer is no sampling strategy";
        if (rc == 0) replace(jaeger, strategies);
    }
    if (!__atomic_load_n(&jaeger->stopped, __ATOMIC_ACQUIRE)) say(jaeger, rc, reason);
    wh__otlp_mem_free(fetched.body);
}

static struct timespec after(int64_t duration)
{
    int64_t until;
    if (__builtin_add_overflow(wh_now(), duration, &until)) until = INT64_MAX;
    return (struct timespec){.tv_sec = (time_t)(until / 1000000000), .tv_nsec = (long)(until % 1000000000)};
}

/* False when it is to end. */
static bool rest(struct jaeger *jaeger)
{
    const struct timespec until = after(jaeger->interval);
    int rc = 0;
    pthread_mutex_lock(&lock);
    while (rc == 0 && !__atomic_load_n(&jaeger->stopped, __ATOMIC_ACQUIRE)) rc = pthread_cond_timedwait(&changed, &lock, &until);
    pthread_mutex_unlock(&lock);
    return !__atomic_load_n(&jaeger->stopped, __ATOMIC_ACQUIRE);
}

static void *run(void *arg)
{
    struct jaeger *jaeger = arg;
    pthread_setname_np(pthread_self(), "whence-sampling");
    do {
        ask(jaeger);
    } while (rest(jaeger));
    pthread_mutex_lock(&lock);
    jaeger->has_thread = false;
    let_go(jaeger);
    return NULL;
}

/* No signal of the program's is for this thread. */
static int spawn(struct jaeger *jaeger)
{
    sigset_t every, before;
    pthread_attr_t attr;
    pthread_t thread;
    int rc = pthread_attr_init(&attr);
    if (rc) return rc;
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    sigfillset(&every);
    pthread_sigmask(SIG_SETMASK, &every, &before);
    rc = pthread_create(&thread, &attr, run, jaeger);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    return rc;
}

/* Who cannot start it now, tries at the next span. */
static void begin_asking(struct jaeger *jaeger)
{
    static bool told;
    int rc = 0;
    pthread_mutex_lock(&lock);
    if (!jaeger->asks && !jaeger->has_thread && !__atomic_load_n(&jaeger->stopped, __ATOMIC_ACQUIRE)) {
        rc = spawn(jaeger);
        jaeger->has_thread = rc == 0;
    }
    __atomic_store_n(&jaeger->asks, rc == 0, __ATOMIC_RELEASE);
    pthread_mutex_unlock(&lock);
    if (rc && !__atomic_exchange_n(&told, true, __ATOMIC_RELAXED))
        wh_report(WH_ERROR, "cannot start the thread that asks for sampling strategies (%s); trying again", strerror(rc));
}

/* ---- deciding ---- */

static uint64_t randomness_of(const uint8_t trace_id[16])
{
    uint64_t randomness = 0;
    for (int i = 9; i < 16; i++) randomness = randomness << 8 | trace_id[i];
    return randomness;
}

/* A span that is sampled anyway counts among the least of its operation. */
static bool decide(struct jaeger *jaeger, const struct wh__strategies *strategies, const struct wh_sampling *in)
{
    if (strategies->kind == WH__BY_RATE) return wh__limiter_take(&jaeger->bucket, strategies->rate, wh_now());
    if (strategies->kind == WH__BY_PROBABILITY) return randomness_of(in->trace_id) >= strategies->threshold;
    const bool sampled = randomness_of(in->trace_id) >= wh__strategies_threshold(strategies, in->name);
    struct wh__limiters *limiters = strategies->rate > 0 ? __atomic_load_n(&jaeger->limiters, __ATOMIC_ACQUIRE) : NULL;
    int64_t *bucket = limiters ? wh__limiters_of(limiters, in->name) : NULL;
    return (bucket && wh__limiter_take(bucket, strategies->rate, wh_now())) || sampled;
}

static void should_sample(struct wh_sampler *self, const struct wh_sampling *in, struct wh_sampled *out)
{
    struct jaeger *jaeger = (struct jaeger *)self;
    if (!__atomic_load_n(&jaeger->asks, __ATOMIC_ACQUIRE)) begin_asking(jaeger);
    const unsigned ticket = wh__readers_enter(&jaeger->readers);
    const struct wh__strategies *strategies = __atomic_load_n(&jaeger->strategies, __ATOMIC_SEQ_CST);
    if (strategies) out->decision = decide(jaeger, strategies, in) ? WH_RECORD_AND_SAMPLE : WH_DROP;
    wh__readers_leave(&jaeger->readers, ticket);
    if (!strategies) jaeger->initial->should_sample(jaeger->initial, in, out);
}

static void describe(struct wh_sampler *self, char *buf, size_t size)
{
    const struct jaeger *jaeger = (struct jaeger *)self;
    char initial[256];
    wh_sampler_description(jaeger->initial, initial, sizeof initial);
    snprintf(buf, size, "JaegerRemoteSampler{%s,initial:%s}", jaeger->shown, initial);
}

/* ---- making ---- */

static bool is_http(const char *text)
{
    const char *rest = strncasecmp(text, "http://", 7) == 0 ? text + 7 : strncasecmp(text, "https://", 8) == 0 ? text + 8 : NULL;
    return rest && *rest && !strchr("/:@?#", *rest) && !strpbrk(rest, "?# \t\r\n");
}

/* "user:password@" is nobody's business. */
static const char *without_secrets(const char *url)
{
    const char *host = strstr(url, "://") + 3, *path = strchr(host, '/'), *at = strchr(host, '@');
    return at && (!path || at < path) ? at + 1 : url;
}

/* The endpoint may name the path itself. */
static bool make_url(struct jaeger *jaeger, const char *endpoint)
{
    static const char path[] = "/sampling", query[] = "?service=";
    size_t len = strlen(endpoint);
    while (len && endpoint[len - 1] == '/') len--;
    const bool has_path = len >= sizeof path - 1 && memcmp(endpoint + len - (sizeof path - 1), path, sizeof path - 1) == 0;
    const size_t size = len + sizeof path + sizeof query;
    jaeger->url = wh__otlp_mem_get(size);
    if (!jaeger->url) return false;
    snprintf(jaeger->url, size, "%.*s%s%s", (int)len, endpoint, has_path ? "" : path, query);
    jaeger->shown = without_secrets(jaeger->url);
    return true;
}

static char *copy_of(const char *text)
{
    const size_t size = strlen(text) + 1;
    char *copy = wh__otlp_mem_get(size);
    return copy ? memcpy(copy, text, size) : NULL;
}

static bool set_up(struct jaeger *jaeger, const struct wh_jaeger_opts *opts)
{
    const char *endpoint = opts->endpoint ? opts->endpoint : "http://localhost:5778";
    jaeger->sampler = (struct wh_sampler){.size = sizeof jaeger->sampler, .should_sample = should_sample, .description = describe,
        .shutdown = shut_down, .destroy = destroy};
    jaeger->interval = opts->interval > 0 ? opts->interval : WH_MIN(1);
    jaeger->service = copy_of(opts->service ? opts->service : "unknown_service");
    jaeger->shown = "no endpoint";
    jaeger->is_held = true;
    if (!jaeger->service) return false;
    if (is_http(endpoint)) return make_url(jaeger, endpoint);
    wh_report(WH_ERROR, "sampling strategies cannot be had from %.200s: not an http or https URL", endpoint);
    jaeger->asks = true;
    jaeger->stopped = 1;
    return true;
}

static void link_in(struct jaeger *jaeger)
{
    pthread_mutex_lock(&lock);
    jaeger->next = all;
    jaeger->link = &all;
    if (all) all->link = &jaeger->next;
    all = jaeger;
    pthread_mutex_unlock(&lock);
}

struct wh_sampler *wh_jaeger_sampler_new_at(const struct wh_jaeger_opts *given)
{
    struct wh_jaeger_opts opts = {0};
    memcpy(&opts, given, given->size < sizeof opts ? given->size : sizeof opts);
    struct jaeger *jaeger = wh__otlp_mem_zero(sizeof *jaeger);
    pthread_once(&once, begin_process);
    if (!jaeger || !set_up(jaeger, &opts)) {
        wh_report(WH_ERROR, "no memory for a sampler: nothing is sampled in its place");
        wh_sampler_free(opts.initial);
        if (jaeger) free_jaeger(jaeger);
        return wh_sampler_always_off();
    }
    jaeger->initial = opts.initial ? opts.initial : wh_sampler_ratio(0.001);
    link_in(jaeger);
    return &jaeger->sampler;
}
