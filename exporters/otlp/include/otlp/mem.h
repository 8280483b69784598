/* Memory of this library, through one door, so that a test can make every allocation fail in turn. What libcurl takes
 * goes through its own door, curl_global_init_mem(). */
#ifndef OTLP_MEM_H
#define OTLP_MEM_H

#include <stdbool.h>
#include <stddef.h>

/* Both may return NULL; the second one's memory is all zero. Freed with wh__otlp_mem_free(). */
void *wh__otlp_mem_get(size_t size);
void *wh__otlp_mem_zero(size_t size);
void wh__otlp_mem_free(void *ptr);

/* Called before each allocation, if set: false makes it fail. Only tests set it, while nobody else allocates. */
extern bool (*wh__otlp_mem_gate)(size_t size);

#endif
