/* Memory that lives as long as the model, and texts that are kept once. */
#ifndef TOOLS_WHENCE_STORE_H
#define TOOLS_WHENCE_STORE_H

#include <stddef.h>

/* These end the program where there is no memory. */
void *must_get(size_t size); /* zeroed */
void *must_resize(void *block, size_t count, size_t size);

struct chunk;
struct store {
    struct chunk *chunks;
    char **texts;             /* a table with open addressing */
    size_t text_count, slots; /* a power of two */
};
void *store_room(struct store *store, size_t size); /* zeroed */
const char *store_text(struct store *store, const char *text, size_t len);
void store_free(struct store *store);

#endif
