/* On which machine's clock an instant was read. */
#ifndef PROPAGATE_BOOT_H
#define PROPAGATE_BOOT_H

#include <stdint.h>

/* The same number in two processes: their monotonic clocks are one. A hash of the kernel's boot id (random(4)) and of the time
 * namespace (time_namespaces(7)); 0 where either cannot be read, and then nothing is known. Any thread. */
uint64_t wh__boot(void);

#endif
