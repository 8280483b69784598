#include <string.h>
#include <whence/exporters.h>
#include <whence/resource.h>

bool wh_resource_attr(const wh_resource *resource, const char *key, struct wh_attr_view *attr)
{
    const size_t len = strlen(key);
    struct wh_attr_view found;
    for (struct wh_cursor at = {wh_resource_bytes(resource)}; wh_next_resource_attr(&at, &found);) {
        if (found.key.len != len || memcmp(found.key.ptr, key, len)) continue;
        *attr = found;
        return true;
    }
    return false;
}
