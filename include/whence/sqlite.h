/* whence/sqlite.h: Whence in SQLite. Library whence-sqlite.
 *
 *   WH_AUTO wh_ctx *query = wh_sqlite_start(ctx, statement);
 *   while ((rc = wh_sqlite_step(query, statement)) == SQLITE_ROW)
 *       ...
 */
#ifndef WHENCE_SQLITE_H
#define WHENCE_SQLITE_H

#include <sqlite3.h>
#include <whence/whence.h>

WH_BEGIN_DECLS

/* Starts a client span for a statement, with the attributes of the database conventions. An owner. */
#define wh_sqlite_start(ctx, statement) wh_sqlite_start_at((ctx), (statement), WH_HERE)
WH_API WH_OWNER_ wh_ctx *wh_sqlite_start_at(const wh_ctx *ctx, sqlite3_stmt *statement, const struct wh_site *site);

/* sqlite3_step() that stops when ctx is done: it looks every thousand instructions of SQLite's machine, some tens of
 * microseconds, and before it begins. Then it returns SQLITE_INTERRUPT, the statement is reset, and what it has changed is
 * undone as SQLite does for every interrupted statement; an open transaction is the caller's to roll back. An error of
 * SQLite's is put on the span. Uses the connection's progress handler, and clears it. */
#define wh_sqlite_step(ctx, statement) wh_sqlite_step_at((ctx), (statement), WH_HERE)
WH_API int wh_sqlite_step_at(const wh_ctx *ctx, sqlite3_stmt *statement, const struct wh_site *site);

/* sqlite3_exec() in the same way, with a span of its own. */
#define wh_sqlite_exec(ctx, db, sql) wh_sqlite_exec_at((ctx), (db), (sql), WH_HERE)
WH_API int wh_sqlite_exec_at(const wh_ctx *ctx, sqlite3 *db, const char *sql, const struct wh_site *site);

WH_END_DECLS
#endif
