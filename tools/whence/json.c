#include "json.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store.h"

/* ---- names ---- */

bool json_named(const cJSON *item, const char *name)
{
    const char *given = item->string;
    if (!given) return false;
    for (; *given; given++) {
        if (*given == '_') continue;
        if (tolower((unsigned char)*given) != tolower((unsigned char)*name)) return false;
        name++;
    }
    return *name == '\0';
}

const cJSON *json_get(const cJSON *object, const char *name)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, object)
        if (json_named(item, name)) return item;
    return NULL;
}

/* ---- values ---- */

const char *json_string(const cJSON *item)
{
    return cJSON_IsString(item) ? item->valuestring : "";
}

uint64_t json_uint(const cJSON *item)
{
    if (cJSON_IsNumber(item))
        return item->valuedouble >= 0x1p64 ? UINT64_MAX : item->valuedouble > 0 ? (uint64_t)item->valuedouble : 0;
    const char *text = json_string(item);
    return isdigit((unsigned char)*text) ? strtoull(text, NULL, 10) : 0;
}

/* With as few digits as make the same number again. */
static void print_double(char *buf, size_t size, double value)
{
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(buf, size, "%.*g", digits, value);
        if (strtod(buf, NULL) == value) return;
    }
}

const char *json_text(struct model *model, const cJSON *item)
{
    char buf[40];
    if (cJSON_IsString(item)) return model_text(model, item->valuestring);
    if (cJSON_IsBool(item)) return model_text(model, cJSON_IsTrue(item) ? "true" : "false");
    if (cJSON_IsNumber(item)) {
        print_double(buf, sizeof buf, item->valuedouble);
        return model_text(model, buf);
    }
    char *json = item ? cJSON_PrintUnformatted(item) : NULL;
    const char *text = model_text(model, json ? json : "");
    cJSON_free(json);
    return text;
}

/* ---- lists ---- */

void attribute_list_add(struct attribute_list *attributes, const char *key, const char *text, enum value_kind kind)
{
    if (attributes->count == attributes->capacity) {
        attributes->capacity = attributes->capacity ? attributes->capacity * 2 : 16;
        attributes->list = must_resize(attributes->list, attributes->capacity, sizeof *attributes->list);
    }
    attributes->list[attributes->count++] = (struct attribute){key, text, kind};
}

struct attributes attribute_list_take(struct model *model, struct attribute_list *attributes)
{
    const struct attributes taken = model_attributes(model, attributes->list, attributes->count);
    free(attributes->list);
    *attributes = (struct attribute_list){0};
    return taken;
}
