/* A transaction that is stopped in the middle: what it has written is gone, and nobody has seen it. */
#include <errno.h>
#include <stdio.h>
#include <whence/sqlite.h>

#include "count.h"

/* All orders against all others: minutes, if it is let. */
static const char AUDIT[] = "SELECT count(*) FROM stock a, stock b, stock c WHERE a.sku = ?1 AND a.shelf + b.shelf + c.shelf > -1";

static int take_one(const wh_ctx *ctx, sqlite3 *db, const char *sku, long *count)
{
    long ignored = 0;
    const int rc = ask_db(ctx, db, "UPDATE stock SET count = count - 1 WHERE sku = ?1", sku, &ignored);
    if (rc) return rc;
    fprintf(stderr, "stock: reserved, not committed\n");
    return ask_db(ctx, db, AUDIT, sku, count);
}

int reserve(const wh_ctx *ctx, sqlite3 *db, const char *sku, long *count)
{
    WH_AUTO wh_ctx *op = wh_start(ctx, "reserve");
    if (wh_sqlite_exec(op, db, "BEGIN IMMEDIATE") != SQLITE_OK) return wh_err(op) ? wh_err(op) : EIO;
    const int rc = take_one(op, db, sku, count);
    sqlite3_exec(db, rc ? "ROLLBACK" : "COMMIT", NULL, NULL, NULL); /* not under op: it must happen in any case */
    wh_event(op, rc ? "transaction rolled back" : "transaction committed");
    return rc;
}
