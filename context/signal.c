/* Signals that cancel a context.
 *
 * Each signal has one place. The handler notes the sender, puts back the handler that was there before, so that a second
 * signal does what it always did, and wakes the loop's thread, which cancels and puts back the handlers of the context's
 * other signals.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>

#include "base/signame.h"
#include "context/tree.h"
#include "loop.h"

enum { SIGNALS = 65 };

static struct place {
    wh_ctx *node;            /* whom it cancels, not held: it leaves before it goes. NULL: nobody */
    const struct wh_site *site;
    struct sigaction before;
    bool installed;          /* `before` is to be put back; it is already, where the signal has come */
    uint32_t came;           /* atomic */
    int sender;              /* atomic; process id, 0 if the kernel sent it */
} places[SIGNALS];
static uint32_t lock;        /* of node, site and installed, and comes before those of nodes */

static void on_signal(int number, siginfo_t *info, void *unused);

/* Unless the program has set a handler of its own since: that one stays. */
static void put_back(int number)
{
    struct sigaction now;
    if (sigaction(number, NULL, &now) == 0 && now.sa_flags & SA_SIGINFO && now.sa_sigaction == on_signal)
        sigaction(number, &places[number].before, NULL);
}

/* Async-signal-safe: stores, sigaction() and write(). */
static void on_signal(int number, siginfo_t *info, void *unused)
{
    (void)unused;
    const int saved = errno;
    struct place *place = &places[number];
    put_back(number);
    __atomic_store_n(&place->sender, info->si_code <= 0 ? info->si_pid : 0, __ATOMIC_RELAXED);
    __atomic_store_n(&place->came, 1, __ATOMIC_RELEASE);
    wh__loop_signal();
    errno = saved;
}

static void watch_signal(int number, wh_ctx *node, const struct wh_site *site)
{
    struct place *place = &places[number];
    struct sigaction ours = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART};
    sigemptyset(&ours.sa_mask);
    wh__lock(&lock);
    place->node = node;
    place->site = site;
    if (!place->installed && sigaction(number, NULL, &place->before) == 0)
        place->installed = sigaction(number, &ours, NULL) == 0;
    wh__unlock(&lock);
}

wh_ctx *wh_with_signals_at(const wh_ctx *parent, const int *signals, size_t count, const struct wh_site *site)
{
    wh_ctx *node = wh__node_new(parent, WH__128, WH__SIGNALS, WH_NEVER, 0, site);
    if (!node) return wh__no_memory();
    wh__node_enter(node, 0);
    if (wh_err(node) || !wh__loop_start()) return node;
    for (size_t i = 0; i < count; i++)
        if (signals[i] > 0 && signals[i] < SIGNALS) watch_signal(signals[i], node, site);
    return node;
}

/* Under the lock: its signals do again what they did before. One that came and was not delivered is no matter of who comes
 * next. */
static void restore(const wh_ctx *node)
{
    for (int number = 1; number < SIGNALS; number++) {
        struct place *place = &places[number];
        if (place->node != node) continue;
        place->node = NULL;
        if (place->installed) put_back(number);
        place->installed = false;
        __atomic_store_n(&place->came, 0, __ATOMIC_RELAXED);
    }
}

void wh__signals_leave(wh_ctx *node)
{
    wh__lock(&lock);
    restore(node);
    wh__unlock(&lock);
}

static void say_signal(char *text, size_t size, int number, int sender)
{
    char name[WH__SIGNAL_SIZE];
    const int len = snprintf(text, size, "%s", wh__signal_name(number, name));
    if (sender) snprintf(text + len, size - (size_t)len, " from process %d", sender);
}

static void deliver(int number)
{
    struct place *place = &places[number];
    char text[WH_TEXT_MAX + 1];
    say_signal(text, sizeof text, number, __atomic_load_n(&place->sender, __ATOMIC_RELAXED));
    wh__lock(&lock);
    wh_ctx *node = place->node;
    const struct wh_site *site = place->site;
    if (node) {
        wh__ref(node);
        restore(node);
    }
    wh__unlock(&lock);
    if (!node) return;
    wh__cancel(node, &(struct wh__verdict){.reason = WH_SHUTDOWN, .site = site, .text = text});
    wh__unref(node);
}

void wh__signal_ready(void)
{
    for (int number = 1; number < SIGNALS; number++)
        if (__atomic_exchange_n(&places[number].came, 0, __ATOMIC_ACQUIRE)) deliver(number);
}

/* In the child of a fork signals do what they did before. */
void wh__signals_forget(void)
{
    for (int number = 1; number < SIGNALS; number++) {
        struct place *place = &places[number];
        if (place->installed) put_back(number);
        place->node = NULL;
        place->installed = false;
        place->came = 0;
    }
}
