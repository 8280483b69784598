/* Any text as the value of a variable: whatever it is, it reads the same twice, and within its bounds. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "main/environment.h"
#include "main/values.h"

static void require(bool holds)
{
    if (!holds) abort();
}

static void read_numbers(const char *text)
{
    uint64_t number = 0, same = 0;
    double ratio = 0;
    bool flag = false;
    if (wh__parse_number(text, 3, 1000000, &number) == 0) {
        char digits[24];
        require(number >= 3 && number <= 1000000);
        snprintf(digits, sizeof digits, "%llu", (unsigned long long)number);
        require(wh__parse_number(digits, 3, 1000000, &same) == 0 && same == number);
    }
    if (wh__parse_ratio(text, &ratio) == 0) require(ratio >= 0 && ratio <= 1);
    if (wh__parse_bool(text, &flag) == 0) require(strpbrk(text, flag ? "tT" : "fF") != NULL);
}

static void read_words(const char *text)
{
    static const char *const words[] = {"otlp", "console", "otlp/stdout", "none", NULL};
    const int which = wh__parse_word(text, words);
    require(which >= -1 && which < 4);
    if (which >= 0) require(strlen(text) >= strlen(words[which]));
}

/* Space at the ends is cut once; what is decoded is no longer than it was. */
static void read_text(const char *text, size_t size)
{
    char *copy = malloc(size + 1);
    memcpy(copy, text, size + 1);
    char *trimmed = wh__trimmed(copy);
    require(wh__trimmed(trimmed) == trimmed);
    if (wh__decode(trimmed)) require(strlen(trimmed) <= size);
    free(copy);
}

/* Attributes are as many as there may be, none without a key, and none twice. */
static void read_attributes(const char *text)
{
    wh_resource *resource = wh__parse_attributes(text);
    struct wh_attr_view attr, found;
    if (!resource) {
        require(errno == EINVAL);
        return;
    }
    size_t count = 0, most = 1;
    for (const char *p = text; *p; p++) most += *p == ',';
    for (struct wh_cursor at = {wh_resource_bytes(resource)}; wh_next_resource_attr(&at, &attr); count++) {
        char key[256];
        require(attr.key.len > 0);
        if (attr.key.len >= sizeof key) continue;
        memcpy(key, attr.key.ptr, attr.key.len);
        key[attr.key.len] = '\0';
        require(wh_resource_attr(resource, key, &found) && found.raw.ptr == attr.raw.ptr);
    }
    require(count <= most);
    wh_resource *twice = wh_resource_merge(resource, resource);
    require(wh_resource_bytes(twice).len == wh_resource_bytes(resource).len);
    wh_resource_free(twice);
    wh_resource_free(resource);
}

/* Whatever is left out, what is there is one entity of a type, and its keys are attributes. */
static void read_entities(const char *text)
{
    wh_resource *resource = wh__parse_entities(text);
    require(resource != NULL);
    wh_resource *twice = wh_resource_merge(resource, NULL);
    require(wh_resource_bytes(twice).len == wh_resource_bytes(resource).len);
    require(memcmp(wh_resource_bytes(twice).ptr, wh_resource_bytes(resource).ptr, wh_resource_bytes(twice).len) == 0);
    wh_resource_free(twice);
    wh_resource_free(resource);
}

static void hear(enum wh_severity severity, const char *line, void *unused)
{
    (void)unused;
    require(severity == WH_WARNING && strncmp(line, "OTEL_ENTITIES=", 14) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    memcpy(text, data, size);
    text[size] = '\0';
    read_numbers(text);
    read_words(text);
    read_text(text, strlen(text));
    read_attributes(text);
    wh_report_to(hear, NULL);
    read_entities(text);
    wh_report_to(NULL, NULL);
    free(text);
    return 0;
}
