/* What Whence itself has to say of a span. It gets its place whatever the limits are, and takes none of the user's. */
#ifndef TRACE_OWN_H
#define TRACE_OWN_H

#include "trace/span.h"

/* Each on a record that is ours: under its span's lock, or at its end. Text that is NULL or empty, and an id that is zero, are not
 * set. */
void wh__own_attr(struct wh__record **record, struct wh_attr attr);
void wh__own_text(struct wh__record **record, const char *key, const char *text);
void wh__own_id(struct wh__record **record, const char *key, const uint8_t *id, size_t size);
void wh__own_ms(struct wh__record **record, const char *key, int64_t ns);

/* An array of texts that has been encoded: the content of opentelemetry.proto.common.v1.ArrayValue. */
void wh__own_texts(struct wh__record **record, const char *key, const void *encoded, size_t len);

/* `at`: nanoseconds since 1970. */
void wh__own_event(struct wh__record **record, const struct wh__trace_node *trace, const char *name, uint64_t at,
                   struct wh_attrs attrs);
void wh__own_link(struct wh__record **record, const struct wh__trace_node *trace, const struct wh_span_context *to,
                  struct wh_attrs attrs);

/* Takes the lock of the span of ctx and returns true, if it is recording. */
bool wh__own_open(const wh_ctx *ctx, struct wh__trace_node **trace);

/* "payments.c:214 charge_card". Returns buf. */
const char *wh__say_site(char *buf, size_t size, const struct wh_site *site);

/* To the microsecond: more digits only disturb. */
static inline double wh__milliseconds(int64_t ns)
{
    return (double)(ns / 1000) / 1000;
}

#endif
