/* What the library has said while a variable was read. */
#ifndef SAID_H
#define SAID_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

static int said_count;
static char said[600];

static inline void hear(enum wh_severity severity, const char *line, void *arg)
{
    (void)arg;
    assert_int_equal(severity, WH_WARNING);
    snprintf(said, sizeof said, "%s", line);
    said_count++;
}

/* For cmocka, before each test: hears, and clears the environment of what SDKs and the library read. */
static inline int begin_hearing(void **state)
{
    (void)state;
    extern char **environ;
    for (char **entry = environ; *entry;) {
        char name[100];
        snprintf(name, sizeof name, "%.*s", (int)strcspn(*entry, "="), *entry);
        if (strncmp(name, "OTEL_", 5) == 0 || strncmp(name, "WHENCE_", 7) == 0)
            unsetenv(name);
        else
            entry++;
    }
    wh_report_to(hear, NULL);
    said_count = 0;
    return 0;
}

static inline int end_hearing(void **state)
{
    (void)state;
    wh_report_to(NULL, NULL);
    wh_report_from(WH_INFO);
    return 0;
}

/* NULL: unset. */
static inline void set_variable(const char *name, const char *value)
{
    said_count = 0;
    if (value)
        setenv(name, value, 1);
    else
        unsetenv(name);
}

/* One line that names the variable and its value, or none at all. */
static inline void assert_said(bool expected, const char *name, const char *value)
{
    char begin[300];
    snprintf(begin, sizeof begin, "%s=%.100s ", name, value ? value : "");
    if (said_count != expected) fail_msg("%s: said %d times: %s", begin, said_count, said_count ? said : "");
    if (expected && strncmp(said, begin, strlen(begin))) fail_msg("%s: said %s", begin, said);
    if (expected) assert_non_null(strstr(said, "ignored"));
}

#define HEARING(test) cmocka_unit_test_setup_teardown(test, begin_hearing, end_hearing)

#endif
