/* A program on the oracle and on Whence, step by step; and, where they differ, as little of it as still does. */
#ifndef MODEL_COMPARE_H
#define MODEL_COMPARE_H

#include "oracle.h"

struct difference {
    int step;        /* of the program; its length: while all that was left was ended */
    char words[400]; /* what it is */
};

/* Runs the program on both, and compares after each step. Returns whether they differ. */
bool differs(const struct program *program, enum wrong wrong, struct difference *difference);

/* Cuts a program that differs down, until whatever else one takes away makes them agree. */
struct program shrunk(const struct program *program, enum wrong wrong);

/* What is to be pasted into a test. */
void print_difference(const struct program *program, enum wrong wrong, FILE *file);

#endif
