/* Entities of a resource (OpenTelemetry, entities/entity-propagation.md, development): which of its attributes identify what. */
#include <string.h>

#include "base/mem.h"
#include "trace/attr.h"
#include "trace/resource.h"

enum { SCHEMA_URL = 1, TYPE = 2, ID_KEYS = 3, DESCRIPTION_KEYS = 4 };

static size_t keys_size(struct wh_attrs attrs)
{
    size_t size = 0;
    for (size_t i = 0; i < attrs.count; i++)
        if (attrs.list[i].key) size += wh__len_size(strlen(attrs.list[i].key));
    return size;
}

static size_t ref_size(const struct wh__entity *entity)
{
    return (entity->schema_url ? wh__len_size(strlen(entity->schema_url)) : 0) + wh__len_size(strlen(entity->type)) +
           keys_size(entity->ids) + keys_size(entity->descriptions);
}

static uint8_t *put_keys(uint8_t *p, unsigned field, struct wh_attrs attrs)
{
    for (size_t i = 0; i < attrs.count; i++)
        if (attrs.list[i].key) p = wh__put_text(p, field, attrs.list[i].key, strlen(attrs.list[i].key));
    return p;
}

static uint8_t *put_ref(uint8_t *p, const struct wh__entity *entity)
{
    p = wh__put_len(p, WH__RESOURCE_ENTITY, ref_size(entity));
    if (entity->schema_url) p = wh__put_text(p, SCHEMA_URL, entity->schema_url, strlen(entity->schema_url));
    p = wh__put_text(p, TYPE, entity->type, strlen(entity->type));
    p = put_keys(p, ID_KEYS, entity->ids);
    return put_keys(p, DESCRIPTION_KEYS, entity->descriptions);
}

wh_resource *wh__resource_of_entities(const struct wh__entity *entities, size_t count, struct wh_attrs attrs)
{
    size_t refs = 0;
    for (size_t i = 0; i < count; i++) refs += wh__len_size(ref_size(&entities[i]));
    wh_resource *plain = wh_resource_new(attrs, NULL);
    wh_resource *resource = plain ? wh__resource_alloc(plain->len + refs, NULL) : NULL;
    if (resource) {
        memcpy(resource->bytes, plain->bytes, plain->len);
        uint8_t *p = resource->bytes + plain->len;
        for (size_t i = 0; i < count; i++) p = put_ref(p, &entities[i]);
        resource->refs = refs;
    }
    wh_resource_free(plain);
    return resource;
}
