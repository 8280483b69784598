/* The list that travels as tracestate: W3C Trace Context, level 2, section 3.3. Nothing here allocates. */
#ifndef TRACE_TRACESTATE_H
#define TRACE_TRACESTATE_H

#include <whence/trace.h>

/* Checks the list and writes it without the white space around its members into out, which has room for `size` bytes,
 * terminated. Longer lists lose whole members, those of more than 128 characters first, then from the end. A list that breaks
 * a rule is dropped as a whole: false. An empty one is true and "". */
bool wh__tracestate_read(const char *field, char *out, size_t size);

/* wh_tracestate_set() and, where value is NULL, wh_tracestate_remove(), without saying what was wrong. The value has `len`
 * characters. 0 or EINVAL. */
int wh__tracestate_edit(char *out, size_t size, const char *state, const char *key, const char *value, size_t len);

#endif
