/* Random trees among threads: everything at once, against what must hold at any time (R2, R3, R5, R10, R13). */
#include <errno.h>

#include "context/merge.h"
#include "context/tree.h"
#include "tools.h"

WH_KEY(number, int)
WH_REASON(reasons, "one of many");

enum { PLACES = 24, THREADS = 4 };

/* A place is an owner's: whoever has its mutex is the owner. */
static struct place {
    pthread_mutex_t mutex;
    wh_ctx *owner;
} places[PLACES];
static uint32_t ran, registered, stopped;
static struct wh_reason own_reasons[THREADS]; /* of each thread: contexts of another may still point to it */

static const wh_ctx *hold_one(uint32_t *seed)
{
    struct place *place = &places[next_random(seed) % PLACES];
    pthread_mutex_lock(&place->mutex);
    const wh_ctx *ctx = wh_hold(place->owner);
    pthread_mutex_unlock(&place->mutex);
    return ctx;
}

static void derive(uint32_t *seed)
{
    const wh_ctx *parent = hold_one(seed);
    int err = wh_err(parent);
    wh_ctx *child;
    switch (next_random(seed) % 9) {
    case 0: child = wh_with_number(parent, 1); break;
    case 1: child = wh_detach(parent); break;
    case 2: child = wh_with_timeout(parent, next_random(seed) % 1000000); break;
    case 3: child = wh_with_timeout(parent, WH_SEC(100)); break;
    case 4: {
        wh_ctx *inner = wh_with_cancel(parent);
        child = wh_take_over(wh_with_number(inner, 2), inner);
        break;
    }
    case 5: {
        const wh_ctx *other = hold_one(seed);
        const int other_err = wh_err(other);
        child = next_random(seed) % 2 ? wh_merge(parent, other) : wh_merge(other, parent);
        if (other_err) HOLDS(wh_err(child));
        if (other_err) err = wh_err(child); /* whichever came first */
        wh_release(other);
        break;
    }
    default: child = wh_with_cancel(parent);
    }
    if (err && !(child->flags & WH__DETACHED)) HOLDS(wh_err(child) == err);
    wh_release(parent);
    struct place *place = &places[next_random(seed) % PLACES];
    pthread_mutex_lock(&place->mutex);
    wh_ctx *before = place->owner;
    place->owner = child;
    pthread_mutex_unlock(&place->mutex);
    wh_end(before);
}

static void end(uint32_t *seed)
{
    struct place *place = &places[next_random(seed) % PLACES];
    pthread_mutex_lock(&place->mutex);
    wh_ctx *owner = place->owner;
    place->owner = NULL;
    pthread_mutex_unlock(&place->mutex);
    wh_end(owner);
}

static void cancel(uint32_t *seed, struct wh_reason *own)
{
    struct place *place = &places[next_random(seed) % PLACES];
    pthread_mutex_lock(&place->mutex);
    wh_ctx *owner = place->owner;
    WH_AUTO wh_ctx *below = wh_with_cancel(owner);
    const bool won = wh_cancelf(owner, own, "number %u", *seed);
    if (owner && wh__live(owner) == wh__own(owner)) HOLDS(wh_err(owner) && wh_err(below));
    if (won) HOLDS(wh_cause(owner) == own);
    pthread_mutex_unlock(&place->mutex);
}

/* The way the news came. */
static const wh_ctx *above_it(const wh_ctx *live)
{
    const struct wh__tie *through = live->flags & WH__MERGED ? wh__merged(live)->through : NULL;
    return through ? wh__live(through->parent) : wh__live_parent(live);
}

/* Of a context that is done: the pair stays, and it is its own or an ancestor's. */
static void look(uint32_t *seed)
{
    const wh_ctx *ctx = hold_one(seed);
    const int err = wh_err(ctx);
    if (err) {
        const struct wh_reason *cause = wh_cause(ctx);
        HOLDS(cause && wh_wait(ctx, 0) == err);
        if (wh_done_fd(ctx) >= 0) HOLDS(readable(wh_done_fd(ctx)));
        const wh_ctx *live = wh__live(ctx), *origin = wh__origin(live);
        while (live && live != origin) live = above_it(live);
        HOLDS(live == origin);
        char text[400];
        wh_explain(ctx, text, sizeof text);
        HOLDS(wh_err(ctx) == err && wh_cause(ctx) == cause);
    } else if (next_random(seed) % 4 == 0) {
        wh_done_fd(ctx);
    } else {
        wh_wait(ctx, WH_US(next_random(seed) % 200));
    }
    wh_release(ctx);
}

static void count_run(void *arg)
{
    __atomic_fetch_add((uint32_t *)arg, 1, __ATOMIC_RELAXED);
}

static void call_back(uint32_t *seed)
{
    const wh_ctx *ctx = hold_one(seed);
    wh_callback *callback;
    uint32_t mine = 0;
    const bool in_line = next_random(seed) % 2;
    if ((in_line ? wh_after_inline : wh_after)(ctx, count_run, next_random(seed) % 4 ? &ran : &mine, &callback) == 0) {
        __atomic_fetch_add(&registered, 1, __ATOMIC_RELAXED);
        if (next_random(seed) % 2) wh_wait(ctx, WH_US(50));
        const bool prevented = wh_stop_wait(callback);
        if (prevented) __atomic_fetch_add(&stopped, 1, __ATOMIC_RELAXED);
        const uint32_t of_mine = __atomic_load_n(&mine, __ATOMIC_RELAXED);
        HOLDS(of_mine == 0 || (of_mine == 1 && !prevented));
        if (of_mine) __atomic_fetch_add(&ran, 1, __ATOMIC_RELAXED);
    }
    wh_release(ctx);
}

static void *storm(void *arg)
{
    const int number = *(int *)arg;
    uint32_t seed = 1000 + 77 * (uint32_t)number;
    own_reasons[number] = reasons[0];
    for (int i = chances(20000); i; i--) {
        switch (next_random(&seed) % 16) {
        case 0: case 1: end(&seed); break;
        case 2: case 3: cancel(&seed, &own_reasons[number]); break;
        case 4: case 5: call_back(&seed); break;
        case 6: case 7: case 8: look(&seed); break;
        default: derive(&seed);
        }
    }
    return NULL;
}

static void T023_T105_T170_a_storm_of_everything(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    int numbers[THREADS];
    for (int i = 0; i < PLACES; i++) pthread_mutex_init(&places[i].mutex, NULL);
    for (int i = 0; i < THREADS; i++) {
        numbers[i] = i;
        threads[i] = start(storm, &numbers[i]);
    }
    for (int i = 0; i < THREADS; i++) join(threads[i]);
    for (int i = 0; i < PLACES; i++) wh_end(places[i].owner);
    assert_false(is_broken);
    assert_int_equal(ran + stopped, registered);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(T023_T105_T170_a_storm_of_everything),
    };
    return cmocka_run_group_tests_name("storm", tests, NULL, NULL);
}
