#include <stdlib.h>
#include <string.h>

#include "base/lock.h"
#include "base/random.h"
#include "base/text.h"
#include "trace/detect.h"

static uint32_t lock;
static char instance[WH__UUID]; /* under the lock; all zero: not needed yet */

void wh__uuid(char out[WH__UUID])
{
    uint8_t bytes[16];
    char digits[32];
    const uint64_t words[2] = {wh__random_without_thread(), wh__random_without_thread()};
    memcpy(bytes, words, sizeof bytes);
    bytes[6] = (uint8_t)((bytes[6] & 0x0f) | 0x40); /* the version */
    bytes[8] = (uint8_t)((bytes[8] & 0x3f) | 0x80); /* the variant */
    wh__hex(digits, bytes, sizeof bytes);
    for (int i = 0, at = 0; i < 32; i++) {
        if (i == 8 || i == 12 || i == 16 || i == 20) out[at++] = '-';
        out[at++] = digits[i];
    }
}

void wh__instance_id(char out[WH__UUID])
{
    char fresh[WH__UUID];
    wh__uuid(fresh); /* before the lock: it asks the kernel */
    wh__lock(&lock);
    if (!instance[0]) memcpy(instance, fresh, WH__UUID);
    memcpy(out, instance, WH__UUID);
    wh__unlock(&lock);
}

void wh__instance_id_of_child(void)
{
    instance[0] = '\0';
}

wh_resource *wh__detect_service(void)
{
    char id[WH__UUID + 1] = "";
    const char *name = getenv("OTEL_SERVICE_NAME");
    wh__instance_id(id);
    const struct wh__found found[] = {
        {.key = "service.name", .text = name ? name : ""},
        {.key = "service.instance.id", .text = id, .renewed = WH__INSTANCE},
    };
    return wh__resource_found(found, sizeof found / sizeof *found);
}
