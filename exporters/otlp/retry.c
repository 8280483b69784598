#include "otlp/retry.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <whence/base.h>

int64_t wh__otlp_retry_after(const char *value, time_t wall)
{
    const int64_t most = INT64_C(24) * 60 * 60;
    int64_t seconds = -1;
    const size_t len = strlen(value), digits = strspn(value, "0123456789");
    if (len && digits == len) {
        seconds = len > 9 ? -1 : strtol(value, NULL, 10);
    } else if ((*value >= 'A' && *value <= 'Z') || (*value >= 'a' && *value <= 'z')) {
        const time_t date = curl_getdate(value, NULL);
        if (date >= 0 && !__builtin_sub_overflow(date, wall, &seconds) && seconds < 0) seconds = -1;
    }
    return seconds < 0 || seconds > most ? -1 : WH_SEC(seconds);
}

/* From 0 up to 1. Not a second source of ids: predictable is good enough if the system has none at hand. */
static double by_chance(void)
{
    uint32_t bits;
    if (getrandom(&bits, sizeof bits, GRND_NONBLOCK) != (ssize_t)sizeof bits)
        bits = (uint32_t)wh_now() * UINT32_C(2654435769);
    return bits / 4294967296.0;
}

int64_t wh__otlp_pause(unsigned tries, int64_t asked)
{
    if (asked >= 0) return asked > WH_MS(100) ? asked : WH_MS(100);
    double seconds = 1;
    for (unsigned i = 1; i < tries && seconds < 5; i++) seconds *= 1.5;
    return WH_SEC((seconds < 5 ? seconds : 5) * (0.5 + by_chance()));
}
