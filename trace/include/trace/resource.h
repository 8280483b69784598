#ifndef TRACE_RESOURCE_H
#define TRACE_RESOURCE_H

#include <whence/provider.h>
#include <whence/resource.h>

/* The attributes that are another process's in the child of a fork. What they are encoded as has always the same length, so that
 * the child can write its own over them. */
enum wh__renewed { WH__INSTANCE = 1, WH__PID = 2, WH__PARENT_PID = 4, WH__CREATION = 8 };

struct wh_resource {
    size_t len;
    size_t refs;            /* so many of the bytes, at their end, are references to entities */
    unsigned renewed;       /* of enum wh__renewed: those that it has, as the library found them */
    uint32_t forks;         /* of the process that made it (base/thread.h) */
    const char *schema_url; /* behind the bytes, or NULL */
    uint8_t bytes[];
};

/* ---- making ---- */

/* Room for so many bytes, and a copy of the URL, which may be NULL or empty. NULL and ENOMEM. */
wh_resource *wh__resource_alloc(size_t len, const char *schema_url);

/* An attribute that has been found on this machine: text, of which one that is empty is none; or an integer, which takes the
 * same room whatever its value. */
struct wh__found {
    const char *key, *text;
    uint32_t number;
    unsigned renewed; /* the mark of this attribute, if it has one */
};
wh_resource *wh__resource_found(const struct wh__found *found, size_t count);

/* An entity, by attributes of the resource; one without a key has been dropped. The resource has all of `attrs`. */
struct wh__entity {
    const char *type, *schema_url; /* the second may be NULL */
    struct wh_attrs ids, descriptions;
};
wh_resource *wh__resource_of_entities(const struct wh__entity *entities, size_t count, struct wh_attrs attrs);

/* ---- for providers ---- */

/* The resource of a provider: base, or the default one if that is NULL; then `service` if it is not NULL; then attrs. Of equal
 * keys the last holds. */
wh_resource *wh__resource_compose(const wh_resource *base, const char *service, struct wh_attrs attrs);
struct wh_str wh__resource_url(const wh_resource *resource);

/* ---- in the child of a fork ---- */

/* Which of enum wh__renewed there are attributes of, whoever gave them. */
unsigned wh__resource_has(const wh_resource *resource);

/* Writes this process's own over those that are marked. */
void wh__resource_renew(wh_resource *resource);

/* From now on that is done in every child, for all providers, if this resource of one has such. */
void wh__resource_watch_forks(const wh_resource *resource);

/* ---- walking ---- */

struct wh__resource_attr {
    struct wh_bytes whole, key, value; /* the field; of KeyValue: the key, and the AnyValue */
};
bool wh__resource_next(struct wh_bytes *rest, struct wh__resource_attr *attr);
bool wh__resource_find(const wh_resource *resource, struct wh_bytes key, struct wh__resource_attr *attr);

/* The value of an attribute that is text, not terminated; false if there is none. */
bool wh__resource_text(const wh_resource *resource, const char *key, struct wh_bytes *text);

#endif
