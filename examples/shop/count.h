/* Ways to count what is in stock. */
#ifndef COUNT_H
#define COUNT_H

#include <sqlite3.h>
#include <whence/whence.h>

/* One statement with the sku as its parameter, and the number of its first row, if it has one. 0, the context's error, EIO. */
int ask_db(const wh_ctx *ctx, sqlite3 *db, const char *sql, const char *sku, long *count);

/* By the way's name, "" is the quick one. */
int count_stock(const wh_ctx *ctx, sqlite3 *db, const char *way, const char *sku, long *count);

/* reserve.c: takes one, and looks through the books before it commits. */
int reserve(const wh_ctx *ctx, sqlite3 *db, const char *sku, long *count);

#endif
