/* Which keys of a list of attributes have been met: for lists of any length, in time that grows with it. */
#ifndef TRACE_KEYS_H
#define TRACE_KEYS_H

#include <whence/trace.h>

enum { WH__FEW_KEYS = 16 };

struct wh__keys {
    const struct wh_attr *list;
    uint32_t few[WH__FEW_KEYS]; /* places in the list, as long as there are no slots */
    uint32_t count;
    uint32_t mask;
    uint32_t *slots;            /* from wh__mem_get(); a place and one, or 0 */
    uint64_t seed;              /* keys may come from a stranger, who is not to know which of them collide */
};

/* False without memory: few keys need none. The list has at most UINT32_MAX / 4 attributes. */
bool wh__keys_begin(struct wh__keys *keys, struct wh_attrs list);
void wh__keys_end(struct wh__keys *keys);

/* Whether the key of the attribute at that place, which is not NULL, was added; and adding it: false if it was there. */
bool wh__keys_has(const struct wh__keys *keys, size_t place);
bool wh__keys_add(struct wh__keys *keys, size_t place);

#endif
