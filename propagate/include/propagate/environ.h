/* Names of variables (OpenTelemetry, context/env-carriers.md, Key normalization). */
#ifndef PROPAGATE_ENVIRON_H
#define PROPAGATE_ENVIRON_H

#include <stddef.h>

/* The variable for a field: upper case, '_' in place of all but letters and digits, and before a digit at the beginning; "_" for
 * none. Terminated, cut if it does not fit. Returns its length. */
size_t wh__env_name(char *out, size_t size, const char *field);

#endif
