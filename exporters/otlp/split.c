#include "otlp/split.h"

void wh__otlp_split_begin(struct wh__otlp_split *split, size_t count)
{
    split->depth = 1;
    split->waiting[0] = (struct wh__otlp_range){0, count};
}

bool wh__otlp_split_next(struct wh__otlp_split *split, struct wh__otlp_range *range)
{
    if (split->depth == 0) return false;
    *range = split->waiting[--split->depth];
    return true;
}

void wh__otlp_split_halve(struct wh__otlp_split *split, struct wh__otlp_range range)
{
    const size_t first = range.count - range.count / 2;
    split->waiting[split->depth++] = (struct wh__otlp_range){range.from + first, range.count - first};
    split->waiting[split->depth++] = (struct wh__otlp_range){range.from, first};
}

size_t wh__otlp_split_left(const struct wh__otlp_split *split)
{
    size_t count = 0;
    for (size_t i = 0; i < split->depth; i++) count += split->waiting[i].count;
    return count;
}

bool wh__otlp_slice(const struct wh_batch *batch, struct wh__otlp_range range, struct wh__otlp_room *room,
                    struct wh_batch *part)
{
    struct wh_scope_spans *slices;
    size_t before = 0, used = 0;
    const size_t end = range.from + range.count;
    if (batch->scope_count > SIZE_MAX / 2 / sizeof *slices) return false;
    if (!wh__otlp_room_make(room, batch->scope_count * sizeof *slices)) return false;
    slices = (void *)room->bytes;
    for (size_t i = 0; i < batch->scope_count && before < end; i++) {
        const struct wh_scope_spans *scope = &batch->scopes[i];
        const size_t first = range.from > before ? range.from - before : 0;
        const size_t last = end - before < scope->count ? end - before : scope->count;
        before += scope->count;
        if (first >= last) continue;
        slices[used] = *scope;
        slices[used].spans = scope->spans + first;
        slices[used++].count = last - first;
    }
    *part = *batch;
    part->scopes = slices;
    part->scope_count = used;
    part->count = range.count;
    return true;
}
