#include <whence/sqlite.h>

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { INSTRUCTIONS = 1000 };

/* Called by SQLite: not 0 interrupts. */
static int is_done(void *ctx)
{
    return wh_err(ctx) != 0;
}

static void guard(sqlite3 *db, const wh_ctx *ctx)
{
    sqlite3_progress_handler(db, INSTRUCTIONS, is_done, (void *)ctx);
}

static void unguard(sqlite3 *db)
{
    sqlite3_progress_handler(db, 0, NULL, NULL);
}

/* ---- the span (semantic conventions, database client spans) ---- */

/* The first word, in capitals: "SELECT". */
static void operation_of(const char *sql, char *word, size_t size)
{
    size_t len = 0;
    while (isspace((unsigned char)*sql)) sql++;
    for (; len + 1 < size && isalpha((unsigned char)sql[len]); len++) word[len] = (char)toupper((unsigned char)sql[len]);
    word[len] = '\0';
}

WH_SCOPE(scope, "whence-sqlite", .version = WH_VERSION)

static wh_ctx *start(const wh_ctx *ctx, sqlite3 *db, const char *sql, const struct wh_site *site)
{
    char operation[16];
    const char *file = sqlite3_db_filename(db, "main");
    const char *slash = file ? strrchr(file, '/') : NULL;
    operation_of(sql, operation, sizeof operation);
    const struct wh_start_opts opts = {.size = sizeof opts, .site = site, .name = *operation ? operation : "sqlite",
        .kind = WH_CLIENT, .scope = &scope};
    wh_ctx *span = wh_start_at(ctx, &opts);
    wh_set(span, "db.system.name", "sqlite");
    wh_set(span, "db.query.text", sql);
    if (*operation) wh_set(span, "db.operation.name", (const char *)operation);
    if (file && *file) wh_set(span, "db.namespace", slash ? slash + 1 : file);
    return span;
}

wh_ctx *wh_sqlite_start_at(const wh_ctx *ctx, sqlite3_stmt *statement, const struct wh_site *site)
{
    const char *sql = sqlite3_sql(statement);
    return start(ctx, sqlite3_db_handle(statement), sql ? sql : "", site);
}

/* An interrupt that the context asked for is no failure of the database. */
static int note(const wh_ctx *ctx, sqlite3 *db, int rc, const struct wh_site *site)
{
    char code[16];
    if (rc == SQLITE_OK || rc == SQLITE_ROW || rc == SQLITE_DONE) return rc;
    if (rc == SQLITE_INTERRUPT && wh_err(ctx)) return rc;
    snprintf(code, sizeof code, "%d", sqlite3_extended_errcode(db));
    wh_set(ctx, "db.response.status_code", (const char *)code);
    wh_fail_at(ctx, EIO, code, sqlite3_errmsg(db), site);
    return rc;
}

/* ---- running ---- */

int wh_sqlite_step_at(const wh_ctx *ctx, sqlite3_stmt *statement, const struct wh_site *site)
{
    sqlite3 *db = sqlite3_db_handle(statement);
    if (wh_err(ctx)) {
        sqlite3_reset(statement);
        return SQLITE_INTERRUPT;
    }
    guard(db, ctx);
    const int rc = sqlite3_step(statement);
    unguard(db);
    if (rc == SQLITE_INTERRUPT) sqlite3_reset(statement);
    return note(ctx, db, rc, site);
}

int wh_sqlite_exec_at(const wh_ctx *ctx, sqlite3 *db, const char *sql, const struct wh_site *site)
{
    WH_AUTO wh_ctx *span = start(ctx, db, sql, site);
    if (wh_err(span)) return SQLITE_INTERRUPT;
    guard(db, span);
    const int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
    unguard(db);
    return note(span, db, rc, site);
}
