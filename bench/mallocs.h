/* Counting allocations: malloc() and its kin, as the whole program and its libraries call them. */
#ifndef MALLOCS_H
#define MALLOCS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How many there have been, on all threads. */
uint64_t mallocs_now(void);

/* Whether those of the libraries are among them, too: tried out. */
bool mallocs_can_be_counted(void);

/* The system's own, uncounted. */
void *plain_malloc(size_t size);
void plain_free(void *ptr);

#endif
