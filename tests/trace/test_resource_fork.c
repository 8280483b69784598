/* The child of a fork is another instance, and another process: also in the resource that its providers have inherited. */
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"
#include "trace/detect.h"

struct told {
    char id[WH__UUID + 1], creation[WH__TIMESTAMP + 1];
    int64_t pid, parent_pid;
    size_t len;
};

static struct told told;

static void keep_text(char *out, size_t size, const struct wh_attr_view *attr)
{
    snprintf(out, size, "%.*s", (int)attr->as.string.len, attr->as.string.ptr);
}

static bool is(const struct wh_attr_view *attr, const char *key)
{
    return attr->key.len == strlen(key) && memcmp(attr->key.ptr, key, attr->key.len) == 0;
}

static struct told told_by(struct wh_bytes resource)
{
    struct wh_attr_view attr;
    struct told all = {.len = resource.len};
    for (struct wh_cursor at = {resource}; wh_next_resource_attr(&at, &attr);) {
        if (is(&attr, "service.instance.id")) keep_text(all.id, sizeof all.id, &attr);
        if (is(&attr, "process.creation.time")) keep_text(all.creation, sizeof all.creation, &attr);
        if (is(&attr, "process.pid")) all.pid = attr.as.integer;
        if (is(&attr, "process.parent_pid")) all.parent_pid = attr.as.integer;
    }
    return all;
}

static int keep(struct wh_exporter *self, const struct wh_batch *batch, int64_t deadline, size_t *rejected)
{
    (void)self;
    (void)deadline;
    (void)rejected;
    told = told_by(batch->resource);
    return 0;
}

static struct wh_exporter keeper = {.size = sizeof keeper, .name = "keeper", .export_batch = keep};

static bool export_one(wh_provider *provider)
{
    wh_ctx *root = wh_provider_root(provider);
    wh_end(wh_start(root, "one"));
    wh_end(root);
    return wh_provider_flush(provider, WH_SEC(60)) == 0;
}

static wh_provider *provider_of(const wh_resource *base, struct wh_attrs more)
{
    struct wh_exporter *list[] = {&keeper};
    return wh_provider_new(.resource = more, .base = base, .exporters = list, .exporter_count = 1);
}

/* What a child tells, through a pipe, and then its own child. */
static struct told tell(int fd, bool (*fn)(wh_provider *), wh_provider *provider)
{
    told = (struct told){.pid = -1};
    if (fn(provider) && write(fd, &told, sizeof told) == sizeof told) return told;
    _exit(1);
}

static struct told in_child(wh_provider *provider, bool (*fn)(wh_provider *), pid_t *child)
{
    struct told from_child;
    int ends[2], status;
    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    *child = fork_at_rest();
    if (*child == 0) {
        tell(ends[1], fn, provider);
        _exit(0);
    }
    close(ends[1]);
    assert_int_equal(read(ends[0], &from_child, sizeof from_child), sizeof from_child);
    close(ends[0]);
    assert_int_equal(waitpid(*child, &status, 0), *child);
    assert_int_equal(status, 0);
    return from_child;
}

static void a_child_has_an_instance_id_and_a_pid_of_its_own(void **state)
{
    (void)state;
    pid_t child;
    wh_resource *base = wh_resource_detect(WH_DETECT_ALL);
    wh_provider *provider = provider_of(base, (struct wh_attrs){NULL, 0});
    assert_true(export_one(provider));
    const struct told parent = told;
    assert_int_equal(parent.pid, getpid());
    const struct told of_child = in_child(provider, export_one, &child);
    assert_int_equal(strlen(of_child.id), WH__UUID);
    assert_string_not_equal(of_child.id, parent.id);
    assert_int_equal(of_child.id[14], '4');
    assert_int_equal(of_child.pid, child);
    assert_int_equal(of_child.parent_pid, getpid());
    assert_true(strcmp(of_child.creation, parent.creation) >= 0);
    assert_int_equal(of_child.len, parent.len);
    assert_true(export_one(provider));
    assert_string_equal(told.id, parent.id); /* the parent is untouched */
    assert_int_equal(told.pid, getpid());
    wh_resource_free(base);
    wh_provider_shutdown(provider, WH_SEC(60));
}

static bool ask_grandchild(wh_provider *provider)
{
    pid_t child;
    const struct told below = in_child(provider, export_one, &child);
    if (!export_one(provider) || strcmp(told.id, below.id) == 0 || below.pid != child || below.parent_pid != getpid()) return false;
    told = below;
    return true;
}

static void a_grandchild_too(void **state)
{
    (void)state;
    pid_t child;
    wh_resource *base = wh_resource_detect(WH_DETECT_SERVICE | WH_DETECT_PROCESS);
    wh_provider *provider = provider_of(base, (struct wh_attrs){NULL, 0});
    assert_true(export_one(provider));
    const struct told parent = told, below = in_child(provider, ask_grandchild, &child);
    assert_string_not_equal(below.id, parent.id);
    wh_resource_free(base);
    wh_provider_shutdown(provider, WH_SEC(60));
}

static void what_the_program_has_said_itself_stays(void **state)
{
    (void)state;
    pid_t child;
    wh_resource *base = wh_resource_detect(WH_DETECT_ALL);
    wh_provider *provider = provider_of(base, WH_ATTRS(wh_attr("service.instance.id", "mine"), wh_attr("process.pid", 17)));
    const struct told of_child = in_child(provider, export_one, &child);
    assert_string_equal(of_child.id, "mine");
    assert_int_equal(of_child.pid, 17);
    assert_int_equal(of_child.parent_pid, getpid());
    wh_resource_free(base);
    wh_provider_shutdown(provider, WH_SEC(60));
}

static wh_resource *inherited;

static bool use_inherited(wh_provider *unused)
{
    (void)unused;
    wh_resource *own = wh_resource_detect(WH_DETECT_ALL);
    const bool well = export_one(provider_of(inherited, (struct wh_attrs){NULL, 0}));
    const bool same = strcmp(told.id, told_by(wh_resource_bytes(own)).id) == 0;
    wh_resource_free(own);
    return well && same;
}

static void a_provider_that_a_child_makes_of_its_parents_resource_has_the_childs(void **state)
{
    (void)state;
    pid_t child;
    inherited = wh_resource_detect(WH_DETECT_ALL);
    const struct told of_child = in_child(NULL, use_inherited, &child);
    assert_int_equal(of_child.pid, child);
    assert_string_not_equal(of_child.id, told_by(wh_resource_bytes(inherited)).id);
    wh_resource_free(inherited);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_child_has_an_instance_id_and_a_pid_of_its_own),
        cmocka_unit_test(a_grandchild_too),
        cmocka_unit_test(what_the_program_has_said_itself_stays),
        cmocka_unit_test(a_provider_that_a_child_makes_of_its_parents_resource_has_the_childs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
