/* Texts as numbers, and texts within a page of HTML. */
#ifndef TOOLS_WHENCE_PAGE_TEXT_H
#define TOOLS_WHENCE_PAGE_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Which texts were named, in their order: the first is number 0. Texts that the model keeps once are told apart by where they
 * lie; one that lies twice gets two numbers. */
struct texts {
    const char **list;
    size_t count, capacity;
    uint32_t *slots; /* number + 1; open addressing */
    size_t slot_count; /* a power of two */
};
uint32_t texts_number(struct texts *texts, const char *text); /* NULL is "" */
void texts_free(struct texts *texts);

/* A string of JSON that may stand within a script element: nothing in it can end that, or begin another. What is not UTF-8
 * becomes U+FFFD. */
void write_json_text(FILE *out, const char *text);

/* A text between tags. */
void write_html_text(FILE *out, const char *text);

#endif
