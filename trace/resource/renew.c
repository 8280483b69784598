/* What is different in the child of a fork. Its handler is not the place to allocate, and the parent's encoding may be on its way
 * to somebody: so the values have a fixed length, and are written over. */
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/thread.h"
#include "trace/detect.h"
#include "trace/provider.h"
#include "trace/wire.h"

static const struct {
    const char *key;
    unsigned mark;
} renewed[] = {
    {"service.instance.id", WH__INSTANCE},
    {"process.pid", WH__PID},
    {"process.parent_pid", WH__PARENT_PID},
    {"process.creation.time", WH__CREATION},
};
enum { RENEWED = sizeof renewed / sizeof *renewed };

static bool find(const wh_resource *resource, size_t i, struct wh__resource_attr *attr)
{
    return wh__resource_find(resource, (struct wh_bytes){renewed[i].key, strlen(renewed[i].key)}, attr);
}

unsigned wh__resource_has(const wh_resource *resource)
{
    struct wh__resource_attr attr;
    unsigned marks = 0;
    for (size_t i = 0; i < RENEWED; i++)
        if (find(resource, i, &attr)) marks |= renewed[i].mark;
    return marks;
}

/* `value` is an AnyValue: the tag, the length of a text, and what is replaced. */
static void write_over(struct wh_bytes value, unsigned mark)
{
    char *end = (char *)value.ptr + value.len;
    switch (mark) {
    case WH__INSTANCE: wh__instance_id(end - WH__UUID); break;
    case WH__PID: wh__put_wide((uint8_t *)value.ptr + 1, (uint32_t)getpid()); break;
    case WH__PARENT_PID: wh__put_wide((uint8_t *)value.ptr + 1, (uint32_t)getppid()); break;
    case WH__CREATION: wh__timestamp(end - WH__TIMESTAMP, wh__clock(CLOCK_REALTIME)); break;
    }
}

void wh__resource_renew(wh_resource *resource)
{
    struct wh__resource_attr attr;
    for (size_t i = 0; i < RENEWED; i++)
        if (resource->renewed & renewed[i].mark && find(resource, i, &attr)) write_over(attr.value, renewed[i].mark);
}

static void renew_all(void)
{
    for (wh_provider *provider = wh__providers(); provider; provider = provider->next) wh__resource_renew(provider->who);
}
static struct wh__fork_handler in_child = {.fn = renew_all};

void wh__resource_watch_forks(const wh_resource *resource)
{
    static bool watched; /* atomic */
    if (resource->renewed && !__atomic_exchange_n(&watched, true, __ATOMIC_ACQ_REL)) wh__at_fork(&in_child);
}
