/* The field whence-cause: why a service gave up, as docs/cause-header.md has it. Text in, links out, and back; nothing
 * allocates. */
#ifndef PROPAGATE_CAUSE_H
#define PROPAGATE_CAUSE_H

#include <whence/cause.h>

enum {
    WH__CAUSE_VERSION = 1,
    WH__CAUSE_BYTES = WH_CAUSE_SIZE - 1, /* of the field */
    /* of a member, encoded, without the quotes: such that any two members fit into a field */
    WH__CAUSE_REASON = 64,
    WH__CAUSE_TEXT = 384,
    WH__CAUSE_SITE = 160,
    WH__CAUSE_SPAN_NAME = 192,
    WH__CAUSE_SERVICE = 96
};

/* Links that were read; the texts lie beside them. */
struct wh__causes {
    size_t count;
    struct wh_because list[WH_CAUSES_MAX];
    char texts[WH_CAUSE_SIZE];
};

/* Of a field of `len` bytes, which need no zero byte at their end. False if it is refused: whatever is in *out then is of no use. */
bool wh__cause_read(const char *field, size_t len, struct wh__causes *out);

/* The field, terminated; its length. What does not fit before buf + size is left out: members in the middle, from the last but
 * one on; 0 if the first and the last do not fit. Whatever the texts hold, it is a field that wh__cause_read() takes. */
size_t wh__cause_write(char *buf, size_t size, const struct wh_because *list, size_t count);

/* Each half of wh_set_cause_policy(). */
void wh__set_cause_send(bool send);
void wh__set_cause_accept(bool accept);

#endif
