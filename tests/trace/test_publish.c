/* The process context, read as others would: by the name of its mapping, through the kernel. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "left_out.h"
#include "gate.h"
#include "test.h"

struct header {
    char signature[8];
    uint32_t version, payload_size;
    uint64_t published, payload;
};

struct context {
    struct header header;
    char bytes[8192];
    int mappings;
};

static bool is_context(const char *line)
{
    const char *name = strchr(line, '/') ? strchr(line, '/') : strchr(line, '[');
    return name && (strncmp(name, "/memfd:OTEL_CTX", 15) == 0 || strncmp(name, "[anon_shmem:OTEL_CTX]", 21) == 0 ||
                    strncmp(name, "[anon:OTEL_CTX]", 15) == 0);
}

static bool read_memory(uint64_t address, void *to, size_t size)
{
    const struct iovec local = {to, size}, remote = {(void *)(uintptr_t)address, size};
    return process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == (ssize_t)size;
}

static struct context read_context(void)
{
    static struct context found;
    char line[512];
    FILE *maps = fopen("/proc/self/maps", "r");
    memset(&found, 0, sizeof found);
    while (fgets(line, sizeof line, maps)) {
        uint64_t start;
        if (!is_context(line) || sscanf(line, "%" SCNx64, &start) != 1) continue;
        found.mappings++;
        if (!read_memory(start, &found.header, sizeof found.header) || found.header.payload_size > sizeof found.bytes ||
            !read_memory(found.header.payload, found.bytes, found.header.payload_size))
            found.mappings = -1;
    }
    fclose(maps);
    return found;
}

/* ProcessContext: field 1 is the resource, and there is no other. */
static const char *text_of(const struct context *context, const char *key)
{
    static char text[256];
    const uint8_t *p = (const uint8_t *)context->bytes;
    size_t len = 0, at = 1;
    if (p[0] != 0x0a) return NULL;
    for (unsigned shift = 0;; shift += 7) {
        len |= (size_t)(p[at] & 0x7f) << shift;
        if (!(p[at++] & 0x80)) break;
    }
    if (at + len != context->header.payload_size) return NULL;
    struct wh_attr_view attr;
    for (struct wh_cursor cursor = {{p + at, len}}; wh_next_resource_attr(&cursor, &attr);) {
        if (attr.key.len != strlen(key) || memcmp(attr.key.ptr, key, attr.key.len)) continue;
        snprintf(text, sizeof text, "%.*s", (int)attr.as.string.len, attr.as.string.ptr);
        return text;
    }
    return NULL;
}

static int publish_named(const char *service)
{
    wh_resource *r = wh_resource_new(WH_ATTRS(wh_attr("service.name", service), wh_attr("empty", "")), NULL);
    wh_resource *detected = wh_resource_detect(WH_DETECT_SERVICE), *both = wh_resource_merge(detected, r);
    const int rc = wh_resource_publish(both);
    wh_resource_free(r);
    wh_resource_free(detected);
    wh_resource_free(both);
    return rc;
}

static const char unreadable[] = "nobody may read the memory of a process here";

static void a_reader_outside_finds_the_resource(void **state)
{
    (void)state;
    assert_int_equal(publish_named("orders"), 0);
    const struct context context = read_context();
    if (context.mappings == -1) LEFT_OUT("the process context", unreadable);
    assert_int_equal(context.mappings, 1);
    assert_memory_equal(context.header.signature, "OTEL_CTX", 8);
    assert_int_equal(context.header.version, 2);
    assert_true(context.header.published > 0);
    assert_string_equal(text_of(&context, "service.name"), "orders");
    assert_string_equal(text_of(&context, "empty"), "");
    assert_int_equal(strlen(text_of(&context, "service.instance.id")), 36);
}

static void what_is_published_later_takes_its_place(void **state)
{
    (void)state;
    assert_int_equal(publish_named("first"), 0);
    const struct context first = read_context();
    if (first.mappings == -1) LEFT_OUT("the process context", unreadable);
    assert_int_equal(publish_named("a longer name than that"), 0);
    const struct context second = read_context();
    assert_int_equal(second.mappings, 1);
    assert_true(second.header.published > first.header.published);
    assert_string_equal(text_of(&second, "service.name"), "a longer name than that");
}

/* What a child sees: 0 if all is well, or the number of what is not. */
static int look_in_child(const char *parents_id)
{
    const struct context context = read_context();
    if (context.mappings != 1) return 1;
    const char *service = text_of(&context, "service.name");
    if (!service || strcmp(service, "parent")) return 2;
    const char *id = text_of(&context, "service.instance.id");
    if (!id || strlen(id) != 36 || strcmp(id, parents_id) == 0) return 3;
    return publish_named("child") ? 4 : 0;
}

static void a_child_of_a_fork_shows_its_own(void **state)
{
    (void)state;
    char id[64];
    int status;
    assert_int_equal(publish_named("parent"), 0);
    const struct context before = read_context();
    if (before.mappings == -1) LEFT_OUT("the process context", unreadable);
    snprintf(id, sizeof id, "%s", text_of(&before, "service.instance.id"));
    fflush(NULL);
    const pid_t child = fork_at_rest();
    if (child == 0) _exit(look_in_child(id));
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    const struct context after = read_context();
    assert_string_equal(text_of(&after, "service.name"), "parent");
    assert_string_equal(text_of(&after, "service.instance.id"), id);
}

static void without_memory_the_last_one_stays(void **state)
{
    (void)state;
    assert_int_equal(publish_named("kept"), 0);
    for (size_t n = 0; n < 2; n++) {
        memory_ends_after(n);
        const int rc = wh_resource_publish(NULL);
        memory_is_back();
        assert_int_equal(rc, ENOMEM);
    }
    const struct context context = read_context();
    if (context.mappings == -1) LEFT_OUT("the process context", unreadable);
    assert_string_equal(text_of(&context, "service.name"), "kept");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reader_outside_finds_the_resource),
        cmocka_unit_test(what_is_published_later_takes_its_place),
        cmocka_unit_test(a_child_of_a_fork_shows_its_own),
        cmocka_unit_test(without_memory_the_last_one_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
