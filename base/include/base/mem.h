/* Memory from the system, through one door, so that a test can make every allocation fail in turn. */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>

/* Any of these may return NULL. `aligned` takes a power of two; all are freed with wh__mem_free(). */
void *wh__mem_get(size_t size);
void *wh__mem_zero(size_t size);
void *wh__mem_resize(void *old, size_t size);
void *wh__mem_aligned(size_t alignment, size_t size);
void wh__mem_free(void *ptr);

/* Called before each allocation of this thread, if set: false makes it fail. Only tests set it. */
extern _Thread_local bool (*wh__mem_gate)(size_t size);

#endif
