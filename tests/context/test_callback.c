/* Callbacks: once or never, and stop tells which. */
#include <errno.h>
#include <semaphore.h>
#include <stdlib.h>

#include "base/slab.h"
#include "context/tree.h"
#include "tools.h"

WH_REASON(reason_x, "x");

typedef int after_fn(const wh_ctx *, void (*)(void *), void *, wh_callback **);
static after_fn *const both[] = {wh_after, wh_after_inline};

static void count(void *arg)
{
    if (wh__self()->critical) abort(); /* a lock of the library's is held */
    __atomic_fetch_add((int *)arg, 1, __ATOMIC_ACQ_REL);
}

static int read_of(const int *counter)
{
    return __atomic_load_n(counter, __ATOMIC_ACQUIRE);
}

static void T100_T111_once_and_independently(void **state)
{
    (void)state;
    for (int kind = 0; kind < 2; kind++) {
        int cancelled = 0, expired = 0;
        WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
        WH_AUTO wh_ctx *timed = wh_with_timeout(NULL, WH_MS(30));
        assert_int_equal(both[kind](ctx, count, &cancelled, NULL), 0);
        assert_int_equal(both[kind](ctx, count, &cancelled, NULL), 0);
        assert_int_equal(both[kind](timed, count, &expired, NULL), 0);
        assert_int_equal(read_of(&cancelled), 0);
        const bool is_early = wh_now() < wh_deadline(timed);
        assert_false(is_early && read_of(&expired));
        wh_cancel(ctx, reason_x, NULL);
        wh_cancel(ctx, reason_x, NULL);
        EVENTUALLY(read_of(&cancelled) == 2 && read_of(&expired) == 1);
        assert_true(wh_now() >= wh_deadline(timed));
        wh_wait(NULL, WH_MS(1));
        assert_int_equal(read_of(&cancelled), 2);
    }
}

static void T101_at_once_if_it_is_done(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
    WH_AUTO wh_ctx *no_memory = wh_with_value(NULL, NULL, NULL);
    wh_cancel(ctx, reason_x, NULL);
    const wh_ctx *done[] = {ctx, no_memory};
    for (int i = 0; i < 4; i++) {
        int ran = 0;
        wh_callback *callback;
        assert_int_equal(both[i % 2](done[i / 2], count, &ran, &callback), 0);
        EVENTUALLY(read_of(&ran) == 1);
        assert_false(wh_stop_wait(callback));
    }
}

static void T102_T112_stopped_it_never_runs(void **state)
{
    (void)state;
    for (int kind = 0; kind < 2; kind++) {
        int ran = 0;
        wh_callback *one, *two, *never;
        WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
        assert_int_equal(both[kind](ctx, count, &ran, &one), 0);
        assert_int_equal(both[kind](ctx, count, &ran, &two), 0);
        assert_int_equal(both[kind](NULL, count, &ran, &never), 0);
        assert_true(wh_stop(one));
        assert_true(wh_stop_wait(two));
        assert_true(wh_stop(never));
        wh_cancel(ctx, reason_x, NULL);
        wh_wait(NULL, WH_MS(1));
        assert_int_equal(read_of(&ran), 0);
    }
    assert_false(wh_stop(NULL));
    assert_false(wh_stop_wait(NULL));
}

/* ---- while it runs ---- */

struct slow {
    sem_t runs, may_end;
    int ended;
    wh_ctx *ctx;
};

static void be_slow(void *arg)
{
    struct slow *slow = arg;
    sem_post(&slow->runs);
    sem_wait(&slow->may_end);
    __atomic_store_n(&slow->ended, 1, __ATOMIC_RELEASE);
}

static void *cancel(void *arg)
{
    wh_cancel((wh_ctx *)arg, reason_x, NULL);
    return NULL;
}

static void *let_end_later(void *arg)
{
    wh_wait(NULL, WH_MS(5));
    sem_post(&((struct slow *)arg)->may_end);
    return NULL;
}

static void T103_T104_T106_stop_does_not_wait_and_stop_wait_does(void **state)
{
    (void)state;
    for (int kind = 0; kind < 2; kind++) {
        struct slow one = {.ended = 0}, two = {.ended = 0};
        struct slow *slow[] = {&one, &two};
        for (int i = 0; i < 2; i++) {
            WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
            wh_callback *callback;
            sem_init(&slow[i]->runs, 0, 0);
            sem_init(&slow[i]->may_end, 0, 0);
            assert_int_equal(both[kind](ctx, be_slow, slow[i], &callback), 0);
            const pthread_t canceller = start(cancel, ctx);
            if (kind == 0) join(canceller); /* cancel does not wait for it */
            sem_wait(&slow[i]->runs);
            if (i == 0) {
                assert_false(wh_stop(callback));
                assert_int_equal(slow[i]->ended, 0);
                sem_post(&slow[i]->may_end);
                EVENTUALLY(read_of(&slow[i]->ended));
            } else {
                const pthread_t helper = start(let_end_later, slow[i]);
                assert_false(wh_stop_wait(callback));
                assert_int_equal(read_of(&slow[i]->ended), 1);
                join(helper);
            }
            if (kind == 1) join(canceller);
        }
    }
}

struct self {
    wh_callback *callback;
    sem_t is_set;
    bool prevented;
    int done;
};

static void stop_itself(void *arg)
{
    struct self *self = arg;
    sem_wait(&self->is_set);
    self->prevented = wh_stop_wait(self->callback);
    __atomic_store_n(&self->done, 1, __ATOMIC_RELEASE);
}

static void T104_stop_wait_from_inside_returns(void **state)
{
    (void)state;
    for (int kind = 0; kind < 2; kind++) {
        struct self self = {.done = 0};
        WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
        sem_init(&self.is_set, 0, 0);
        assert_int_equal(both[kind](ctx, stop_itself, &self, &self.callback), 0);
        sem_post(&self.is_set);
        wh_cancel(ctx, reason_x, NULL);
        EVENTUALLY(read_of(&self.done));
        assert_false(self.prevented);
    }
}

/* ---- what it may do ---- */

struct order {
    int seen[4], count;
};
struct mark {
    struct order *order;
    int number;
    pthread_t thread;
};

static void note(void *arg)
{
    struct mark *mark = arg;
    mark->order->seen[mark->order->count++] = mark->number;
    mark->thread = pthread_self();
}

static void T107_inline_on_the_cancellers_thread_newest_first(void **state)
{
    (void)state;
    struct order order = {.count = 0};
    struct mark marks[4];
    WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
    for (int i = 0; i < 4; i++) {
        marks[i] = (struct mark){.order = &order, .number = i};
        assert_int_equal(wh_after_inline(ctx, note, &marks[i], NULL), 0);
    }
    wh_cancel(ctx, reason_x, NULL);
    assert_int_equal(order.count, 4);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(order.seen[i], 3 - i);
        assert_true(pthread_equal(marks[i].thread, pthread_self()));
    }
}

struct busy {
    wh_ctx *parent, *ctx, *child;
    wh_callback *sibling;
    int later, sibling_ran, done;
    bool ok;
};

static void do_everything(void *arg)
{
    struct busy *busy = arg;
    const struct wh_cause cause = cause_of(busy->ctx);
    bool ok = wh_err(busy->ctx) == ECANCELED && wh_cause(busy->ctx) == reason_x && !strcmp(cause.text, "now");
    ok = ok && !wh_cancel(busy->ctx, NULL, NULL);
    wh_cancel(busy->child, NULL, NULL);
    wh_cancel(busy->parent, NULL, NULL);
    wh_ctx *born_done = wh_with_timeout(busy->ctx, WH_SEC(10));
    ok = ok && wh_cause(born_done) == reason_x && wh_after_inline(born_done, count, &busy->later, NULL) == 0 && busy->later == 1;
    wh_end(born_done);
    ok = ok && wh_stop(busy->sibling);
    wh_end(busy->child);
    wh_end(busy->ctx);
    busy->ok = ok;
    __atomic_store_n(&busy->done, 1, __ATOMIC_RELEASE);
}

static void T108_T109_T110_inside_it_may_do_anything(void **state)
{
    (void)state;
    for (int kind = 0; kind < 2; kind++) {
        struct busy busy = {.parent = wh_with_cancel(NULL)};
        busy.ctx = wh_with_cancel(busy.parent);
        busy.child = wh_with_cancel(busy.ctx);
        const wh_ctx *held = wh_hold(busy.ctx);
        WH_AUTO wh_ctx *bystander = wh_with_cancel(NULL);
        wh_ctx *of_sibling = kind ? busy.ctx : bystander; /* inline: the next in the same list */
        assert_int_equal(wh_after_inline(of_sibling, count, &busy.sibling_ran, &busy.sibling), 0);
        assert_int_equal(both[kind](busy.ctx, do_everything, &busy, NULL), 0);
        assert_true(wh_cancel(busy.ctx, reason_x, "now"));
        EVENTUALLY(read_of(&busy.done));
        assert_true(busy.ok);
        assert_int_equal(busy.sibling_ran, 0);
        wh_release(held);
        wh_end(busy.parent);
    }
}

/* As Go's would not, and as its cancel() would: a context that goes while nobody else has it is not done, it is gone. Its
 * callbacks never run. Had anyone else held it, it would have been cancelled (WH_ENDED), and they would. */
static void T113_what_goes_undone_takes_its_callbacks_along(void **state)
{
    (void)state;
    for (int kind = 0; kind < 2; kind++) {
        int ran = 0;
        wh_callback *callback;
        wh_ctx *ctx = wh_with_cancel(NULL);
        assert_int_equal(both[kind](ctx, count, &ran, &callback), 0);
        wh_end(ctx);
        wh_wait(NULL, WH_MS(1));
        assert_int_equal(read_of(&ran), 0);
        assert_false(wh_stop_wait(callback)); /* this call prevented nothing */
        ctx = wh_with_cancel(NULL);
        const wh_ctx *held = wh_hold(ctx);
        assert_int_equal(both[kind](ctx, count, &ran, NULL), 0);
        wh_end(ctx);
        EVENTUALLY(read_of(&ran) == 1);
        wh_release(held);
    }
}

static void T114_a_million_registrations(void **state)
{
    (void)state;
    for (int kind = 0; kind < 2; kind++) {
        const int many = quick_or_all(kind ? 1000000 : 200000, 1000000);
        int ran = 0;
        const size_t before = wh__slab_pages();
        wh_ctx *ctx = wh_with_cancel(NULL);
        for (int i = 0; i < many; i++) assert_int_equal(both[kind](ctx, count, &ran, NULL), 0);
        wh_cancel(ctx, reason_x, NULL);
        EVENTUALLY(read_of(&ran) == many);
        wh_end(ctx);
        wh_end(wh_with_cancel(NULL));
        if (kind) assert_true(wh__slab_pages() <= before + 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(T100_T111_once_and_independently),
        cmocka_unit_test(T101_at_once_if_it_is_done),
        cmocka_unit_test(T102_T112_stopped_it_never_runs),
        cmocka_unit_test(T103_T104_T106_stop_does_not_wait_and_stop_wait_does),
        cmocka_unit_test(T104_stop_wait_from_inside_returns),
        cmocka_unit_test(T107_inline_on_the_cancellers_thread_newest_first),
        cmocka_unit_test(T108_T109_T110_inside_it_may_do_anything),
        cmocka_unit_test(T113_what_goes_undone_takes_its_callbacks_along),
        cmocka_unit_test(T114_a_million_registrations),
    };
    return cmocka_run_group_tests_name("callback", tests, NULL, NULL);
}
