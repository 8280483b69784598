#include "base/clock.h"

int64_t wh_now(void)
{
    return wh__now();
}
