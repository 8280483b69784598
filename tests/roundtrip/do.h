/* What is done to an open span: at random, and written down as a JSON list that begins with what it is. */
#ifndef ROUNDTRIP_DO_H
#define ROUNDTRIP_DO_H

#include "value.h"

/* Sets, adds an event, and so on: once, or more often than any limit allows. */
void operate(const wh_ctx *ctx, FILE *out);

/* An instant that was taken between these two; both the same where it was given. */
void put_instant(FILE *out, int64_t first, int64_t last);
int64_t some_instant(void); /* ten hours around now */

struct wh_span_context some_span_context(bool valid);
void put_span_context(FILE *out, const struct wh_span_context *span);
void put_link(FILE *out, const struct wh_span_context *to, struct wh_attrs attrs);

#endif
