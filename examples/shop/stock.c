/* stock: how many there are, from a SQLite file. A slow count, on request, stops in the middle when nobody wants it any
 * more, and its transaction is rolled back. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <whence/sqlite.h>

#include "shop.h"

enum { ROWS = 20000 };
static const char *file;

/* ---- the database ---- */

static sqlite3 *open_db(void)
{
    sqlite3 *db = NULL;
    if (sqlite3_open(file, &db) == SQLITE_OK) {
        sqlite3_busy_timeout(db, 1000);
        return db;
    }
    sqlite3_close(db);
    return NULL;
}

static int fill_db(void)
{
    char sql[512];
    sqlite3 *db = open_db();
    if (!db) return EIO;
    snprintf(sql, sizeof sql,
        "PRAGMA journal_mode = WAL; BEGIN;"
        "CREATE TABLE IF NOT EXISTS stock(sku TEXT, shelf INTEGER, count INTEGER);"
        "CREATE TABLE IF NOT EXISTS audits(sku TEXT, total INTEGER);"
        "DELETE FROM stock; DELETE FROM audits;"
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)"
        "INSERT INTO stock SELECT 'sku' || (i %% 100), i, i %% 7 FROM n; COMMIT;", ROWS);
    const int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
    sqlite3_close(db);
    return rc == SQLITE_OK ? 0 : EIO;
}

/* ---- three ways to count ---- */

static int ask_db(const wh_ctx *ctx, sqlite3 *db, const char *sql, const char *sku, long *count)
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

/* ---- serving ---- */

static enum MHD_Result handle(const wh_ctx *root, struct MHD_Connection *connection, const char *url, const char *method)
{
    WH_MHD_AUTO wh_ctx *req = wh_mhd_start(root, connection, .method = method, .url = url, .route = "/stock/{sku}",
        .timeout = WH_SEC(10));
    const char *sku = strncmp(url, "/stock/", 7) == 0 ? url + 7 : "", *way = shop_parameter(connection, "stock");
    long count = 0;
    char body[64];
    sqlite3 *db = open_db();
    const int rc = !db ? EIO : strcmp(way, "slow") == 0 ? count_slowly(req, db, sku, &count)
                 : strcmp(way, "stubborn") == 0 ? count_stubbornly(req, &count) : count_quickly(req, db, sku, &count);
    sqlite3_close(db);
    const unsigned status = rc == 0 ? 200 : wh_err(req) ? (unsigned)wh_http_status(req) : 500;
    snprintf(body, sizeof body, rc ? "cannot count\n" : "%ld", count);
    shop_log(req, "stock: GET /stock", status);
    return wh_mhd_reply_text(req, connection, status, "text/plain", body);
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: stock PORT FILE\n");
        return 2;
    }
    file = argv[2];
    WH_AUTO wh_ctx *root = wh_main("stock", .version = "1.0");
    if (fill_db()) {
        fprintf(stderr, "cannot make %s\n", file);
        return 1;
    }
    return shop_serve(root, (unsigned short)atoi(argv[1]), handle);
}
