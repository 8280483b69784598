/* stock: how many there are, from a SQLite file. The query says how to count (count.c, reserve.c). */
#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "count.h"
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

/* ---- serving ---- */

static enum MHD_Result handle(const wh_ctx *root, struct MHD_Connection *connection, const char *url, const char *method)
{
    const char *sku = strncmp(url, "/stock/", 7) == 0 ? url + 7 : "", *way = shop_parameter(connection, "stock");
    WH_MHD_AUTO wh_ctx *req = wh_mhd_start(root, connection, .method = method, .url = url, .route = "/stock/{sku}",
        .timeout = strcmp(way, "strict") == 0 ? WH_MS(200) : WH_SEC(10));
    long count = 0;
    char body[64];
    sqlite3 *db = open_db();
    const int rc = db ? count_stock(req, db, way, sku, &count) : EIO;
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
