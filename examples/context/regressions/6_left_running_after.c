/* The work is given the context and stops with it. Work that does not look is not left behind either: the group waits for
 * it, and the trace says how long it ran on. */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <whence/whence.h>

static int polite(const wh_ctx *ctx, void *arg)
{
    (void)arg;
    WH_AUTO wh_ctx *span = wh_start(ctx, "polite");
    for (int step = 0; step < 100000; step++)
        if (wh_sleep(span, WH_MS(1))) return wh_err(span);
    return 0;
}

static int deaf(const wh_ctx *ctx, void *arg)
{
    (void)arg;
    WH_AUTO wh_ctx *span = wh_start(ctx, "deaf");
    for (int step = 0; step < 1000; step++) nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    return 0;
}

static void call(const wh_ctx *root, int (*work)(const wh_ctx *ctx, void *arg))
{
    WH_AUTO wh_ctx *ctx = wh_with_timeout(root, WH_SEC(60));
    WH_AUTO_GROUP wh_group *group = wh_group_new(ctx);
    wh_go(group, work, NULL);
    wh_sleep(ctx, WH_MS(50));
    wh_cancel(ctx, WH_CLIENT_GONE, NULL);
    wh_group_wait(group);
}

static void tell(struct wh_exporter *memory, const char *name)
{
    struct wh_span_view span;
    struct wh_attr_view why, overrun;
    if (!wh_memory_find(memory, name, &span) || !wh_span_attr(&span, "whence.cancel.reason", &why)) return;
    if (!wh_span_attr(&span, "whence.cancel.overrun_ms", &overrun)) return;
    printf("%s: %.*s, and ran on for nobody: %s\n", name, (int)why.as.string.len, why.as.string.ptr,
           strcmp(name, "deaf") ? "a moment" : overrun.as.real > 100 ? "more than 100 ms" : "not for long");
}

int main(void)
{
    struct wh_exporter *memory = wh_memory_exporter_new(100);
    wh_provider *provider = wh_provider_new(.exporters = &memory, .exporter_count = 1);
    if (!provider) return 1;
    WH_AUTO wh_ctx *root = wh_provider_root(provider);
    call(root, polite);
    call(root, deaf);
    if (wh_provider_flush(provider, WH_SEC(30))) return 1;
    tell(memory, "polite");
    tell(memory, "deaf");
    return wh_provider_shutdown(provider, WH_SEC(30)) ? 1 : 0;
}
