/* What a variable says (OpenTelemetry, configuration/sdk-environment-variables.md and configuration/common.md): an empty one
 * counts as unset; words are compared without regard to case; what is not understood is said in one line, and the variable then
 * counts as unset. Space around a value does not matter. */
#ifndef MAIN_VALUES_H
#define MAIN_VALUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <whence/base.h>

/* ---- text ---- */

/* A whole number from `least` to `most`, decimal digits alone: 0; EINVAL if it is none; ERANGE if it lies outside. *out stays as
 * it is unless 0. */
int wh__parse_number(const char *text, uint64_t least, uint64_t most, uint64_t *out);

/* A fraction from 0 to 1 with a decimal point, whatever the locale of the program writes. Likewise. */
int wh__parse_ratio(const char *text, double *out);

/* "true" or "false". */
int wh__parse_bool(const char *text, bool *out);

/* Which of the words, ended by NULL, it is: its index, or -1. */
int wh__parse_word(const char *text, const char *const *words);

/* Undoes percent-encoding in place. False if it is malformed or stands for a zero byte; `text` may then be in any state. */
bool wh__decode(char *text);

/* Cuts space off both ends, in place. */
char *wh__trimmed(char *text);

/* ---- variables ---- */

/* NULL if it is unset or empty. */
const char *wh__env(const char *name);

/* Says that it is ignored, and why: "is not understood" if that is NULL. */
void wh__env_ignored(const char *name, const char *value, const char *why);

/* Each returns whether the variable says it, and otherwise leaves *out as it is. */
bool wh__env_number(const char *name, uint64_t least, uint64_t most, uint64_t *out);
bool wh__env_size(const char *name, uint32_t least, uint32_t *out);
bool wh__env_bool(const char *name, bool *out);
bool wh__env_word(const char *name, const char *const *words, int *out);

/* Milliseconds, as nanoseconds. A timeout of 0 is no limit, and becomes WH_NEVER; a delay of 0 is the shortest that there is,
 * since in the options 0 asks for the default. */
bool wh__env_timeout(const char *name, int64_t *out);
bool wh__env_delay(const char *name, int64_t *out);

#endif
