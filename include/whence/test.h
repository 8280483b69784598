/* whence/test.h: for tests of code that uses Whence. */
#ifndef WHENCE_TEST_H
#define WHENCE_TEST_H

#include <whence/context.h>

WH_BEGIN_DECLS

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
