/* Random values, as the library is given them, and written down as what was asked for. */
#ifndef ROUNDTRIP_VALUE_H
#define ROUNDTRIP_VALUE_H

#include <stdio.h>
#include <whence/whence.h>

/* ---- chance ---- */

uint64_t rand_word(void); /* splitmix64 */
void rand_seed(uint64_t seed);
uint64_t below(uint64_t n); /* 0 to n - 1; n: not 0 */
bool one_in(uint64_t n);

/* ---- memory for one span: taken piece by piece, given back all at once ---- */

void *take(size_t size);
size_t taken(void);
void give_back(size_t to); /* what has been taken since taken() said `to` */

/* ---- values ---- */

struct text { char *ptr; size_t len; }; /* terminated as well; may hold NUL bytes where a length is given to the library */

struct text some_bytes(size_t len);
struct text some_text(bool terminated); /* of any length, well-formed or not; terminated: without NUL bytes */
const char *some_key(void);
const char *some_name(void);

/* Of any type. Arrays and maps stand within each other a few levels deep; now and then a chain of them has `deepest`. */
extern int deepest;
struct wh_attr some_attr(const char *key);

/* Some of their keys may come twice. */
struct wh_attrs some_attrs(size_t most);

/* ---- writing it down: JSON, every string as the hex digits of its bytes ---- */

void put_hex(FILE *out, const void *bytes, size_t len);
void put_text(FILE *out, const char *text); /* null for NULL */
void put_value(FILE *out, const struct wh_attr *attr);
void put_attrs(FILE *out, struct wh_attrs attrs);

#endif
