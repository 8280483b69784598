#include "base/mem.h"
#include "base/text.h"
#include "trace/sampler.h"

enum { ROOT, REMOTE_SAMPLED, REMOTE_NOT, LOCAL_SAMPLED, LOCAL_NOT, BRANCHES };

struct parent_based {
    struct wh_sampler sampler;
    struct wh_sampler *branches[BRANCHES];
    bool is_plain; /* the children's are those that it has by itself */
};

static int branch_of(const struct wh_span_context *parent)
{
    if (!parent) return ROOT;
    return (parent->remote ? REMOTE_SAMPLED : LOCAL_SAMPLED) + !(parent->flags & WH_SAMPLED);
}

static void should_sample(struct wh_sampler *self, const struct wh_sampling *in, struct wh_sampled *out)
{
    struct wh_sampler *branch = ((struct parent_based *)self)->branches[branch_of(in->parent_span)];
    branch->should_sample(branch, in, out);
}

static void describe(struct wh_sampler *self, char *buf, size_t size)
{
    static const char *const names[BRANCHES] = {"ParentBased{root:", ",remoteParentSampled:", ",remoteParentNotSampled:",
        ",localParentSampled:", ",localParentNotSampled:"};
    struct wh__text text = {.buf = buf, .size = size};
    for (int i = 0; i < BRANCHES; i++) {
        wh__put(&text, "%s", names[i]);
        wh__put_sampler(&text, ((struct parent_based *)self)->branches[i]);
    }
    wh__put(&text, "}");
}

static void shut_down(struct wh_sampler *self)
{
    for (int i = 0; i < BRANCHES; i++) wh__sampler_shut_down(((struct parent_based *)self)->branches[i]);
}

static void destroy(struct wh_sampler *self)
{
    for (int i = 0; i < BRANCHES; i++) wh_sampler_free(((struct parent_based *)self)->branches[i]);
    wh__mem_free(self);
}

static struct wh_sampler *no_memory(const struct wh_parent_based_opts *opts)
{
    wh_sampler_free(opts->root);
    wh_sampler_free(opts->remote_sampled);
    wh_sampler_free(opts->remote_not_sampled);
    wh_sampler_free(opts->local_sampled);
    wh_sampler_free(opts->local_not_sampled);
    wh__sampler_no_memory();
    return &wh__always_off;
}

static struct wh_sampler *on_unless(struct wh_sampler *given)
{
    return given ? given : &wh__always_on;
}

static struct wh_sampler *off_unless(struct wh_sampler *given)
{
    return given ? given : &wh__always_off;
}

static bool is_plain(struct wh_sampler *const branches[BRANCHES])
{
    return branches[REMOTE_SAMPLED] == &wh__always_on && branches[LOCAL_SAMPLED] == &wh__always_on &&
           branches[REMOTE_NOT] == &wh__always_off && branches[LOCAL_NOT] == &wh__always_off;
}

struct wh_sampler *wh_sampler_parent_based_at(const struct wh_parent_based_opts *given)
{
    struct wh_parent_based_opts opts = {0};
    memcpy(&opts, given, given->size < sizeof opts ? given->size : sizeof opts);
    struct parent_based *made = wh__mem_zero(sizeof *made);
    if (!made) return no_memory(&opts);
    made->sampler = (struct wh_sampler){.size = sizeof made->sampler, .should_sample = should_sample, .description = describe,
        .shutdown = shut_down, .destroy = destroy};
    made->branches[ROOT] = on_unless(opts.root);
    made->branches[REMOTE_SAMPLED] = on_unless(opts.remote_sampled);
    made->branches[REMOTE_NOT] = off_unless(opts.remote_not_sampled);
    made->branches[LOCAL_SAMPLED] = on_unless(opts.local_sampled);
    made->branches[LOCAL_NOT] = off_unless(opts.local_not_sampled);
    made->is_plain = is_plain(made->branches);
    return &made->sampler;
}

struct wh_sampler *wh__default_sampler(void)
{
    static struct parent_based based = {
        .sampler = {.size = sizeof based.sampler, .should_sample = should_sample, .description = describe},
        .branches = {&wh__always_on, &wh__always_on, &wh__always_off, &wh__always_on, &wh__always_off}, .is_plain = true};
    return &based.sampler;
}

const struct wh_sampler *wh__parent_based_root(const struct wh_sampler *sampler)
{
    const struct parent_based *based = (const struct parent_based *)sampler;
    return sampler->should_sample == should_sample && based->is_plain ? based->branches[ROOT] : NULL;
}
