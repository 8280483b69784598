/* What a callee in another process has said of itself. */
#ifndef TRACE_CALLEE_H
#define TRACE_CALLEE_H

#include <whence/context.h>

/* Sets whence.callee.* on the span of ctx, from the first of the list, which is the nearest; the last is the first cause. Keeps
 * them as what a failure of ctx after this call is because of, and all that follows from it. Texts are copied, and cut; the
 * reason may not be NULL. They are words of a stranger: shown, and nothing is decided by them. */
void wh__note_callee(const wh_ctx *ctx, const struct wh_because *list, size_t count);

#endif
