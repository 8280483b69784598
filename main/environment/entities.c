/* OTEL_ENTITIES: type{id=...}[description=...]@schema;... (entities/entity-propagation.md, development). What is malformed is left out
 * and said; what stands beside it holds. */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "main/environment.h"
#include "main/values.h"
#include "trace/resource.h"

static const char variable[] = "OTEL_ENTITIES";

struct parsed {
    struct wh__entity *entities;
    size_t count;
    struct wh_attr *attrs; /* what the entities point into, in their order */
    size_t attr_count;
};

/* ---- the grammar ---- */

static bool is_name(const char *text)
{
    if (!isalpha((unsigned char)*text)) return false;
    while (isalnum((unsigned char)*text) || (*text && strchr("._-", *text))) text++;
    return *text == '\0';
}

/* A scheme, a colon, and something (RFC 3986). */
static bool is_uri(const char *text)
{
    if (!isalpha((unsigned char)*text)) return false;
    while (isalnum((unsigned char)*text) || (*text && strchr("+.-", *text))) text++;
    return *text == ':' && text[1] && !strpbrk(text, " \t\"<>");
}

static bool read_pair(char *pair, struct wh_attr *attr)
{
    char *equals = strchr(pair, '=');
    if (!equals) return false;
    *equals = '\0';
    char *key = wh__trimmed(pair), *value = wh__trimmed(equals + 1);
    if (!is_name(key) || strpbrk(value, "{}[]@=") || !wh__decode(value)) return false;
    *attr = wh_attr(key, (const char *)value);
    return true;
}

static bool read_pairs(char *text, struct parsed *parsed, struct wh_attrs *out)
{
    *out = (struct wh_attrs){parsed->attrs + parsed->attr_count, 0};
    if (*wh__trimmed(text) == '\0') return true;
    for (char *pair; (pair = strsep(&text, ",")); out->count++)
        if (!read_pair(pair, &parsed->attrs[parsed->attr_count++])) return false;
    return true;
}

/* What stands between the first character of *text and `end`, which follows it; *text moves behind that. */
static char *take_block(char **text, char begin, char end)
{
    char *close = **text == begin ? strchr(*text, end) : NULL;
    if (!close) return NULL;
    char *inside = *text + 1;
    *close = '\0';
    *text = wh__trimmed(close + 1);
    return inside;
}

static bool read_entity(char *text, struct parsed *parsed, struct wh__entity *entity)
{
    *entity = (struct wh__entity){0};
    char *rest = text + strcspn(text, "{");
    char *ids = take_block(&rest, '{', '}');
    if (!ids) return false;
    ids[-1] = '\0';
    entity->type = wh__trimmed(text);
    if (!is_name(entity->type) || !read_pairs(ids, parsed, &entity->ids) || entity->ids.count == 0) return false;
    char *descriptions = take_block(&rest, '[', ']');
    if (descriptions && !read_pairs(descriptions, parsed, &entity->descriptions)) return false;
    if (*rest == '@')
        entity->schema_url = rest + 1;
    else if (*rest)
        return false;
    return true;
}

/* ---- what contradicts itself ---- */

static void forget(struct wh_attrs attrs)
{
    for (size_t i = 0; i < attrs.count; i++) ((struct wh_attr *)attrs.list)[i].key = NULL;
}

/* Of one type there is one: the last. */
static void drop_earlier(struct parsed *parsed)
{
    struct wh__entity last = parsed->entities[parsed->count];
    for (size_t i = 0; i < parsed->count; i++) {
        if (strcmp(parsed->entities[i].type, last.type)) continue;
        wh__env_ignored(variable, last.type, "is there twice: the first is replaced");
        forget(parsed->entities[i].ids);
        forget(parsed->entities[i].descriptions);
        memmove(&parsed->entities[i], &parsed->entities[i + 1], (parsed->count - i) * sizeof last);
        parsed->count--;
    }
}

static void drop_description(struct wh_attrs attrs, const struct wh_attr *later)
{
    for (size_t i = 0; i < attrs.count; i++) {
        struct wh_attr *attr = (struct wh_attr *)&attrs.list[i];
        if (!attr->key || strcmp(attr->key, later->key)) continue;
        if (attr->len != later->len || memcmp(attr->as.ptr, later->as.ptr, attr->len))
            wh__env_ignored(variable, attr->key, "is described twice: the first is replaced");
        attr->key = NULL;
    }
}

static void drop_descriptions(struct parsed *parsed)
{
    const struct wh__entity *last = &parsed->entities[parsed->count];
    for (size_t i = 0; i < parsed->count; i++)
        for (size_t k = 0; k < last->descriptions.count; k++)
            drop_description(parsed->entities[i].descriptions, &last->descriptions.list[k]);
}

/* ---- all ---- */

static void add_entity(char *text, struct parsed *parsed)
{
    struct wh__entity *entity = &parsed->entities[parsed->count];
    const size_t before = parsed->attr_count;
    char shown[100];
    strncpy(shown, text, sizeof shown - 1);
    shown[sizeof shown - 1] = '\0';
    if (!read_entity(text, parsed, entity)) {
        wh__env_ignored(variable, shown, NULL);
        parsed->attr_count = before;
        return;
    }
    if (entity->schema_url && !is_uri(entity->schema_url)) {
        wh__env_ignored(variable, shown, "has a schema URL that is none: that is left out");
        entity->schema_url = NULL;
    }
    drop_earlier(parsed);
    drop_descriptions(parsed);
    parsed->count++;
}

static size_t count_of(const char *text, char c)
{
    size_t count = 0;
    for (; *text; text++) count += *text == c;
    return count;
}

wh_resource *wh__parse_entities(const char *text)
{
    const size_t size = strlen(text) + 1;
    char *copy = wh__mem_get(size), *rest = copy;
    struct parsed parsed = {.entities = wh__mem_get((count_of(text, ';') + 2) * sizeof *parsed.entities),
                            .attrs = wh__mem_get((count_of(text, ',') + 2 * count_of(text, ';') + 2) * sizeof *parsed.attrs)};
    wh_resource *resource = NULL;
    if (copy && parsed.entities && parsed.attrs) {
        memcpy(copy, text, size);
        for (char *piece; (piece = strsep(&rest, ";"));)
            if (*(piece = wh__trimmed(piece))) add_entity(piece, &parsed);
        resource = wh__resource_of_entities(parsed.entities, parsed.count, (struct wh_attrs){parsed.attrs, parsed.attr_count});
    }
    wh__mem_free(parsed.attrs);
    wh__mem_free(parsed.entities);
    wh__mem_free(copy);
    if (!resource) errno = ENOMEM;
    return resource;
}

wh_resource *wh__env_entities(void)
{
    const char *text = wh__env(variable);
    return text ? wh__parse_entities(text) : NULL;
}
