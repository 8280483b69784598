/* Composable samplers that ask others: by the parent's threshold, by rules, with attributes. */
#include "base/mem.h"
#include "base/text.h"
#include "trace/ot.h"
#include "trace/sampler.h"

static struct wh_composable *or_off(struct wh_composable *given)
{
    return given ? given : wh_composable_always_off();
}

static struct wh_composable *no_memory(void)
{
    wh__sampler_no_memory();
    return wh_composable_always_off();
}

/* ---- one other, in a structure of its own ---- */

struct around {
    struct wh_composable composable;
    struct wh_composable *inner;
    struct wh_attrs attrs;
};

static void shut_down_inner(struct wh_composable *self)
{
    wh__composable_shut_down(((struct around *)self)->inner);
}

static void destroy_inner(struct wh_composable *self)
{
    wh_composable_free(((struct around *)self)->inner);
    wh__mem_free(self);
}

static struct around *around_new(struct wh_composable *inner)
{
    struct around *made = wh__mem_zero(sizeof *made);
    if (!made) {
        wh_composable_free(inner);
        return NULL;
    }
    made->composable.size = sizeof made->composable;
    made->composable.shutdown = shut_down_inner;
    made->composable.destroy = destroy_inner;
    made->inner = or_off(inner);
    return made;
}

/* ---- the parent's threshold ---- */

static void intend_as_parent(struct wh_composable *self, const struct wh_sampling *in, struct wh_intent *out)
{
    struct wh_composable *root = ((struct around *)self)->inner;
    struct wh__ot ot;
    if (!in->parent_span) {
        root->get_intent(root, in, out);
        return;
    }
    wh__ot_read(in->parent_span->tracestate, &ot);
    out->reliable = ot.has_threshold;
    out->threshold = ot.has_threshold ? ot.threshold : in->parent_span->flags & WH_SAMPLED ? 0 : WH_NO_THRESHOLD;
}

static void describe_parent(struct wh_composable *self, char *buf, size_t size)
{
    struct wh__text text = {.buf = buf, .size = size};
    wh__put(&text, "ComposableParentThreshold{root:");
    wh__put_composable(&text, ((struct around *)self)->inner);
    wh__put(&text, "}");
}

struct wh_composable *wh_composable_parent_threshold(struct wh_composable *root)
{
    struct around *made = around_new(root);
    if (!made) return no_memory();
    made->composable.get_intent = intend_as_parent;
    made->composable.description = describe_parent;
    return &made->composable;
}

/* ---- attributes ---- */

bool wh_intent_attrs(struct wh_intent *intent, struct wh_attrs attrs)
{
    const size_t align = (size_t)-(uintptr_t)intent->scratch % _Alignof(struct wh_attr), each = sizeof *attrs.list;
    const size_t before = intent->attrs.count, room = intent->scratch_size > align ? (intent->scratch_size - align) / each : 0;
    if (before == 0) {
        intent->attrs = attrs;
        return true;
    }
    if (before > room || attrs.count > room - before) return false;
    struct wh_attr *all = (struct wh_attr *)(void *)(intent->scratch + align);
    memcpy(all, intent->attrs.list, before * each);
    if (attrs.count) memcpy(all + before, attrs.list, attrs.count * each);
    intent->attrs = (struct wh_attrs){all, before + attrs.count};
    intent->scratch += align + intent->attrs.count * each;
    intent->scratch_size -= align + intent->attrs.count * each;
    return true;
}

static void intend_with_attrs(struct wh_composable *self, const struct wh_sampling *in, struct wh_intent *out)
{
    const struct around *own = (struct around *)self;
    static bool told;
    own->inner->get_intent(own->inner, in, out);
    if (!wh_intent_attrs(out, own->attrs) && wh__first_time(&told))
        wh_report(WH_WARNING, "samplers add more attributes than there is room for: those of an outer one are left out");
}

static void describe_attrs(struct wh_composable *self, char *buf, size_t size)
{
    struct wh__text text = {.buf = buf, .size = size};
    wh__put(&text, "ComposableAnnotating{");
    wh__put_composable(&text, ((struct around *)self)->inner);
    wh__put(&text, "}");
}

struct wh_composable *wh_composable_annotating(struct wh_attrs attrs, struct wh_composable *inner)
{
    struct around *made = around_new(inner);
    if (!made) return no_memory();
    made->composable.get_intent = intend_with_attrs;
    made->composable.description = describe_attrs;
    made->attrs = attrs;
    return &made->composable;
}

/* ---- rules ---- */

struct rules {
    struct wh_composable composable;
    size_t count;
    struct wh_rule list[];
};

static void intend_by_rule(struct wh_composable *self, const struct wh_sampling *in, struct wh_intent *out)
{
    const struct rules *rules = (struct rules *)self;
    for (size_t i = 0; i < rules->count; i++) {
        const struct wh_rule *rule = &rules->list[i];
        if (rule->matches && !rule->matches(in, rule->arg)) continue;
        rule->then->get_intent(rule->then, in, out);
        return;
    }
    out->threshold = WH_NO_THRESHOLD;
    out->reliable = false;
}

static void describe_rules(struct wh_composable *self, char *buf, size_t size)
{
    const struct rules *rules = (struct rules *)self;
    struct wh__text text = {.buf = buf, .size = size};
    wh__put(&text, "ComposableRuleBased{");
    for (size_t i = 0; i < rules->count; i++) {
        if (i) wh__put(&text, ",");
        wh__put_composable(&text, rules->list[i].then);
    }
    wh__put(&text, "}");
}

static void shut_down_rules(struct wh_composable *self)
{
    const struct rules *rules = (struct rules *)self;
    for (size_t i = 0; i < rules->count; i++) wh__composable_shut_down(rules->list[i].then);
}

static void destroy_rules(struct wh_composable *self)
{
    struct rules *rules = (struct rules *)self;
    for (size_t i = 0; i < rules->count; i++) wh_composable_free(rules->list[i].then);
    wh__mem_free(rules);
}

struct wh_composable *wh_composable_rule_based(const struct wh_rule *list, size_t count)
{
    struct rules *made = count > SIZE_MAX / sizeof *list - 1 ? NULL : wh__mem_zero(sizeof *made + count * sizeof *list);
    if (!made) {
        for (size_t i = 0; i < count; i++) wh_composable_free(list[i].then);
        return no_memory();
    }
    made->composable = (struct wh_composable){.size = sizeof made->composable, .get_intent = intend_by_rule,
        .description = describe_rules, .shutdown = shut_down_rules, .destroy = destroy_rules};
    made->count = count;
    for (size_t i = 0; i < count; i++) {
        made->list[i] = list[i];
        made->list[i].then = or_off(list[i].then);
    }
    return &made->composable;
}
