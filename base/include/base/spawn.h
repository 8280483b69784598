/* The library's own threads: detached, named, deaf to signals, each started at first need. */
#ifndef BASE_SPAWN_H
#define BASE_SPAWN_H

#include <stdbool.h>

/* Starts fn(arg) unless *runs is set already, and sets it. If no thread can be had it says so once, leaves *runs false,
 * and returns false: the next need tries again. `runs` must be cleared in the child of a fork(). */
bool wh__spawn(bool *runs, const char *name, void *(*fn)(void *arg), void *arg);

#endif
