/* Sentences, put together. What strangers have written comes in by text_stranger() and what stands on it only: nothing of it is
 * obeyed by a terminal, and it is UTF-8, or ASCII if that is all that is wanted. */
#ifndef TOOLS_WHENCE_TEXT_H
#define TOOLS_WHENCE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model.h"

struct text {
    bool ascii;
    char *buf; /* terminated, once something was put; to be freed by text_free() */
    size_t len, capacity;
};

void text_put(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_stranger(struct text *text, const char *words, unsigned room); /* at most so many columns, the last of them "…" */
void text_name(struct text *text, const struct span *span);              /* GET /order/{sku} (gateway) */
void text_quoted(struct text *text, const char *words);                  /* "connection closed" */
void text_duration(struct text *text, int64_t ns);                       /* 41.2 ms */
void text_since(struct text *text, uint64_t from, uint64_t to);          /* the same; 0 if `to` is before `from` */
void text_free(struct text *text);

#endif
