/* Hang-ups: the peer of a socket goes, and the context that works for it is cancelled.
 *
 * The watches stand in a table indexed by descriptor, since epoll knows each descriptor once; several contexts may watch
 * one. What comes back from epoll is the descriptor and the generation of its entry: a report that was on its way when the
 * descriptor was closed and its number reused finds another generation there and is dropped, and so is a watch that its
 * owner left behind. The table's lock comes before those of nodes.
 */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/mem.h"
#include "context/tree.h"
#include "loop.h"

struct wh__watch {
    wh_ctx *node;           /* not held: the watch goes first */
    const struct wh_site *site;
    int fd;
    uint32_t generation;    /* of the entry; another one there: this watch is left behind */
    bool half_close;
    bool fired;
    struct wh__watch *next; /* on the same descriptor */
};

struct entry {
    uint32_t generation;
    struct wh__watch *first;
};

static struct {
    uint32_t lock;
    uint32_t generation;
    struct entry *entries;
    int size;
} table;

static uint64_t tag_of(int fd, uint32_t generation)
{
    return (uint64_t)generation << 32 | (uint32_t)fd;
}

/* New memory is got and old memory given back without the lock. */
static bool make_room_for(int fd)
{
    int size = 64;
    while (size <= fd) size *= 2;
    wh__lock(&table.lock);
    const bool enough = fd < table.size;
    wh__unlock(&table.lock);
    if (enough) return true;
    struct entry *grown = wh__mem_zero((size_t)size * sizeof *grown);
    if (!grown) return false;
    wh__lock(&table.lock);
    if (table.size < size) {
        if (table.size) memcpy(grown, table.entries, (size_t)table.size * sizeof *grown);
        struct entry *old = table.entries;
        table.entries = grown;
        table.size = size;
        grown = old;
    }
    wh__unlock(&table.lock);
    wh__mem_free(grown);
    return true;
}

/* Under the lock. epoll says whether it knows this descriptor, for this socket: if not, the entry's watches were for one
 * that is closed. If it does, being told again makes it report once more, for the newcomer. */
static int enter(struct wh__watch *watch)
{
    struct entry *entry = &table.entries[watch->fd];
    const uint32_t events = EPOLLRDHUP | EPOLLET;
    if (++table.generation == 0) table.generation = 1; /* 0 is an entry without watches */
    uint32_t generation = table.generation;
    int rc = wh__loop_add(watch->fd, events, tag_of(watch->fd, generation));
    const bool known = rc == EEXIST;
    if (known) {
        if (entry->first) generation = entry->generation;
        wh__loop_remove(watch->fd);
        rc = wh__loop_add(watch->fd, events, tag_of(watch->fd, generation));
    }
    if (rc) return rc;
    if (!known || !entry->first) *entry = (struct entry){.generation = generation};
    watch->generation = generation;
    watch->next = entry->first;
    entry->first = watch;
    return 0;
}

static void leave(struct wh__watch *watch)
{
    struct entry *entry = &table.entries[watch->fd];
    if (entry->generation != watch->generation) return;
    struct wh__watch **slot = &entry->first;
    while (*slot != watch) slot = &(*slot)->next;
    *slot = watch->next;
    if (!entry->first) {
        entry->generation = 0;
        wh__loop_remove(watch->fd);
    }
}

/* Under the lock. Returns the watch that it had, which is in no list any more. */
static struct wh__watch *take_watch(struct wh__extra *extra)
{
    struct wh__watch *watch = extra->watch;
    if (watch) leave(watch);
    __atomic_store_n(&extra->watch, NULL, __ATOMIC_RELAXED);
    return watch;
}

void wh__unwatch(wh_ctx *node)
{
    struct wh__extra *extra = __atomic_load_n(&node->extra, __ATOMIC_ACQUIRE);
    if (!extra || !__atomic_load_n(&extra->watch, __ATOMIC_RELAXED)) return;
    wh__lock(&table.lock);
    struct wh__watch *watch = take_watch(extra);
    wh__unlock(&table.lock);
    wh__slab_put_if(watch);
}

int wh_watch_peer_at(wh_ctx *ctx, int fd, unsigned flags, const struct wh_site *site)
{
    if (fd < 0) return EBADF;
    ctx = wh__own(ctx);
    if (ctx == wh__no_memory()) return ENOMEM;
    if (!ctx || ctx->flags & (WH__VALUE | WH__IMMORTAL)) return EINVAL;
    if (!wh__loop_start()) return EAGAIN;
    struct wh__extra *extra = wh__extra_of(ctx, true);
    struct wh__watch *watch = extra ? wh__slab_get(WH__64) : NULL;
    if (!watch || !make_room_for(fd)) {
        wh__slab_put_if(watch);
        return ENOMEM;
    }
    *watch = (struct wh__watch){.node = ctx, .site = site, .fd = fd, .half_close = flags & WH_HALF_CLOSE};
    wh__lock(&table.lock);
    struct wh__watch *before = take_watch(extra);
    const int rc = enter(watch);
    if (rc == 0) __atomic_store_n(&extra->watch, watch, __ATOMIC_RELAXED);
    wh__unlock(&table.lock);
    wh__slab_put_if(before);
    if (rc) wh__slab_put(watch);
    return rc;
}

/* The first watch on the descriptor that these events concern and that has not fired: its node, with a reference. */
static wh_ctx *next_gone(uint64_t tag, uint32_t events, const struct wh_site **site)
{
    const uint32_t fd = (uint32_t)tag;
    wh_ctx *gone = NULL;
    wh__lock(&table.lock);
    struct wh__watch *watch = NULL;
    if (table.entries[fd].generation == tag >> 32) watch = table.entries[fd].first;
    for (; watch && !gone; watch = watch->next) {
        if (watch->fired || (watch->half_close && !(events & EPOLLHUP))) continue;
        watch->fired = true;
        *site = watch->site;
        wh__lock(&watch->node->state);
        if (watch->node->refs) {
            gone = watch->node;
            wh__count_up(gone);
        }
        wh__unlock(&watch->node->state);
    }
    wh__unlock(&table.lock);
    return gone;
}

/* An error alone says only that the socket has something in its error queue (socket(7), MSG_ERRQUEUE); a reset hangs up. */
void wh__watch_ready(uint64_t tag, uint32_t events)
{
    if (!(events & (EPOLLRDHUP | EPOLLHUP))) return;
    const struct wh_site *site;
    for (wh_ctx *node; (node = next_gone(tag, events, &site));) {
        wh__cancel(node, &(struct wh__verdict){.reason = WH_CLIENT_GONE, .site = site,
                             .text = events & EPOLLERR ? "connection reset" : "connection closed", .text_is_static = true});
        wh__unref(node);
    }
}

void wh__watches_forget(void)
{
    for (int fd = 0; fd < table.size; fd++) table.entries[fd] = (struct entry){0};
}
