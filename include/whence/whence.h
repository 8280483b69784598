/* whence/whence.h: request contexts and tracing for C. When work stops early, the trace says whence.
 *
 * Read in this order, as one book:
 *   base.h        durations and places in the source
 *   context.h     who is asking, until when, and why it stopped
 *   wait.h        waits that obey a context: time, descriptors, condition variables
 *   work.h        several pieces of work under one context: groups, semaphores, retry
 *   live.h        who is alive, and how long stopping takes
 *   test.h        for tests of code that uses it: a clock of one's own, a root that finds what leaks
 *   baggage.h     what the services of one request tell each other
 *   trace.h       what happened: spans in contexts
 *   sampler.h     which of them are recorded
 *   resource.h    who it is that records: service, process, host, container
 *   provider.h    who records them, and where they go
 *   propagate.h   across the wire, both ways
 *   child.h       programs that are started under a context, and stopped with it
 *   cause.h       why a callee gave up, back to its caller
 *   exporters.h   how spans leave
 *   names.h       what things are called on spans
 *   and below     wh_main(), which puts all of it together
 */
#ifndef WHENCE_WHENCE_H
#define WHENCE_WHENCE_H

#include <whence/base.h>
#include <whence/context.h>
#include <whence/wait.h>
#include <whence/work.h>
#include <whence/live.h>
#include <whence/test.h>
#include <whence/baggage.h>
#include <whence/trace.h>
#include <whence/sampler.h>
#include <whence/resource.h>
#include <whence/provider.h>
#include <whence/propagate.h>
#include <whence/child.h>
#include <whence/cause.h>
#include <whence/exporters.h>
#include <whence/names.h>

WH_BEGIN_DECLS

/* ---- main ------------------------------------------------------------------------------------------------------
 *
 *   int main(void)
 *   {
 *       WH_AUTO wh_ctx *root = wh_main("orders", .version = "1.4.2");
 *       return serve(root);
 *   }
 *
 * The root of a program: configures tracing from the environment (docs/configuration.md lists the OTEL_* variables),
 * is cancelled (WH_SHUTDOWN) by the first SIGTERM or SIGINT, and when it is ended flushes what was recorded and
 * stops, within flush_timeout. Never fails: what cannot be had is said in one line on standard error, and the program
 * runs on. Call it once, before other threads start. */
struct wh_main_opts {
    size_t size;
    const struct wh_site *site;
    const char *service;                /* service.name, unless OTEL_SERVICE_NAME says otherwise */
    const char *version WH_ZERO_;       /* service.version */
    int64_t flush_timeout WH_ZERO_;     /* 0: 5 seconds */
    bool no_signals WH_ZERO_;           /* leave SIGTERM and SIGINT alone */
    struct wh_provider *provider WH_ZERO_; /* use this one, whatever OTEL_* say; not owned */
};
#define wh_main(...) wh_main_at(WH_OPTS_(struct wh_main_opts, .site = WH_HERE, .service = __VA_ARGS__))
WH_API WH_OWNER_ wh_ctx *wh_main_at(const struct wh_main_opts *opts);

WH_END_DECLS
#endif
