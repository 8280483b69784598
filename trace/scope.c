#include "trace/scope.h"

#include <string.h>

#include "base/lock.h"
#include "base/mem.h"
#include "trace/attr.h"

/* ---- encoding ---- */

static bool is_last(struct wh_attrs attrs, size_t i)
{
    for (size_t j = i + 1; j < attrs.count; j++)
        if (attrs.list[j].key && strcmp(attrs.list[i].key, attrs.list[j].key) == 0) return false;
    return true;
}

/* The next in the order of keys, of equal ones the last: so scopes are equal if their encodings are. */
static const struct wh_attr *next_by_key(struct wh_attrs attrs, const char *after)
{
    const struct wh_attr *next = NULL;
    for (size_t i = 0; i < attrs.count; i++) {
        const struct wh_attr *attr = &attrs.list[i];
        if (!attr->key || (after && strcmp(attr->key, after) <= 0) || !is_last(attrs, i)) continue;
        if (!next || strcmp(attr->key, next->key) < 0) next = attr;
    }
    return next;
}

static size_t text_size(const char *text)
{
    return text && *text ? wh__len_size(strlen(text)) : 0;
}

static uint8_t *put_text(uint8_t *p, unsigned field, const char *text)
{
    return text && *text ? wh__put_text(p, field, text, strlen(text)) : p;
}

/* In the order of their keys, so that scopes of equal attributes are equal bytes. */
static struct wh_bytes encode_attrs(struct wh_attrs attrs)
{
    struct wh_attr *sorted = wh__mem_get((attrs.count + 1) * sizeof *sorted);
    size_t count = 0;
    if (!sorted) return (struct wh_bytes){0};
    for (const struct wh_attr *attr = NULL; (attr = next_by_key(attrs, attr ? attr->key : NULL));) sorted[count++] = *attr;
    const struct wh_bytes encoded = wh__attrs_encode(WH__SCOPE_ATTRIBUTE, (struct wh_attrs){sorted, count});
    wh__mem_free(sorted);
    return encoded;
}

static struct wh_bytes encode(const struct wh_scope *scope)
{
    const struct wh_bytes attrs = scope->attrs.count ? encode_attrs(scope->attrs) : (struct wh_bytes){0};
    const size_t size = text_size(scope->name) + text_size(scope->version) + attrs.len;
    uint8_t *bytes = attrs.ptr || !scope->attrs.count ? wh__mem_get(size ? size : 1) : NULL;
    if (bytes) {
        uint8_t *p = put_text(put_text(bytes, WH__SCOPE_NAME, scope->name), WH__SCOPE_VERSION, scope->version);
        if (attrs.len) memcpy(p, attrs.ptr, attrs.len);
    }
    wh__mem_free((void *)attrs.ptr);
    return (struct wh_bytes){bytes, bytes ? size : 0};
}

/* ---- making ---- */

struct wh__scope *wh__scope_new(wh_provider *provider, const struct wh_scope *given)
{
    struct wh__scope *scope = wh__mem_zero(sizeof *scope);
    if (!scope) return NULL;
    scope->provider = provider;
    memcpy(&scope->given, given, given->size < sizeof scope->given ? given->size : sizeof scope->given);
    scope->given.size = sizeof scope->given;
    if (!scope->given.name) scope->given.name = "";
    scope->encoded = encode(&scope->given);
    scope->enabled = true;
    const char *url = scope->given.schema_url;
    if (url && wh__is_utf8(url, strlen(url))) scope->schema_url = (struct wh_str){url, strlen(url)};
    if (scope->encoded.ptr) return scope;
    wh__scope_free(scope);
    return NULL;
}

void wh__scope_free(struct wh__scope *scope)
{
    if (scope) wh__mem_free((void *)scope->encoded.ptr);
    wh__mem_free(scope);
}

/* ---- the configurator ---- */

static void configure(struct wh__scope *scope)
{
    const struct wh_tracer_configure *how = &scope->provider->configure;
    struct wh_tracer_config config = {.size = sizeof config, .enabled = true};
    if (!how->fn) return;
    how->fn(&scope->given, &config, how->arg);
    __atomic_store_n(&scope->enabled, config.enabled, __ATOMIC_RELAXED);
}

/* Who comes in meanwhile asks for itself, and once more if it was asked for again before it was to be seen. */
void wh__scopes_configure(wh_provider *provider)
{
    __atomic_fetch_add(&provider->scopes.configured, 1, __ATOMIC_SEQ_CST);
    for (struct wh__scope *scope = __atomic_load_n(&provider->scopes.all, __ATOMIC_SEQ_CST); scope; scope = scope->next) configure(scope);
}

/* ---- learning ---- */

static bool equals(const struct wh__scope *a, const struct wh__scope *b)
{
    return a->encoded.len == b->encoded.len && memcmp(a->encoded.ptr, b->encoded.ptr, a->encoded.len) == 0 &&
           a->schema_url.len == b->schema_url.len &&
           (!a->schema_url.len || memcmp(a->schema_url.ptr, b->schema_url.ptr, a->schema_url.len) == 0);
}

static struct wh__scope *known(wh_provider *provider, const struct wh__scope *like)
{
    struct wh__scope *scope = __atomic_load_n(&provider->scopes.all, __ATOMIC_ACQUIRE);
    while (scope && !equals(scope, like)) scope = scope->next;
    return scope;
}

/* The one that is there already, or this one; NULL: there are too many. */
static struct wh__scope *enter(wh_provider *provider, struct wh__scope *fresh)
{
    wh__lock(&provider->scopes.lock);
    struct wh__scope *scope = known(provider, fresh);
    if (!scope && provider->scopes.count < WH__MOST_SCOPES) {
        scope = fresh;
        provider->scopes.count++;
        fresh->next = provider->scopes.all;
        __atomic_store_n(&provider->scopes.all, fresh, __ATOMIC_SEQ_CST);
    }
    wh__unlock(&provider->scopes.lock);
    return scope;
}

/* Only addresses are kept without an end to them: no more than there may be scopes, of which each may stand in several files. */
static void remember(wh_provider *provider, const struct wh_scope *at, struct wh__scope *scope)
{
    struct wh__scope_seen *seen = wh__mem_get(sizeof *seen), **bucket = wh__scope_bucket(provider, at);
    if (!seen) return;
    *seen = (struct wh__scope_seen){.at = at, .scope = scope};
    wh__lock(&provider->scopes.lock);
    const bool keep = provider->scopes.seen_count < 4 * WH__MOST_SCOPES;
    if (keep) {
        provider->scopes.seen_count++;
        seen->next = *bucket;
        __atomic_store_n(bucket, seen, __ATOMIC_RELEASE);
    }
    wh__unlock(&provider->scopes.lock);
    if (!keep) wh__mem_free(seen);
}

static void say_once(bool *said, const char *what)
{
    if (!__atomic_exchange_n(said, true, __ATOMIC_RELAXED)) wh_report(WH_WARNING, "%s", what);
}

struct wh__scope *wh__scope_learn(wh_provider *provider, const struct wh_scope *given)
{
    static bool nameless_said, full_said;
    struct wh__scope *fresh = wh__scope_new(provider, given);
    if (!fresh) return provider->own;
    if (!*fresh->given.name) say_once(&nameless_said, "a scope without a name: its spans are recorded without one");
    struct wh__scope *scope = known(provider, fresh);
    if (!scope) {
        uint32_t configured;
        do {
            configured = __atomic_load_n(&provider->scopes.configured, __ATOMIC_SEQ_CST);
            configure(fresh);
            if (!scope) scope = enter(provider, fresh);
        } while (scope == fresh && configured != __atomic_load_n(&provider->scopes.configured, __ATOMIC_SEQ_CST));
    }
    if (scope != fresh) wh__scope_free(fresh);
    if (!scope) say_once(&full_said, "more scopes than are kept apart: what the others start goes by the provider's own");
    if (!scope) scope = provider->own;
    remember(provider, given, scope);
    return scope;
}
