/* A case, line by line. */
#ifndef CASES_H
#define CASES_H

#include <stdint.h>
#include <stdio.h>

void case_begin(void);

/* Does what the line says, up to "->". Returns what it comes to, valid until the next call, or NULL. */
const char *case_do(const char *line);
void case_end(void);

/* Prints random programs of the model, in so far as Go can run them, as cases: with what Whence says to each line. */
void random_cases(int count, uint32_t seed);

#endif
