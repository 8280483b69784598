/* whence/test.h: for tests of code that uses Whence. */
#ifndef WHENCE_TEST_H
#define WHENCE_TEST_H

#include <whence/context.h>

WH_BEGIN_DECLS

/* ---- A clock of one's own --------------------------------------------------------------------------------------
 *
 *   wh_clock *clock = wh_clock_new(0);
 *   WH_AUTO wh_ctx *root = wh_with_clock(NULL, clock);
 *   WH_AUTO wh_ctx *op = wh_with_timeout(root, WH_SEC(2));
 *   wh_clock_advance(clock, WH_SEC(2));               now op is done; nobody has slept
 *
 * Below a context with a clock, detached ones included, time is what that clock says: timeouts, wh_deadline(),
 * wh_remaining(), and the limit of wh_wait(), which ends when somebody moves the clock. A deadline that is set above it goes
 * by the clock up there, and cancels what is below when it fires; wh_deadline() below does not tell of it. Spans, and the
 * `at` of a cause, keep the time of the system. */
typedef struct wh_clock wh_clock;

/* A clock that stands at `start`. NULL and ENOMEM in errno without memory. */
WH_API WH_MUST_USE_ wh_clock *wh_clock_new(int64_t start);

/* Gives the clock back, once. The contexts that go by it may be ended later: for them it stands still. NULL is ignored. */
WH_API void wh_clock_free(wh_clock *clock);

/* A child that goes by that clock, as everything below it does. Holds the clock. NULL clock: the shared done context, as out
 * of memory. */
#define wh_with_clock(parent, clock) wh_with_clock_at((parent), (clock), WH_HERE)
WH_API WH_OWNER_ wh_ctx *wh_with_clock_at(const wh_ctx *parent, wh_clock *clock, const struct wh_site *site);

/* What it says. Any thread. */
WH_API int64_t wh_clock_now(const wh_clock *clock);

/* Moves it on: from deadline to deadline, each of which fires on the caller's thread, and their callbacks run there, before
 * the clock moves further; those of one instant in the order in which they were set. When this returns, all is done that is
 * due, also what callbacks have added, and nothing else. Never moves it back: less than 0 is 0. While one thread moves it,
 * another one's call waits and adds to it; one from inside a callback goes on from the instant of that callback, and the
 * outer one then ends where it would have, or there if that is later. */
WH_API void wh_clock_advance(wh_clock *clock, int64_t by);

/* ---- A root that finds what was not ended ----------------------------------------------------------------------
 *
 *   wh_ctx *root = wh_test_root();
 *   handle(root, &request);
 *   assert(wh_test_end(root) == 0);
 *
 * A child of the background, below which every context is listed (live.h), whether wh_track() was called or not. */
#define wh_test_root() wh_test_root_at(WH_HERE)
WH_API WH_MUST_USE_ wh_ctx *wh_test_root_at(const struct wh_site *site);

/* Cancels the root with WH_ENDED and ends it. Returns how many of the contexts that were derived from it, directly or not,
 * have not been ended, after a line (wh_report_to()) for each place where some of them were made. SIZE_MAX if there was
 * no memory to tell. Join the threads that work below it before. Once for each root; NULL is ignored. */
WH_API size_t wh_test_end(wh_ctx *root);

WH_END_DECLS
#endif
