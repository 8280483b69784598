/* A slow count stops in the middle when nobody wants it any more, and its transaction is rolled back. Two others show what not
 * to do. */
#include "count.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <whence/sqlite.h>

int ask_db(const wh_ctx *ctx, sqlite3 *db, const char *sql, const char *sku, long *count)
{
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK) return wh_fail(ctx, EIO, sqlite3_errmsg(db));
    sqlite3_bind_text(statement, 1, sku, -1, SQLITE_TRANSIENT);
    WH_AUTO wh_ctx *query = wh_sqlite_start(ctx, statement);
    int rc = wh_sqlite_step(query, statement);
    if (rc == SQLITE_ROW) *count = (long)sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : wh_err(query) ? wh_err(query) : EIO;
}

static int count_quickly(const wh_ctx *ctx, sqlite3 *db, const char *sku, long *count)
{
    return ask_db(ctx, db, "SELECT sum(count) FROM stock WHERE sku = ?1", sku, count);
}

/* Compares every row with every other: minutes, if it is let. Both statements happen, or neither. */
static int count_slowly(const wh_ctx *ctx, sqlite3 *db, const char *sku, long *count)
{
    long ignored = 0;
    if (wh_sqlite_exec(ctx, db, "BEGIN IMMEDIATE") != SQLITE_OK) return wh_err(ctx) ? wh_err(ctx) : EIO;
    int rc = ask_db(ctx, db, "INSERT INTO audits SELECT ?1, 0", sku, &ignored);
    if (rc == 0)
        rc = ask_db(ctx, db,
            "SELECT sum(a.count) FROM stock a, stock b WHERE a.sku = ?1 AND abs(a.shelf - b.shelf) + b.count > -1 AND "
            "(SELECT max(c.count) FROM stock c WHERE c.shelf % 100 = b.shelf % 100) > -1", sku, count);
    sqlite3_exec(db, rc ? "ROLLBACK" : "COMMIT", NULL, NULL, NULL); /* not under ctx: it must happen in any case */
    if (rc) wh_event(ctx, "transaction rolled back");
    return rc;
}

/* What not to do: half a second of work that never looks whether anybody still wants it. */
static int count_stubbornly(const wh_ctx *ctx, long *count)
{
    WH_AUTO wh_ctx *job = wh_start(ctx, "count by hand");
    const int64_t until = wh_now() + WH_MS(500);
    while (wh_now() < until) nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    *count = 1;
    return wh_err(job);
}

/* What not to do, too: the way out at an error leaves `list` behind, started and never ended. WH_AUTO would have seen to it. */
static int add_cellar(const wh_ctx *ctx, long *count)
{
    wh_ctx *list = wh_start(ctx, "read the list of the cellar");
    FILE *file = fopen("/nonexistent/cellar.csv", "r");
    if (!file) return wh_fail(list, errno, "no list of the cellar");
    *count += fgetc(file);
    fclose(file);
    wh_end(list);
    return 0;
}

static int count_carelessly(const wh_ctx *ctx, sqlite3 *db, const char *sku, long *count)
{
    const int rc = count_quickly(ctx, db, sku, count);
    add_cellar(ctx, count); /* without it the answer is good enough */
    return rc;
}

int count_stock(const wh_ctx *ctx, sqlite3 *db, const char *way, const char *sku, long *count)
{
    if (strcmp(way, "slow") == 0 || strcmp(way, "strict") == 0) return count_slowly(ctx, db, sku, count);
    if (strcmp(way, "reserve") == 0) return reserve(ctx, db, sku, count);
    if (strcmp(way, "stubborn") == 0) return count_stubbornly(ctx, count);
    if (strcmp(way, "careless") == 0) return count_carelessly(ctx, db, sku, count);
    return count_quickly(ctx, db, sku, count);
}
