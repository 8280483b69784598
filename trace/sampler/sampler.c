/* What is common to all samplers: words for them, their end; and what wh_start() does in their place. */
#include "trace/sampler.h"

#include "base/text.h"

/* ---- words ---- */

char *wh_sampler_description(struct wh_sampler *sampler, char *buf, size_t size)
{
    if (size) buf[0] = '\0';
    if (size && sampler->description) sampler->description(sampler, buf, size);
    return buf;
}

void wh__put_sampler(struct wh__text *text, struct wh_sampler *sampler)
{
    char words[512];
    wh__put(text, "%s", wh_sampler_description(sampler, words, sizeof words));
}

void wh__put_composable(struct wh__text *text, struct wh_composable *composable)
{
    char words[512] = "";
    if (composable->description) composable->description(composable, words, sizeof words);
    wh__put(text, "%s", words);
}

void wh__put_ratio(struct wh__text *text, double ratio)
{
    const unsigned millionths = (unsigned)(ratio * 1e6 + 0.5);
    wh__put(text, "%u.%06u", millionths / 1000000, millionths % 1000000);
}

void wh__sampler_no_memory(void)
{
    static bool told;
    if (wh__first_time(&told)) wh_report(WH_ERROR, "no memory for a sampler: nothing is sampled in its place");
}

/* ---- their end ---- */

void wh_sampler_free(struct wh_sampler *sampler)
{
    if (sampler && sampler->destroy) sampler->destroy(sampler);
}

void wh_composable_free(struct wh_composable *composable)
{
    if (composable && composable->destroy) composable->destroy(composable);
}

/* ---- without asking ---- */

void wh__sampler_plan(wh_provider *provider)
{
    if (!provider->sampler) provider->sampler = wh__default_sampler();
    const struct wh_sampler *root = wh__parent_based_root(provider->sampler);
    provider->asks_for_children = !root || provider->ids;
    provider->asks_for_roots = !root || provider->ids || !wh__sampler_threshold(root, &provider->root_threshold);
}
