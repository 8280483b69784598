/* Any text as the files that the detectors read: cgroup, mountinfo, machine-id, os-release, passwd, stat. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "trace/detect.h"

static void require(bool holds)
{
    if (!holds) abort();
}

static void read_container(const char *text, bool (*parse)(const char *text, char out[65]))
{
    char id[65];
    if (!parse(text, id)) return;
    require(strlen(id) == 64 && strspn(id, "0123456789abcdef") == 64);
    require(strstr(text, id) != NULL);
}

static void read_host(const char *text)
{
    char id[33], value[32];
    if (wh__machine_id(text, id)) require(strlen(id) == 32 && strncmp(text, id, 32) == 0);
    if (wh__os_release(text, "NAME", value, sizeof value)) require(strlen(value) < sizeof value && !strchr(value, '\n'));
    require(*wh__host_arch(text) || !*text);
}

static void read_process(const char *text)
{
    char name[32];
    wh__start_ticks(text);
    if (wh__user_named(text, 1000, name, sizeof name)) require(*name && !strchr(name, ':') && !strchr(name, '\n'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    memcpy(text, data, size);
    text[size] = '\0';
    read_container(text, wh__container_of_cgroup);
    read_container(text, wh__container_of_mounts);
    read_host(text);
    read_process(text);
    free(text);
    return 0;
}
