/* The detectors: what they find here, against what other ways of asking say, and what they make of texts of other machines. */
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "test.h"
#include "trace/detect.h"

static bool has(const wh_resource *resource, const char *key)
{
    struct wh_attr_view attr;
    return wh_resource_attr(resource, key, &attr);
}

static const char *text_of(const wh_resource *resource, const char *key)
{
    static char text[4096];
    struct wh_attr_view attr;
    if (!wh_resource_attr(resource, key, &attr)) fail_msg("no %s", key);
    assert_int_equal(attr.type, WH_STRING);
    snprintf(text, sizeof text, "%.*s", (int)attr.as.string.len, attr.as.string.ptr);
    return text;
}

static int64_t number_of(const wh_resource *resource, const char *key)
{
    struct wh_attr_view attr;
    assert_true(wh_resource_attr(resource, key, &attr));
    assert_int_equal(attr.type, WH_INT);
    return attr.as.integer;
}

/* ---- all ---- */

static void detectors_have_names_of_their_own(void **state)
{
    (void)state;
    static const struct { const char *name; int which; } table[] = {
        {"service", WH_DETECT_SERVICE}, {"host", WH_DETECT_HOST}, {"process", WH_DETECT_PROCESS},
        {"container", WH_DETECT_CONTAINER}, {"command", WH_DETECT_COMMAND}, {"all", WH_DETECT_ALL}, {"none", 0},
        {"HOST", WH_DETECT_HOST}, {"", -1}, {"hos", -1}, {"hosts", -1}, {"os", -1},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        assert_int_equal(wh__detector_named(table[i].name), table[i].which);
}

static void detected_resources_name_the_conventions_they_follow(void **state)
{
    (void)state;
    static const unsigned each[] = {WH_DETECT_SERVICE, WH_DETECT_HOST, WH_DETECT_PROCESS, WH_DETECT_CONTAINER, WH_DETECT_ALL, 0};
    for (size_t i = 0; i < sizeof each / sizeof *each; i++) {
        wh_resource *r = wh_resource_detect(each[i]);
        assert_string_equal(wh_resource_schema_url(r), WH__SCHEMA_URL);
        wh_resource_free(r);
    }
}

static void only_what_is_asked_for_is_detected(void **state)
{
    (void)state;
    wh_resource *host = wh_resource_detect(WH_DETECT_HOST), *none = wh_resource_detect(0);
    assert_true(has(host, "host.name"));
    assert_false(has(host, "process.pid"));
    assert_false(has(host, "service.instance.id"));
    assert_int_equal(wh_resource_bytes(none).len, 0);
    wh_resource_free(host);
    wh_resource_free(none);
}

/* ---- service ---- */

static void the_instance_id_is_a_random_uuid_of_the_process(void **state)
{
    (void)state;
    wh_resource *r = wh_resource_detect(WH_DETECT_SERVICE), *again = wh_resource_detect(WH_DETECT_SERVICE);
    char id[64];
    snprintf(id, sizeof id, "%s", text_of(r, "service.instance.id"));
    assert_int_equal(strlen(id), 36);
    for (int i = 0; i < 36; i++) {
        const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        assert_true(dash ? id[i] == '-' : strchr("0123456789abcdef", id[i]) != NULL);
    }
    assert_int_equal(id[14], '4');
    assert_non_null(strchr("89ab", id[19]));
    assert_string_equal(text_of(again, "service.instance.id"), id);
    char one[WH__UUID], other[WH__UUID];
    wh__uuid(one);
    wh__uuid(other);
    assert_memory_not_equal(one, other, WH__UUID);
    wh_resource_free(r);
    wh_resource_free(again);
}

static void the_service_detector_reads_the_name_from_the_environment(void **state)
{
    (void)state;
    unsetenv("OTEL_SERVICE_NAME");
    wh_resource *without = wh_resource_detect(WH_DETECT_SERVICE);
    setenv("OTEL_SERVICE_NAME", "", 1);
    wh_resource *empty = wh_resource_detect(WH_DETECT_SERVICE);
    setenv("OTEL_SERVICE_NAME", "orders", 1);
    wh_resource *with = wh_resource_detect(WH_DETECT_SERVICE);
    unsetenv("OTEL_SERVICE_NAME");
    assert_false(has(without, "service.name"));
    assert_false(has(empty, "service.name"));
    assert_string_equal(text_of(with, "service.name"), "orders");
    wh_resource_free(without);
    wh_resource_free(empty);
    wh_resource_free(with);
}

/* ---- host ---- */

static void the_host_is_described(void **state)
{
    (void)state;
    char host[256] = "";
    struct utsname system;
    assert_int_equal(uname(&system), 0);
    gethostname(host, sizeof host - 1);
    wh_resource *r = wh_resource_detect(WH_DETECT_HOST);
    assert_string_equal(text_of(r, "host.name"), host);
    assert_string_equal(text_of(r, "host.arch"), wh__host_arch(system.machine));
    assert_string_equal(text_of(r, "os.type"), "linux");
    if (access("/etc/os-release", R_OK) == 0) assert_true(has(r, "os.name"));
    wh_resource_free(r);
}

static void the_machine_id_is_taken_if_it_is_one(void **state)
{
    (void)state;
    static const struct { const char *text; bool is_one; } table[] = {
        {"0123456789abcdef0123456789abcdef\n", true}, {"0123456789abcdef0123456789abcdef", true},
        {"", false}, {"\n", false}, {"uninitialized\n", false}, {"0123456789abcdef0123456789abcde\n", false},
        {"0123456789abcdef0123456789abcdef0\n", false}, {"0123456789ABCDEF0123456789ABCDEF\n", false},
        {"0123456789abcdef0123456789abcdef\nmore", false},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char id[33] = "";
        assert_int_equal(wh__machine_id(table[i].text, id), table[i].is_one);
        assert_string_equal(id, table[i].is_one ? "0123456789abcdef0123456789abcdef" : "");
    }
}

static void the_host_id_is_that_of_the_machine(void **state)
{
    (void)state;
    char text[100], id[33] = "";
    wh_resource *r = wh_resource_detect(WH_DETECT_HOST);
    const bool there = (wh__read_file("/etc/machine-id", text, sizeof text) && wh__machine_id(text, id)) ||
                       (wh__read_file("/var/lib/dbus/machine-id", text, sizeof text) && wh__machine_id(text, id));
    assert_int_equal(has(r, "host.id"), there);
    if (there) assert_string_equal(text_of(r, "host.id"), id);
    wh_resource_free(r);
}

static void os_release_is_read_as_a_shell_would(void **state)
{
    (void)state;
    static const char text[] = "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME='Debian GNU/Linux'\nVERSION_ID=12\n"
                               "# VERSION=no\nODD=\"a \\\"b\\\" \\$c\"\nEMPTY=\nLAST=end";
    static const struct { const char *name, *value; } table[] = {
        {"PRETTY_NAME", "Debian GNU/Linux 12 (bookworm)"}, {"NAME", "Debian GNU/Linux"}, {"VERSION_ID", "12"},
        {"ODD", "a \"b\" $c"}, {"EMPTY", ""}, {"LAST", "end"}, {"VERSION", NULL}, {"AME", NULL}, {"", NULL},
    };
    char value[64];
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const bool found = wh__os_release(text, table[i].name, value, sizeof value);
        assert_int_equal(found, table[i].value != NULL);
        if (found) assert_string_equal(value, table[i].value);
    }
    assert_true(wh__os_release(text, "PRETTY_NAME", value, 7));
    assert_string_equal(value, "Debian");
}

static void architectures_have_their_conventional_names(void **state)
{
    (void)state;
    static const char *const table[][2] = {{"x86_64", "amd64"}, {"aarch64", "arm64"}, {"armv7l", "arm32"}, {"i686", "x86"},
        {"ppc64le", "ppc64"}, {"s390x", "s390x"}, {"riscv64", "riscv64"}, {"", ""}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) assert_string_equal(wh__host_arch(table[i][0]), table[i][1]);
}

/* ---- process ---- */

static void the_process_is_described(void **state)
{
    (void)state;
    const struct passwd *user = getpwuid(geteuid());
    wh_resource *r = wh_resource_detect(WH_DETECT_PROCESS);
    assert_int_equal(number_of(r, "process.pid"), getpid());
    assert_int_equal(number_of(r, "process.parent_pid"), getppid());
    assert_string_equal(text_of(r, "process.executable.name"), program_invocation_short_name);
    assert_int_equal(text_of(r, "process.executable.path")[0], '/');
    assert_string_equal(text_of(r, "process.command"), program_invocation_name);
    if (user) assert_string_equal(text_of(r, "process.owner"), user->pw_name);
    wh_resource_free(r);
}

static void the_command_line_is_there_only_when_asked_for(void **state)
{
    (void)state;
    wh_resource *all = wh_resource_detect(WH_DETECT_ALL), *command = wh_resource_detect(WH_DETECT_COMMAND);
    assert_false(has(all, "process.command_line"));
    assert_false(has(all, "process.command_args"));
    assert_string_equal(text_of(command, "process.command_line"), program_invocation_name);
    wh_resource_free(all);
    wh_resource_free(command);
}

/* It began before now, and after the machine; how long ago depends on how loaded that is. */
static void the_time_of_creation_is_a_time_of_day(void **state)
{
    (void)state;
    char now[WH__TIMESTAMP + 1] = "", boot[WH__TIMESTAMP + 1] = "";
    wh_resource *r = wh_resource_detect(WH_DETECT_PROCESS);
    struct timespec wall, up;
    clock_gettime(CLOCK_REALTIME, &wall);
    clock_gettime(CLOCK_BOOTTIME, &up);
    wh__timestamp(now, (wall.tv_sec + 1) * INT64_C(1000000000));
    wh__timestamp(boot, (wall.tv_sec - up.tv_sec - 1) * INT64_C(1000000000));
    const char *began = text_of(r, "process.creation.time");
    assert_int_equal(strlen(began), WH__TIMESTAMP);
    assert_true(strcmp(began, now) < 0);
    assert_true(strcmp(began, boot) > 0);
    wh_resource_free(r);
}

static void timestamps_are_those_of_the_calendar(void **state)
{
    (void)state;
    static const struct { int64_t s; const char *text; } table[] = {
        {0, "1970-01-01T00:00:00.789Z"},          {951782399, "2000-02-28T23:59:59.789Z"},
        {951782400, "2000-02-29T00:00:00.789Z"},  {951868800, "2000-03-01T00:00:00.789Z"},
        {1785587696, "2026-08-01T12:34:56.789Z"}, {1798761599, "2026-12-31T23:59:59.789Z"},
        {4107542400, "2100-03-01T00:00:00.789Z"}, {1709164800, "2024-02-29T00:00:00.789Z"},
    };
    char text[WH__TIMESTAMP + 1] = "";
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        wh__timestamp(text, table[i].s * 1000000000 + 789123456);
        assert_string_equal(text, table[i].text);
        struct tm tm;
        char other[32];
        const time_t s = (time_t)table[i].s;
        strftime(other, sizeof other, "%Y-%m-%dT%H:%M:%S", gmtime_r(&s, &tm));
        assert_memory_equal(text, other, 19);
    }
}

static void the_start_of_a_process_is_found_behind_any_name(void **state)
{
    (void)state;
    static const struct { const char *stat; uint64_t ticks; } table[] = {
        {"1 (sh) S 0 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4711 100 200", 4711},
        {"1 (a) b (c) S 0 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4711 100 200", 4711},
        {"1 (sh) S 0 1", 0}, {"", 0}, {"1 (sh", 0}, {")", 0},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) assert_int_equal(wh__start_ticks(table[i].stat), table[i].ticks);
}

static void users_are_found_by_number(void **state)
{
    (void)state;
    static const char passwd[] = "root:x:0:0:root:/root:/bin/sh\n\nbroken\n:x:5:5::/:\nwww:x:33:33::/:/bin/false\nlate:x:1000:1000::/:/bin/sh";
    static const struct { uint32_t uid; const char *name; } table[] = {{0, "root"}, {33, "www"}, {1000, "late"}, {3, NULL}, {5, NULL}, {100, NULL}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char name[32] = "";
        assert_int_equal(wh__user_named(passwd, table[i].uid, name, sizeof name), table[i].name != NULL);
        assert_string_equal(name, table[i].name ? table[i].name : "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(detectors_have_names_of_their_own),
        cmocka_unit_test(detected_resources_name_the_conventions_they_follow),
        cmocka_unit_test(only_what_is_asked_for_is_detected),
        cmocka_unit_test(the_instance_id_is_a_random_uuid_of_the_process),
        cmocka_unit_test(the_service_detector_reads_the_name_from_the_environment),
        cmocka_unit_test(the_host_is_described),
        cmocka_unit_test(the_machine_id_is_taken_if_it_is_one),
        cmocka_unit_test(the_host_id_is_that_of_the_machine),
        cmocka_unit_test(os_release_is_read_as_a_shell_would),
        cmocka_unit_test(architectures_have_their_conventional_names),
        cmocka_unit_test(the_process_is_described),
        cmocka_unit_test(the_command_line_is_there_only_when_asked_for),
        cmocka_unit_test(the_time_of_creation_is_a_time_of_day),
        cmocka_unit_test(timestamps_are_those_of_the_calendar),
        cmocka_unit_test(the_start_of_a_process_is_found_behind_any_name),
        cmocka_unit_test(users_are_found_by_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
