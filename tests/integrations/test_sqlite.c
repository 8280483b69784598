/* SQLite under a context: a real database file, statements that would run for minutes, and what is in the file afterwards. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <whence/sqlite.h>

#include "scopes.h"
#include "test.h"

static const char endless[] =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000) SELECT sum(i) FROM n";
static char file[] = "/tmp/whence-test-XXXXXX";

static sqlite3 *open_file(void)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
    return db;
}

static long ask(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement;
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    const long answer = (long)sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return answer;
}

static int make_file(void **state)
{
    (void)state;
    close(mkstemp(file));
    sqlite3 *db = open_file();
    assert_int_equal(sqlite3_exec(db, "CREATE TABLE t(a); INSERT INTO t VALUES (1), (2), (3)", NULL, NULL, NULL), SQLITE_OK);
    return sqlite3_close(db);
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(file);
}

static void spans_are_of_the_integrations_scope(void **state)
{
    (void)state;
    struct spans spans = spans_with_scopes();
    sqlite3 *db = open_file();
    assert_int_equal(wh_sqlite_exec(spans.root, db, "select 1"), SQLITE_OK);
    sqlite3_close(db);
    spans_end(&spans);
    assert_true(was_of_scope("whence-sqlite"));
}

static void a_query_gives_its_rows_and_a_span(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    sqlite3 *db = open_file();
    sqlite3_stmt *statement;
    assert_int_equal(sqlite3_prepare_v2(db, " select a from t order by a", -1, &statement, NULL), SQLITE_OK);
    wh_ctx *query = wh_sqlite_start(spans.root, statement);
    int rows = 0;
    while (wh_sqlite_step(query, statement) == SQLITE_ROW) assert_int_equal(sqlite3_column_int(statement, 0), ++rows);
    assert_int_equal(rows, 3);
    wh_end(query);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    const struct wh_span_view span = span_named(&spans, "SELECT");
    assert_int_equal(span.kind, WH_CLIENT);
    assert_string_equal(span_text(&span, "db.system.name"), "sqlite");
    assert_string_equal(span_text(&span, "db.operation.name"), "SELECT");
    assert_string_equal(span_text(&span, "db.query.text"), " select a from t order by a");
    assert_string_equal(span_text(&span, "db.namespace"), strrchr(file, '/') + 1);
    assert_int_equal(span.status, WH_STATUS_UNSET);
    spans_end(&spans);
}

static void *cancel_soon(void *arg)
{
    usleep(50000);
    wh_cancel((wh_ctx *)arg, WH_CLIENT_GONE, "left");
    return NULL;
}

static void an_endless_query_ends_when_its_context_does(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    sqlite3 *db = open_file();
    sqlite3_stmt *statement;
    pthread_t canceller;
    wh_ctx *request = wh_start(spans.root, "request");
    assert_int_equal(sqlite3_prepare_v2(db, endless, -1, &statement, NULL), SQLITE_OK);
    wh_ctx *query = wh_sqlite_start(request, statement);
    const int64_t begun = wh_now();
    pthread_create(&canceller, NULL, cancel_soon, request);
    assert_int_equal(wh_sqlite_step(query, statement), SQLITE_INTERRUPT);
    assert_true(wh_now() - begun >= WH_MS(49));
    assert_true(wh_now() - begun < WH_SEC(10));
    pthread_join(canceller, NULL);
    /* once more: it does not even begin */
    assert_int_equal(wh_sqlite_step(query, statement), SQLITE_INTERRUPT);
    wh_end(query);
    wh_end(request);
    sqlite3_finalize(statement);
    assert_int_equal(ask(db, "SELECT count(*) FROM t"), 3); /* the connection is as good as before */
    sqlite3_close(db);
    const struct wh_span_view span = span_named(&spans, "WITH");
    assert_string_equal(span_text(&span, "whence.cancel.reason"), "client_gone");
    assert_int_equal(span.status, WH_STATUS_UNSET);
    assert_false(span_has(&span, "error.type"));
    spans_end(&spans);
}

static void an_interrupted_change_leaves_nothing(void **state)
{
    (void)state;
    sqlite3 *db = open_file();
    WH_AUTO wh_ctx *ctx = wh_with_timeout(NULL, WH_MS(50));
    assert_int_equal(wh_sqlite_exec(ctx, db, "BEGIN"), SQLITE_OK);
    assert_int_equal(wh_sqlite_exec(ctx, db, "INSERT INTO t VALUES (4)"), SQLITE_OK);
    assert_int_equal(wh_sqlite_exec(ctx, db,
        "INSERT INTO t WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000) SELECT i FROM n"),
        SQLITE_INTERRUPT);
    sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    assert_int_equal(ask(db, "SELECT count(*) FROM t"), 3);
    sqlite3_close(db);
    db = open_file();
    assert_int_equal(ask(db, "SELECT count(*) FROM t"), 3);
    sqlite3_stmt *check;
    assert_int_equal(sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &check, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(check), SQLITE_ROW);
    assert_string_equal((const char *)sqlite3_column_text(check, 0), "ok");
    sqlite3_finalize(check);
    sqlite3_close(db);
}

static void sqlites_own_errors_are_on_the_span(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    sqlite3 *db = open_file();
    assert_int_equal(wh_sqlite_exec(spans.root, db, "INSERT INTO nowhere VALUES (1)"), SQLITE_ERROR);
    sqlite3_close(db);
    const struct wh_span_view span = span_named(&spans, "INSERT");
    assert_int_equal(span.status, WH_STATUS_ERROR);
    assert_string_equal(span_text(&span, "error.type"), "1");
    assert_string_equal(span_text(&span, "db.response.status_code"), "1");
    assert_memory_equal(span.status_text.ptr, "no such table: nowhere", 22);
    spans_end(&spans);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spans_are_of_the_integrations_scope),
        cmocka_unit_test(a_query_gives_its_rows_and_a_span),
        cmocka_unit_test(an_endless_query_ends_when_its_context_does),
        cmocka_unit_test(an_interrupted_change_leaves_nothing),
        cmocka_unit_test(sqlites_own_errors_are_on_the_span),
    };
    return cmocka_run_group_tests_name("sqlite", tests, make_file, remove_file);
}
