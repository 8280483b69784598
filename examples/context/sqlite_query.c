/* A query that stops when nobody waits for its answer, and leaves the database as it was: pattern 14, for SQL. */
#include <stdio.h>
#include <string.h>
#include <whence/sqlite.h>

/* Would count for hours. */
static const char endless[] = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n";

static int count(const wh_ctx *ctx, sqlite3 *db)
{
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2(db, endless, -1, &statement, NULL) != SQLITE_OK) return -1;
    WH_AUTO wh_ctx *query = wh_sqlite_start(ctx, statement);
    const int rc = wh_sqlite_step(query, statement); /* SQLITE_INTERRUPT once ctx is done */
    sqlite3_finalize(statement);
    printf("the query: %s, since %s\n", sqlite3_errstr(rc), wh_err(query) ? wh_cause(query)->name : "it is done");
    return wh_err(query);
}

/* Both statements happen, or neither. */
static int transfer(const wh_ctx *ctx, sqlite3 *db)
{
    if (wh_sqlite_exec(ctx, db, "BEGIN") != SQLITE_OK) return -1;
    int rc = wh_sqlite_exec(ctx, db, "UPDATE account SET money = money - 10 WHERE name = 'a'") == SQLITE_OK ? 0 : -1;
    if (rc == 0) rc = count(ctx, db);
    /* Not under ctx, which may be done by now: the end of a transaction must happen in any case. */
    if (sqlite3_exec(db, rc ? "ROLLBACK" : "COMMIT", NULL, NULL, NULL) != SQLITE_OK) return -1;
    return rc;
}

static int print_money(void *unused, int columns, char **values, char **names)
{
    (void)unused, (void)names;
    printf("money: %s\n", columns == 1 ? values[0] : "?");
    return 0;
}

int main(void)
{
    sqlite3 *db = NULL;
    if (sqlite3_open(":memory:", &db) != SQLITE_OK) return 1;
    sqlite3_exec(db, "CREATE TABLE account(name, money); INSERT INTO account VALUES('a', 100)", NULL, NULL, NULL);
    WH_AUTO wh_ctx *request = wh_with_timeout(NULL, WH_MS(100));
    if (transfer(request, db)) puts("rolled back");
    sqlite3_exec(db, "SELECT money FROM account", print_money, NULL, NULL);
    return sqlite3_close(db) == SQLITE_OK ? 0 : 1;
}
