/* The floor: what this machine takes for the pieces that any such library is made of, and for the least span and the least
 * tree that anybody could write by hand. They do no more than their names say: no limits, no second writer, no reader. */
#include <stdlib.h>
#include <string.h>

#include "attributes.h"
#include "bench.h"

/* ---- pieces ---- */

static void read_clock(size_t n)
{
    while (n--) {
        int64_t now = clock_ns(CLOCK_MONOTONIC);
        HIDE(now);
    }
}

static void copy_256(size_t n)
{
    static unsigned char from[256], to[256];
    size_t size = sizeof from;
    while (n--) {
        HIDE(size);
        memcpy(to, from, size);
        CLOBBER();
    }
}

static void add_atomically(size_t n)
{
    static uint64_t word;
    while (n--) __atomic_fetch_add(&word, 1, __ATOMIC_SEQ_CST);
}

/* What a call would be for: without it there would be no branch. */
static __attribute__((noinline)) size_t error_of(uint32_t word)
{
    HIDE(word);
    return word >> 8;
}

static void load_and_branch(size_t n)
{
    static uint32_t word;
    uint32_t *at = &word;
    size_t seen = 0;
    while (n--) {
        HIDE(at);
        const uint32_t state = __atomic_load_n(at, __ATOMIC_ACQUIRE);
        if (__builtin_expect(state >= 256, 0)) seen += error_of(state);
    }
    HIDE(seen);
}

static void allocate_256(size_t n)
{
    while (n--) {
        void *block = plain_malloc(256);
        HIDE(block);
        plain_free(block);
    }
}

/* ---- a span ---- */

enum { RING = 1 << 20 };
struct ring {
    size_t at;
    _Alignas(64) unsigned char bytes[RING];
};
static struct ring rings[2];

struct head {
    uint32_t size, attributes;
    uint64_t trace[2], id, parent;
    int64_t start, end;
    const char *name;
};
_Static_assert(sizeof(struct head) == 64, "one cache line");

/* wyrand by Wang Yi: an addition, a multiplication, and an exclusive or. */
__extension__ typedef unsigned __int128 wide;
static _Thread_local uint64_t seed = 42;
static inline uint64_t next_id(void)
{
    seed += UINT64_C(0xa0761d6478bd642f);
    const wide product = (wide)seed * (seed ^ UINT64_C(0xe7037ed1a0b428db));
    return (uint64_t)(product >> 64) ^ (uint64_t)product;
}

static inline struct head *begin_span(struct ring *ring)
{
    if (ring->at > RING - 1024) ring->at = 0;
    struct head *head = (void *)(ring->bytes + ring->at);
    *head = (struct head){.trace = {1, 2}, .id = next_id(), .parent = 3, .start = clock_ns(CLOCK_MONOTONIC), .name = "GET"};
    return head;
}

static inline void end_span(struct ring *ring, struct head *head, const unsigned char *end)
{
    head->end = clock_ns(CLOCK_MONOTONIC);
    head->size = (uint32_t)(end - (unsigned char *)head);
    ring->at = ((size_t)(end - ring->bytes) + 63) & ~(size_t)63;
    CLOBBER();
}

static inline unsigned char *put(unsigned char *p, const char *key, size_t key_len, const void *value, size_t len)
{
    p[0] = (unsigned char)key_len;
    p[1] = (unsigned char)len;
    memcpy(p + 2, key, key_len);
    memcpy(p + 2 + key_len, value, len);
    return p + 2 + key_len + len;
}

static void span_with_0(size_t n)
{
    while (n--) {
        struct head *head = begin_span(rings);
        end_span(rings, head, (unsigned char *)(head + 1));
    }
}

/* All lengths are known to the compiler, so that every copy is a few moves. */
#define PUT(p, key, value) put(p, key, sizeof(key) - 1, value, sizeof(value) - 1)

static void span_with_5(size_t n)
{
    while (n--) {
        struct head *head = begin_span(rings);
        const int64_t status = STATUS;
        unsigned char *p = (unsigned char *)(head + 1);
        p = PUT(p, METHOD_KEY, METHOD);
        p = PUT(p, PATH_KEY, PATH);
        p = put(p, STATUS_KEY, sizeof STATUS_KEY - 1, &status, sizeof status);
        p = PUT(p, SERVER_KEY, SERVER);
        p = PUT(p, AGENT_KEY, AGENT);
        head->attributes = 5;
        end_span(rings, head, p);
    }
}

#define PUT_TEXT(p, key, value) put(p, key, sizeof(key) - 1, value, strlen(value))

static void span_with_5_by(size_t n, int who)
{
    struct ring *ring = &rings[who];
    while (n--) {
        struct head *head = begin_span(ring);
        const int64_t status = request.status;
        unsigned char *p = (unsigned char *)(head + 1);
        p = PUT_TEXT(p, METHOD_KEY, request.method);
        p = PUT_TEXT(p, PATH_KEY, request.path);
        p = put(p, STATUS_KEY, sizeof STATUS_KEY - 1, &status, sizeof status);
        p = PUT_TEXT(p, SERVER_KEY, request.server);
        p = PUT_TEXT(p, AGENT_KEY, request.agent);
        head->attributes = 5;
        end_span(ring, head, p);
    }
}

static void span_with_5_of_any_length(size_t n)
{
    span_with_5_by(n, 0);
}

/* Nothing is shared but the processor. */
static void spans_on_two_threads(size_t n, struct lap *laps)
{
    if (two_cpus())
        laps[0] = both(span_with_5_by, n);
    else
        bench_invalid("wants two CPUs");
}

/* ---- a tree ---- */

struct node {
    uint32_t lock, done;
    struct node *parent, *next, **link, *children;
};
static struct node *unused;

/* A node that has the ids of a span as well, for those who want them. */
struct span {
    struct node node;
    uint64_t trace[2], id;
    uint32_t records;
};
static struct span spans[16], top = {.trace = {1, 2}, .id = 3};

static inline void lock(struct node *node)
{
    while (__atomic_exchange_n(&node->lock, 1, __ATOMIC_ACQUIRE)) continue;
}

static inline void unlock(struct node *node)
{
    __atomic_store_n(&node->lock, 0, __ATOMIC_RELEASE);
}

static inline struct node *derive(struct node *parent)
{
    struct node *node = unused;
    unused = node->next;
    *node = (struct node){.parent = parent, .link = &parent->children};
    lock(parent);
    node->next = parent->children;
    if (node->next) node->next->link = &node->next;
    parent->children = node;
    unlock(parent);
    return node;
}

static inline void cancel(struct node *node)
{
    lock(node);
    __atomic_store_n(&node->done, 1, __ATOMIC_RELEASE);
    unlock(node);
}

static inline void end(struct node *node)
{
    lock(node->parent);
    *node->link = node->next;
    if (node->next) node->next->link = node->link;
    unlock(node->parent);
    node->next = unused;
    unused = node;
}

static void derive_end(size_t n)
{
    while (n--) {
        struct node *node = derive(&top.node);
        CLOBBER();
        end(node);
    }
}

static void derive_cancel_end(size_t n)
{
    while (n--) {
        struct node *node = derive(&top.node);
        CLOBBER();
        cancel(node);
        CLOBBER();
        end(node);
    }
}

/* A child with ids to pass on, of a parent that is not sampled; and five times the question whether it is. */
static void span_not_sampled(size_t n)
{
    size_t seen = 0;
    while (n--) {
        struct span *span = (void *)derive(&top.node);
        memcpy(span->trace, top.trace, sizeof span->trace);
        span->id = next_id();
        span->records = top.records;
        for (int i = 0; i < 5; i++) {
            HIDE(span);
            if (__builtin_expect(span->records != 0, 0)) seen += error_of(span->records);
        }
        end(&span->node);
    }
    HIDE(seen);
}

static void make_nodes(void)
{
    for (size_t i = 0; i < sizeof spans / sizeof *spans; i++) {
        spans[i].node.next = unused;
        unused = &spans[i].node;
    }
}

#define ANY_LENGTH "span by hand, 5 attributes of any length"
static const struct subject subjects[] = {
    {.rows = {{.name = "clock_gettime"}}, .op = read_clock},
    {.rows = {{.name = "memcpy of 256 B"}}, .op = copy_256},
    {.rows = {{.name = "atomic add, uncontended"}}, .op = add_atomically},
    {.rows = {{.name = "load and branch"}}, .op = load_and_branch, .counted = true},
    {.rows = {{.name = "malloc+free of 256 B"}}, .op = allocate_256},
    {.rows = {{.name = "span by hand, 0 attributes"}}, .op = span_with_0, .counted = true},
    {.rows = {{.name = "span by hand, 5 attributes", .note = "all lengths known when it was compiled"}},
     .op = span_with_5, .counted = true},
    {.rows = {{.name = ANY_LENGTH}}, .op = span_with_5_of_any_length, .counted = true},
    {.rows = {{.name = ANY_LENGTH ", two threads", .floor = ANY_LENGTH, .note = "each, at the same time"}},
     .sample = spans_on_two_threads},
    {.rows = {{.name = "tree by hand, derive+end"}}, .op = derive_end, .counted = true},
    {.rows = {{.name = "tree by hand, derive+cancel+end"}}, .op = derive_cancel_end, .counted = true},
    {.rows = {{.name = "span by hand, not sampled", .note = "a place in the tree, ids, five questions"}},
     .op = span_not_sampled, .counted = true},
    {.op = NULL},
};

const struct room floor_room = {.name = "floor", .begin = make_nodes, .subjects = subjects};
