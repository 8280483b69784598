/* Baggage as contexts hold it: one block of memory, immutable. */
#ifndef PROPAGATE_BAG_H
#define PROPAGATE_BAG_H

#include <whence/baggage.h>

enum { WH__BAG_MEMBERS = 64, WH__BAG_BYTES = 8192 }; /* limits of W3C Baggage, section 3.3.2 */

/* A text that is not terminated. */
struct wh__part {
    const char *text;
    size_t len;
};

/* A member that is to become one of a bag: the texts are borrowed, and the value may still be percent-encoded ASCII. */
struct wh__member {
    struct wh__part name, value, metadata; /* metadata of length 0: none */
    bool encoded;
};

struct wh__bag {
    size_t count;
    struct wh_baggage_member members[];
};

/* Members being gathered: each name once, of equal ones the last, in the place of the first. */
enum { WH__BAG_SLOTS = 128 };
struct wh__members {
    uint32_t count;
    uint32_t bytes;               /* of all names, values as they stand there, and metadata */
    uint8_t slots[WH__BAG_SLOTS]; /* by the hashes of names: 0, or one more than an index */
    struct wh__member list[WH__BAG_MEMBERS];
};
static inline void wh__members_begin(struct wh__members *members)
{
    __builtin_memset(members, 0, offsetof(struct wh__members, list));
}

/* False, and nothing has changed, if there would be more members or bytes than may be. */
bool wh__members_add(struct wh__members *members, const struct wh__member *member);

/* All of a bag but the one of that name, if it is not NULL. */
void wh__members_add_bag(struct wh__members *members, const struct wh__bag *bag, const char *but);

/* One allocation. NULL without memory, and without members. */
struct wh__bag *wh__bag_new(const struct wh__members *members);
void wh__bag_free(struct wh__bag *bag);

/* What stands in a header of `len` bytes, on top of what is there. What is malformed is left out, and so is what is beyond the
 * limits, always as whole members. The texts are those of the header. */
void wh__bag_read(struct wh__members *members, const char *header, size_t len);

/* The header, terminated; 0: nothing is to be sent. Members that cannot travel, or for which there is no room, are left out;
 * *left_out counts them. */
enum { WH__BAG_HEADER_SIZE = WH__BAG_BYTES + 1 };
size_t wh__bag_write(const struct wh__bag *bag, char out[WH__BAG_HEADER_SIZE], unsigned *left_out);

/* The bag of a context; NULL: nothing is in it. wh__with_bag() takes it over, also where there is no memory. */
const struct wh__bag *wh__bag_of(const wh_ctx *ctx);
wh_ctx *wh__with_bag(const wh_ctx *parent, struct wh__bag *bag);

#endif
