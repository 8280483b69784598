#include "base/errname.h"

#include <stdio.h>
#include <string.h>

const char *wh__errno_name(int code)
{
    static _Thread_local char number[12];
#if defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 32)
    const char *name = strerrorname_np(code);
    if (name) return name;
#endif
    snprintf(number, sizeof number, "%d", code);
    return number;
}
