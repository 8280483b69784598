/* The front door: wh_main() puts everything together, and ending what it returns takes it apart again. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "main/environment.h"
#include "trace/provider.h"
#include "trace/span.h"

static struct main_root {
    struct wh__root root;
    wh_ctx *lifecycle;        /* what signals cancel; parent of the root */
    wh_provider *provider;    /* NULL: not ours to shut down, or none */
    int64_t flush_timeout;
    uint32_t forks;           /* of the process that called wh_main() */
} main_root;

/* A child that has recorded nothing has nothing to flush, and must leave what it shares with its parent alone. */
static bool is_idle_child(const struct main_root *root)
{
    struct wh_provider_stats stats = {.size = sizeof stats};
    if (root->forks == wh__forks) return false;
    wh_provider_stats(root->provider, &stats);
    return stats.started == 0;
}

static void shut_down(void)
{
    wh_provider *provider = main_root.provider;
    if (!provider || is_idle_child(&main_root)) return;
    main_root.provider = NULL;
    wh_provider_shutdown(provider, main_root.flush_timeout);
}

/* Who is still at work is told before the last spans leave. */
static void end(struct wh__root *root)
{
    struct main_root *self = (struct main_root *)root;
    if (self->provider) self->provider->leaving = wh__now(); /* what is open now leaks, and was told nothing before */
    wh_end(self->lifecycle);
    self->lifecycle = NULL;
    shut_down();
}

wh_ctx *wh_main_at(const struct wh_main_opts *given)
{
    static const int signals[] = {SIGTERM, SIGINT};
    static bool registered;
    struct wh_main_opts opts = {0};
    memcpy(&opts, given, given->size < sizeof opts ? given->size : sizeof opts);
    wh__environment_begin(); /* first, so that its own contexts are listed too */
    wh_provider *provider = opts.provider ? opts.provider : wh__provider_from_environment(opts.service, opts.version);
    main_root = (struct main_root){
        .root.end = end,
        .lifecycle = opts.no_signals ? wh_with_cancel_at(NULL, opts.site) : wh_with_signals_at(NULL, signals, 2, opts.site),
        .provider = opts.provider ? NULL : provider,
        .flush_timeout = opts.flush_timeout ? opts.flush_timeout : WH_SEC(5),
        .forks = wh__forks,
    };
    wh__set_default_provider(provider);
    if (!registered) atexit(shut_down); /* for programs that leave by exit() */
    registered = true;
    wh_ctx *root = wh__anchor_new(main_root.lifecycle, provider, NULL, WH_NEVER, 0, opts.site);
    if (root->flags & WH__TRACE) {
        ((struct wh__trace_node *)(void *)root)->root = &main_root.root;
        root->flags |= WH__ENDS;
    }
    return root;
}
