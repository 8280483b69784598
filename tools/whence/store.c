#include "store.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 256 << 10, FIRST_SLOTS = 1024 };

struct chunk {
    struct chunk *next;
    size_t size, used;
    alignas(max_align_t) char bytes[];
};

/* A program that only reads has nothing to save. */
static void *or_leave(void *block)
{
    if (block) return block;
    fputs("whence: out of memory\n", stderr);
    exit(2);
}

void *must_get(size_t size)
{
    return or_leave(calloc(1, size ? size : 1));
}

void *must_resize(void *block, size_t count, size_t size)
{
    return or_leave(count > SIZE_MAX / size ? NULL : realloc(block, count ? count * size : 1));
}

/* ---- room ---- */

/* What is large gets a chunk of its own, behind the one that is being filled. */
static struct chunk *chunk_for(struct store *store, size_t size)
{
    struct chunk *first = store->chunks;
    if (first && first->size - first->used >= size) return first;
    const size_t room = size > CHUNK / 4 ? size : CHUNK;
    struct chunk *chunk = must_get(sizeof *chunk + room);
    chunk->size = room;
    if (first && room == size) {
        chunk->next = first->next;
        first->next = chunk;
    } else {
        chunk->next = first;
        store->chunks = chunk;
    }
    return chunk;
}

void *store_room(struct store *store, size_t size)
{
    size = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
    struct chunk *chunk = chunk_for(store, size);
    void *room = chunk->bytes + chunk->used;
    chunk->used += size;
    return room;
}

/* Texts need no alignment. */
static char *text_room(struct store *store, size_t size)
{
    struct chunk *chunk = chunk_for(store, size);
    char *room = chunk->bytes + chunk->used;
    const size_t left = chunk->size - chunk->used, whole = (size + 7) & ~(size_t)7;
    chunk->used += whole < left ? whole : left;
    return room;
}

/* ---- texts ---- */

static uint64_t hash_of(const char *text, size_t len)
{
    uint64_t hash = 0xcbf29ce484222325; /* FNV-1a */
    for (size_t i = 0; i < len; i++) hash = (hash ^ (unsigned char)text[i]) * 0x100000001b3;
    return hash ^ hash >> 32;
}

static char **slot_of(char **texts, size_t slots, const char *text, size_t len)
{
    size_t i = hash_of(text, len) & (slots - 1);
    while (texts[i] && (strncmp(texts[i], text, len) != 0 || texts[i][len])) i = (i + 1) & (slots - 1);
    return &texts[i];
}

static void make_slots(struct store *store)
{
    if (store->text_count * 2 < store->slots) return;
    const size_t slots = store->slots ? store->slots * 2 : FIRST_SLOTS;
    char **texts = must_get(slots * sizeof *texts);
    for (size_t i = 0; i < store->slots; i++)
        if (store->texts[i]) *slot_of(texts, slots, store->texts[i], strlen(store->texts[i])) = store->texts[i];
    free(store->texts);
    store->texts = texts;
    store->slots = slots;
}

const char *store_text(struct store *store, const char *text, size_t len)
{
    make_slots(store);
    char **slot = slot_of(store->texts, store->slots, text, len);
    if (*slot) return *slot;
    *slot = text_room(store, len + 1);
    memcpy(*slot, text, len);
    store->text_count++;
    return *slot;
}

void store_free(struct store *store)
{
    for (struct chunk *chunk = store->chunks, *next; chunk; chunk = next) {
        next = chunk->next;
        free(chunk);
    }
    free(store->texts);
    *store = (struct store){0};
}
