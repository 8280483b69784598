/* Who is alive, counted by the place where it was made; and the root of a test, which wants nobody to be. */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <whence/test.h>

#include "base/clock.h"
#include "base/mem.h"
#include "list.h"

/* ---- counting ---- */

static int compare_sites(const struct wh_site *a, const struct wh_site *b)
{
    if (a == b) return 0;
    if (!a || !b) return a ? 1 : -1;
    const int files = strcmp(a->file, b->file);
    if (files || a->line != b->line) return files ? files : a->line < b->line ? -1 : 1;
    return strcmp(a->func, b->func);
}

/* A place in a header is one for every file that includes it: they are compared by what they say. Values have names
 * only. */
static int compare_places(const struct wh__seen *a, const struct wh__seen *b, const struct wh__snapshot *snapshot)
{
    const int sites = compare_sites(a->made, b->made);
    return sites || a->made ? sites : strcmp(snapshot->texts + a->name, snapshot->texts + b->name);
}

static int by_place(const void *a, const void *b, const void *snapshot)
{
    const struct wh__seen *one = a, *other = b;
    const int places = compare_places(one, other, snapshot);
    return places ? places : one->id < other->id ? -1 : one->id > other->id;
}

static int by_age(const void *a, const void *b, const void *unused)
{
    const struct wh__leak *one = a, *other = b;
    (void)unused;
    return one->first->id < other->first->id ? -1 : one->first->id > other->first->id;
}

static void add(struct wh__leak *row, const struct wh__seen *seen)
{
    row->count++;
    row->children += seen->children;
    if (seen->stage == WH__HELD)
        row->held++;
    else if (seen->err)
        row->done++;
    else
        row->open++;
}

int wh__leaks_count(struct wh__snapshot *snapshot, struct wh__leak **rows, size_t *count)
{
    struct wh__leak *all = wh__mem_get((snapshot->count + 1) * sizeof *all);
    if (!all) return ENOMEM;
    size_t n = 0;
    wh__sort(snapshot->list, snapshot->count, sizeof *snapshot->list, by_place, snapshot);
    for (size_t i = 0; i < snapshot->count; i++) {
        const struct wh__seen *seen = &snapshot->list[i];
        if (n == 0 || compare_places(all[n - 1].first, seen, snapshot)) all[n++] = (struct wh__leak){.first = seen};
        add(&all[n - 1], seen);
    }
    wh__sort(all, n, sizeof *all, by_age, NULL);
    *rows = all;
    *count = n;
    return 0;
}

/* ---- the report ---- */

static void put_part(struct wh__out *out, const char **before, size_t count, const char *what)
{
    if (!count) return;
    wh__out_put(out, "%s%zu %s", *before, count, what);
    *before = ", ";
}

static void put_row(struct wh__out *out, const struct wh__snapshot *snapshot, const struct wh__leak *row)
{
    const char *before = ": ";
    wh__out_put(out, "  %zu ", row->count);
    if (row->first->made) {
        wh__out_put(out, "made at ");
        wh__out_site(out, row->first->made);
    } else {
        wh__out_put(out, "with the value ");
        wh__out_plain(out, snapshot->texts + row->first->name);
    }
    wh__out_put(out, row->count == 1 ? ", " : ", the oldest ");
    wh__out_duration(out, wh__until(snapshot->at, row->first->born));
    wh__out_put(out, " old");
    put_part(out, &before, row->open, "open");
    put_part(out, &before, row->done, "done");
    put_part(out, &before, row->held, "ended but held");
    before = "; ";
    put_part(out, &before, row->children, row->children == 1 ? "child" : "children");
    wh__out_put(out, "\n");
}

static int write_report(int fd, struct wh__snapshot *snapshot)
{
    struct wh__leak *rows;
    size_t count;
    struct wh__out *out = wh__out_new(fd);
    if (!out || wh__leaks_count(snapshot, &rows, &count)) {
        wh__mem_free(out);
        return ENOMEM;
    }
    wh__out_put(out, "%zu context%s alive%s\n", snapshot->count, snapshot->count == 1 ? " is" : "s are",
        snapshot->count ? ", by the place where they were made, the oldest first" : "");
    for (size_t i = 0; i < count; i++) put_row(out, snapshot, &rows[i]);
    wh__mem_free(rows);
    return wh__out_end(out);
}

int wh_report_leaks(int fd)
{
    struct wh__snapshot snapshot;
    int rc = wh__snapshot_take(&snapshot);
    if (rc == 0) {
        wh__snapshot_link(&snapshot);
        rc = write_report(fd, &snapshot);
    }
    wh__snapshot_free(&snapshot);
    return rc;
}

/* Drops those that `keep` does not want. The list is still by id, but no tree any more. */
static void filter(struct wh__snapshot *snapshot, bool (*keep)(const struct wh__seen *seen))
{
    size_t kept = 0;
    for (size_t i = 0; i < snapshot->count; i++)
        if (keep(&snapshot->list[i])) snapshot->list[kept++] = snapshot->list[i];
    snapshot->count = kept;
}

static bool is_own(const struct wh__seen *seen)
{
    return !seen->is_inherited;
}

void wh__leaks_at_exit(void)
{
    struct wh__snapshot snapshot;
    if (wh__snapshot_take(&snapshot) == 0) {
        wh__snapshot_link(&snapshot);
        filter(&snapshot, is_own);
        if (snapshot.count) write_report(STDERR_FILENO, &snapshot);
    }
    wh__snapshot_free(&snapshot);
}

/* ---- the root of a test ---- */

wh_ctx *wh_test_root_at(const struct wh_site *site)
{
    wh__live_demand(1);
    return wh_with_cancel_at(NULL, site);
}

/* Parents come before their children in the list. */
static void mark_tree(struct wh__snapshot *snapshot, uint64_t root)
{
    struct wh__seen *list = snapshot->list;
    for (size_t i = 0; i < snapshot->count; i++) {
        const int32_t above = list[i].above;
        list[i].is_below = above != WH__NONE && (list[above].id == root || list[above].is_below);
    }
}

static bool is_leaked(const struct wh__seen *seen)
{
    return seen->is_below && seen->stage == WH__OWNED;
}

static void report_row(const struct wh__snapshot *snapshot, const struct wh__leak *row)
{
    const struct wh_site *site = row->first->made;
    const char *verb = row->count == 1 ? "context was" : "contexts were";
    if (site)
        wh_report(WH_WARNING, "%zu %s not ended, made at %.100s:%d %.100s", row->count, verb, site->file, site->line,
            site->func);
    else
        wh_report(WH_WARNING, "%zu %s not ended, with the value %s", row->count, verb, snapshot->texts + row->first->name);
}

/* SIZE_MAX without memory. */
static size_t count_leaks(struct wh__snapshot *snapshot, uint64_t root)
{
    struct wh__leak *rows;
    size_t count;
    if (wh__snapshot_take(snapshot)) return SIZE_MAX;
    wh__snapshot_link(snapshot);
    mark_tree(snapshot, root);
    filter(snapshot, is_leaked);
    if (wh__leaks_count(snapshot, &rows, &count)) return SIZE_MAX;
    for (size_t i = 0; i < count; i++) report_row(snapshot, &rows[i]);
    wh__mem_free(rows);
    return snapshot->count;
}

size_t wh_test_end(wh_ctx *root)
{
    if (!root) return 0;
    struct wh__snapshot snapshot = {0};
    const struct wh__live_record *record = wh__live_record_of(root);
    if (!(root->flags & WH__IMMORTAL))
        wh__cancel(root, &(struct wh__verdict){.reason = WH_ENDED, .site = root->made, .not_a_loser = true});
    size_t count = record ? count_leaks(&snapshot, record->id) : SIZE_MAX;
    if (count == SIZE_MAX) wh_report(WH_ERROR, "no memory to tell what was not ended");
    wh__snapshot_free(&snapshot);
    wh_end(root);
    wh__live_demand(-1);
    return count;
}
