/* A context as bytes: for a message that waits in a queue. */
#include "propagate/bytes.h"

#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "context/clock.h"
#include "propagate/boot.h"
#include "propagate/composite.h"

static uint64_t get_number(const uint8_t *at, size_t bytes)
{
    uint64_t number = 0;
    while (bytes--) number = number << 8 | *at++;
    return number;
}

static void put_number(uint8_t *at, size_t bytes, uint64_t number)
{
    for (; bytes--; number >>= 8) at[bytes] = (uint8_t)number;
}

/* What is left of the deadline stands in the head, whatever field a propagator would put it into. */
static bool is_timeout(const char *name)
{
    return strcasecmp(name, WH__TIMEOUT_FIELD) == 0 || strcasecmp(name, WH__GRPC_TIMEOUT_FIELD) == 0;
}

/* ---- fields ---- */

struct field {
    const char *name, *value;
    size_t len; /* in bytes, of all of it */
};

/* The field that begins at `at`, if all of it lies before `end` and is as it should be. */
static bool read_field(const uint8_t *at, const uint8_t *end, struct field *field)
{
    if (end - at < WH__BYTES_FIELD) return false;
    const size_t name_len = at[0], value_len = (size_t)get_number(at + 1, 2), len = WH__BYTES_FIELD + name_len + value_len;
    if (!name_len || (size_t)(end - at) < len) return false;
    *field = (struct field){(const char *)at + 3, (const char *)at + 4 + name_len, len};
    return memchr(field->name, '\0', name_len + 1) == field->name + name_len
        && memchr(field->value, '\0', value_len + 1) == field->value + value_len;
}

/* ---- out ---- */

struct draft {
    const wh_ctx *ctx;
    int64_t timeout;
    size_t len;
    unsigned count;
    bool left_out;
    uint8_t bytes[WH_BYTES_MAX];
};

/* What is set later holds. */
static void drop(struct draft *draft, const char *name)
{
    uint8_t *end = draft->bytes + draft->len;
    struct field field;
    for (uint8_t *at = draft->bytes + WH__BYTES_HEAD; read_field(at, end, &field); at += field.len) {
        if (strcasecmp(field.name, name)) continue;
        memmove(at, at + field.len, (size_t)(end - at) - field.len);
        draft->len -= field.len;
        draft->count--;
        return;
    }
}

static void set(void *carrier, const char *name, const char *value)
{
    struct draft *draft = carrier;
    if (is_timeout(name)) {
        draft->timeout = wh_remaining(draft->ctx);
        return;
    }
    drop(draft, name);
    const size_t name_len = strlen(name), value_len = strlen(value);
    const size_t room = sizeof draft->bytes - draft->len - WH__BYTES_FIELD;
    if (!name_len || name_len > UINT8_MAX || draft->count == UINT8_MAX || draft->len + WH__BYTES_FIELD > sizeof draft->bytes
        || name_len > room || value_len > room - name_len) {
        draft->left_out = true;
        return;
    }
    uint8_t *at = draft->bytes + draft->len;
    at[0] = (uint8_t)name_len;
    put_number(at + 1, 2, value_len);
    memcpy(at + 3, name, name_len + 1);
    memcpy(at + 4 + name_len, value, value_len + 1);
    draft->len += WH__BYTES_FIELD + name_len + value_len;
    draft->count++;
}

/* A clock of one's own (test.h) is nobody else's. */
static uint64_t clock_of(const wh_ctx *ctx)
{
    return ctx && ctx->flags & WH__CLOCKED ? 0 : wh__boot();
}

/* The clock is read before the time that is left: so it never looks as if less had passed since. */
static void write_head(struct draft *draft, int64_t now)
{
    uint8_t *at = draft->bytes;
    memcpy(at, "wh", 2);
    at[2] = WH__BYTES_VERSION;
    at[3] = (uint8_t)draft->count;
    put_number(at + 4, 8, clock_of(draft->ctx));
    put_number(at + 12, 8, (uint64_t)now);
    put_number(at + 20, 8, (uint64_t)draft->timeout);
}

size_t wh_inject_bytes(const wh_ctx *ctx, void *buf, size_t size)
{
    static const struct wh_carrier to = {.size = sizeof to, .set = set};
    static bool said;
    struct draft draft; /* not all zeros: it is large */
    draft.ctx = ctx;
    draft.timeout = WH_NEVER;
    draft.len = WH__BYTES_HEAD;
    draft.count = 0;
    draft.left_out = false;
    const int64_t now = wh__now();
    wh__inject_all(wh__composite_now(), ctx, &to, &draft);
    if (draft.left_out && !__atomic_exchange_n(&said, true, __ATOMIC_RELAXED))
        wh_report(WH_WARNING, "a field is not sent with a message: there are too many, or too long ones");
    if (!draft.count && draft.timeout == WH_NEVER) return 0;
    if (draft.len > size) return draft.len;
    write_head(&draft, now);
    memcpy(buf, draft.bytes, draft.len);
    return draft.len;
}

/* ---- in ---- */

struct message {
    const uint8_t *fields, *end;
    int64_t timeout; /* what was left when it was written; WH_NEVER: there is no deadline */
    char text[WH__TIMEOUT_SIZE];
};

/* How long it had been under way `now`: by the clock that both have, or as we were told, or not known; then nothing. */
static int64_t age(const uint8_t *head, const wh_ctx *parent, int64_t now, int64_t waited)
{
    const uint64_t boot = get_number(head + 4, 8);
    const int64_t known = boot && boot == clock_of(parent) ? wh__sub(now, (int64_t)get_number(head + 12, 8)) : waited;
    return known > 0 ? known : 0;
}

/* Looks at every byte, and keeps none. */
static bool is_sound(const uint8_t *bytes, size_t len)
{
    if (len < WH__BYTES_HEAD || len > WH_BYTES_MAX || memcmp(bytes, "wh", 2) || bytes[2] != WH__BYTES_VERSION) return false;
    const uint8_t *at = bytes + WH__BYTES_HEAD, *end = bytes + len;
    struct field field;
    unsigned count = 0;
    for (; at < end && read_field(at, end, &field); at += field.len) count++;
    return at == end && count == bytes[3];
}

/* Rounded down, since it is known exactly: what is made of this text never grows. */
static const char *say_timeout(struct message *message)
{
    if (message->timeout == WH_NEVER) return NULL;
    wh__timeout_write_down(message->text, message->timeout);
    return message->text;
}

static const char *get(void *carrier, const char *name)
{
    struct message *message = carrier;
    struct field field;
    if (is_timeout(name)) return say_timeout(message);
    for (const uint8_t *at = message->fields; read_field(at, message->end, &field); at += field.len)
        if (strcasecmp(field.name, name) == 0) return field.value;
    return NULL;
}

static void keys(void *carrier, wh_each_fn *each, void *arg)
{
    const struct message *message = carrier;
    struct field field;
    if (message->timeout != WH_NEVER && !each(arg, WH__TIMEOUT_FIELD)) return;
    for (const uint8_t *at = message->fields; read_field(at, message->end, &field); at += field.len)
        if (!each(arg, field.name)) return;
}

wh_ctx *wh_extract_bytes_at(const wh_ctx *parent, const struct wh_bytes_opts *given)
{
    static const struct wh_carrier from = {.size = sizeof from, .get = get, .keys = keys};
    struct wh_bytes_opts opts = {0};
    memcpy(&opts, given, given->size < sizeof opts ? given->size : sizeof opts);
    const uint8_t *bytes = opts.bytes;
    struct message message = {.fields = NULL, .timeout = WH_NEVER};
    int64_t written = WH_NEVER;
    if (bytes && is_sound(bytes, opts.len)) {
        const int64_t now = wh__now_for(parent);
        message = (struct message){bytes + WH__BYTES_HEAD, bytes + opts.len, (int64_t)get_number(bytes + 20, 8), ""};
        written = wh__sub(now, age(bytes, parent, now, opts.waited));
    }
    return wh__extract_as_of(wh__composite_now(), parent, &from, &message, opts.site, written);
}
