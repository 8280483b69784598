#include "propagate/composite.h"

#include <errno.h>
#include <string.h>

#include "base/lock.h"
#include "base/mem.h"

/* ---- as a propagator ---- */

static const struct wh__composite *composite_of(const struct wh_propagator *propagator)
{
    return (const void *)propagator;
}

void wh__inject_all(const struct wh__composite *all, const wh_ctx *ctx, const struct wh_carrier *to, void *carrier)
{
    for (size_t i = 0; i < all->count; i++) all->list[i]->inject(all->list[i], ctx, to, carrier);
}

static void inject(const struct wh_propagator *self, const wh_ctx *ctx, const struct wh_carrier *to, void *carrier)
{
    wh__inject_all(composite_of(self), ctx, to, carrier);
}

static wh_ctx *extract(const struct wh_propagator *self, const wh_ctx *parent, const struct wh_carrier *from, void *carrier,
                       const struct wh_site *site)
{
    return wh__extract_all(composite_of(self), parent, from, carrier, site);
}

/* ---- made of a list ---- */

/* A composite stands for its members. Calls fn for each propagator of the list, in order. */
static void each(const struct wh_propagator *const *list, size_t count, void (*fn)(void *arg, const struct wh_propagator *one), void *arg)
{
    for (size_t i = 0; i < count; i++) {
        if (list[i]->extract == extract)
            each(composite_of(list[i])->list, composite_of(list[i])->count, fn, arg);
        else
            fn(arg, list[i]);
    }
}

struct sizes {
    size_t members, fields, name;
};

static size_t count_fields(const struct wh_propagator *one)
{
    size_t count = 0;
    while (one->fields && one->fields[count]) count++;
    return count;
}

static void measure(void *arg, const struct wh_propagator *one)
{
    struct sizes *sizes = arg;
    sizes->members++;
    sizes->fields += count_fields(one);
    sizes->name += strlen(one->name ? one->name : "") + 1;
}

/* Being filled: everything lies in the block of the composite. */
struct draft {
    struct wh__composite *made;
    const struct wh_propagator **list;
    const char **fields;
    size_t field_count;
    char *name;
};

static void add_field(struct draft *draft, const char *field)
{
    for (size_t i = 0; i < draft->field_count; i++)
        if (strcmp(draft->fields[i], field) == 0) return;
    draft->fields[draft->field_count++] = field;
}

static void add(void *arg, const struct wh_propagator *one)
{
    struct draft *draft = arg;
    for (size_t i = 0; i < draft->made->count; i++)
        if (draft->list[i] == one) return;
    const char *name = one->name ? one->name : "";
    if (draft->made->count) *draft->name++ = ',';
    draft->name = (char *)memcpy(draft->name, name, strlen(name)) + strlen(name);
    draft->list[draft->made->count++] = one;
    for (size_t i = 0; one->fields && one->fields[i]; i++) add_field(draft, one->fields[i]);
}

static struct wh__composite *composite_new(const struct wh_propagator *const *list, size_t count)
{
    struct sizes sizes = {0};
    each(list, count, measure, &sizes);
    struct wh__composite *made = wh__mem_zero(sizeof *made + (sizes.members + sizes.fields + 1) * sizeof(void *) + sizes.name + 1);
    if (!made) return NULL;
    struct draft draft = {.made = made, .list = (const struct wh_propagator **)(made + 1)};
    draft.fields = (const char **)(draft.list + sizes.members);
    draft.name = (char *)(draft.fields + sizes.fields + 1);
    made->public = (struct wh_propagator){sizeof made->public, draft.name, inject, extract, draft.fields};
    made->list = draft.list;
    each(list, count, add, &draft);
    return made;
}

struct wh_propagator *wh_composite_propagator_new(const struct wh_propagator *const *list, size_t count)
{
    struct wh__composite *made = composite_new(list, count);
    return made ? &made->public : NULL;
}

void wh_composite_propagator_free(struct wh_propagator *composite)
{
    wh__mem_free(composite);
}

/* ---- the one for all ---- */

static const struct wh_propagator *const usual[] = {&wh__tracecontext.public, &wh__baggage.public, &wh__whence.public};
static const struct wh__composite usual_ones = {
    .public = {sizeof(struct wh_propagator), "tracecontext,baggage,whence", inject, extract,
               (const char *const[]){"traceparent", "tracestate", "baggage", "x-request-id", "whence-timeout", NULL}},
    .count = sizeof usual / sizeof *usual,
    .list = usual,
};

static const struct wh__composite *now = &usual_ones; /* atomic */
static struct wh__composite *former;                  /* [lock] all that were ever set: somebody may be at work with them */
static uint32_t lock;

const struct wh__composite *wh__composite_now(void)
{
    return __atomic_load_n(&now, __ATOMIC_ACQUIRE);
}

const struct wh_propagator *wh_propagators(void)
{
    return &wh__composite_now()->public;
}

static bool same(const struct wh__composite *a, const struct wh__composite *b)
{
    return a->count == b->count && memcmp(a->list, b->list, a->count * sizeof *a->list) == 0;
}

/* The same lists again and again need no more memory. */
static struct wh__composite *set(struct wh__composite *made)
{
    wh__lock(&lock);
    struct wh__composite *kept = former;
    while (kept && !same(kept, made)) kept = kept->next;
    if (!kept) {
        made->next = former;
        former = made;
    }
    __atomic_store_n(&now, kept ? kept : made, __ATOMIC_RELEASE);
    wh__unlock(&lock);
    return kept ? made : NULL;
}

int wh_set_propagators(const struct wh_propagator *const *list, size_t count)
{
    struct wh__composite *made = composite_new(list, count);
    if (!made) return ENOMEM;
    wh__mem_free(set(made));
    return 0;
}
