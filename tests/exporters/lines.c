#include "lines.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "tools.h"

/* ---- exporting ---- */

void put_ids(struct bytes *b)
{
    put_len(b, WH__SPAN_TRACE_ID, "\x4b\xf9\x2f\x35\x77\xb3\x4d\xa6\xa3\xce\x92\x9d\x0e\x0e\x47\x36", 16);
    put_len(b, WH__SPAN_ID, "\x00\xf0\x67\xaa\x0b\xa9\x02\xb7", 8);
}

int export_spans(struct wh_exporter *file, const struct wh_bytes *spans, size_t count, int64_t deadline,
    size_t *rejected)
{
    static struct bytes resource, scope;
    resource.len = scope.len = 0;
    put_text_attr(&resource, WH__RESOURCE_ATTRIBUTE, "service.name", "orders");
    put_varint(&resource, 2, 7);
    put_text(put_text(&scope, WH__SCOPE_NAME, "whence"), WH__SCOPE_VERSION, "0.1.0");
    put_text_attr(&scope, WH__SCOPE_ATTRIBUTE, "scoped", "yes");
    put_varint(&scope, 4, 8);
    const struct wh_scope_spans of_scope = {.scope = bytes_of(&scope), .spans = spans, .count = count};
    const struct wh_batch batch = {.size = sizeof batch, .resource = bytes_of(&resource), .scopes = &of_scope,
        .scope_count = 1, .count = count};
    *rejected = 0;
    return file->export_batch(file, &batch, deadline, rejected);
}

int export_small(struct wh_exporter *file, int64_t deadline)
{
    static struct bytes b;
    size_t rejected;
    b.len = 0;
    put_ids(&b);
    const struct wh_bytes span = bytes_of(put_text(&b, WH__SPAN_NAME, "small"));
    return export_spans(file, &span, 1, deadline, &rejected);
}

int export_small_below(struct wh_exporter *file, rlim_t size)
{
    const struct rlimit before = limit_file_size(size);
    const int rc = export_small(file, WH_NEVER);
    lift_limit(before);
    return rc;
}

int export_large(struct wh_exporter *file, size_t size, int64_t deadline)
{
    static struct bytes b;
    static char name[60000];
    struct wh_bytes spans[16];
    size_t rejected, count = size / 50000 + 1;
    memset(name, 'x', sizeof name);
    name[size < 50000 ? size : 50000] = '\0';
    b.len = 0;
    put_ids(&b);
    spans[0] = bytes_of(put_text(&b, WH__SPAN_NAME, name));
    for (size_t i = 1; i < count; i++) spans[i] = spans[0];
    return export_spans(file, spans, count, deadline, &rejected);
}

/* ---- files ---- */

char folder[] = "/tmp/whence-file-XXXXXX";
char path[64];
char content[8 << 20];

const char *in_folder(const char *name)
{
    snprintf(path, sizeof path, "%s/%s", folder, name);
    unlink(path);
    return path;
}

int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

int remove_folder(void **state)
{
    (void)state;
    in_folder("lines");
    in_folder("fifo");
    in_folder("shared");
    return rmdir(folder);
}

const char *read_file(const char *name)
{
    FILE *file = fopen(name, "r");
    if (!file) fail_msg("%s: %s", name, strerror(errno));
    read_from_start(file, content, sizeof content);
    fclose(file);
    return content;
}

void assert_readable(const char *name, long lines, long spans)
{
    char command[512];
    long found_lines = -1, found_spans = -1;
    snprintf(command, sizeof command, "python3 '%s' '%s'", OTLP_JSON, name);
    FILE *answer = popen(command, "r");
    assert_non_null(answer);
    assert_int_equal(fscanf(answer, "%ld %ld", &found_lines, &found_spans), 2);
    assert_int_equal(pclose(answer), 0);
    assert_int_equal(found_lines, lines);
    assert_int_equal(found_spans, spans);
}
