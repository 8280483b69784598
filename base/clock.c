#include "base/clock.h"

int64_t wh_now(void)
{
    return wh__now();
}

int64_t wh_from_wall(int64_t wall)
{
    return wall == WH_NEVER ? WH_NEVER : wh__sub(wall, wh__wall_offset());
}
