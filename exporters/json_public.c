/* The writer of JSON, for exporters that are not in this library. */
#include <errno.h>

#include "exporters/json.h"

int wh_json_write(struct wh_json *json, const struct wh_batch *batch, size_t most, size_t *written)
{
    struct wh__json out = {.buf = json->text, .capacity = json->capacity};
    const size_t count = wh__json_batch(&out, batch);
    *json = (struct wh_json){.text = out.buf, .len = out.len, .capacity = out.capacity};
    if (out.error) return out.error;
    if (out.len > most) return EMSGSIZE;
    *written = count;
    return 0;
}

void wh_json_free(struct wh_json *json)
{
    struct wh__json out = {.buf = json->text};
    wh__json_free(&out);
    *json = (struct wh_json){.text = NULL};
}
