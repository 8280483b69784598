#include "trace/tracestate.h"

#include <errno.h>
#include <string.h>

enum { MOST_MEMBERS = 32, LONG_MEMBER = 128, MOST_KEY = 256, MOST_VALUE = 256, MOST_FIELD = 16384 };

struct member {
    const char *text;
    uint16_t key_len, len;
};

static bool is_key_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_key_char(char c)
{
    return is_key_start(c) || c == '_' || c == '-' || c == '*' || c == '/' || c == '@';
}

static bool is_value_char(char c)
{
    return c >= 0x20 && c <= 0x7e && c != ',' && c != '=';
}

/* key = ( lcalpha / DIGIT ) 0*255( keychar );  value = 0*255( chr ) nblk-chr, section 3.3.1.3. White space after a value
 * is not part of it. */
static bool read_member(const char *text, size_t len, struct member *out)
{
    size_t key = 0;
    while (key < len && is_key_char(text[key])) key++;
    if (key == 0 || key > MOST_KEY || !is_key_start(text[0]) || key == len || text[key] != '=') return false;
    for (size_t i = key + 1; i < len; i++)
        if (!is_value_char(text[i])) return false;
    const size_t value = len - key - 1;
    if (value == 0 || value > MOST_VALUE) return false;
    *out = (struct member){text, (uint16_t)key, (uint16_t)len};
    return true;
}

/* Where that key stands; -1 if nowhere. */
static int find(const struct member *members, int count, const char *key, size_t len)
{
    for (int i = 0; i < count; i++)
        if (members[i].key_len == len && memcmp(members[i].text, key, len) == 0) return i;
    return -1;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* -1: some rule is broken. Empty members are allowed, and do not count. Of two with one key the first holds: it is the one
 * that was added last. */
static int read_members(const char *field, struct member members[MOST_MEMBERS])
{
    int count = 0;
    for (const char *p = field;; p++) {
        const char *end = p + strcspn(p, ",");
        const char *last = end;
        while (p < last && is_blank(*p)) p++;
        while (last > p && is_blank(last[-1])) last--;
        if (last > p) {
            struct member member;
            if (!read_member(p, (size_t)(last - p), &member)) return -1;
            if (find(members, count, member.text, member.key_len) < 0) {
                if (count == MOST_MEMBERS) return -1;
                members[count++] = member;
            }
        }
        if (!*end) return count;
        p = end;
    }
}

static size_t length_of(const struct member *members, int count)
{
    size_t length = 0;
    for (int i = 0; i < count; i++) length += members[i].len + 1u;
    return length; /* commas between, and the end */
}

static int drop(struct member *members, int count, int i)
{
    memmove(members + i, members + i + 1, (size_t)(count - i - 1) * sizeof *members);
    return count - 1;
}

/* Section 3.3.1.5. */
static int shorten(struct member *members, int count, size_t size)
{
    for (int i = count - 1; i >= 0 && length_of(members, count) > size; i--)
        if (members[i].len > LONG_MEMBER) count = drop(members, count, i);
    while (count && length_of(members, count) > size) count--;
    return count;
}

static void write(char *out, const struct member *members, int count)
{
    for (int i = 0; i < count; i++) {
        if (i) *out++ = ',';
        memcpy(out, members[i].text, members[i].len);
        out += members[i].len;
    }
    *out = '\0';
}

bool wh__tracestate_read(const char *field, char *out, size_t size)
{
    struct member members[MOST_MEMBERS];
    out[0] = '\0';
    if (strnlen(field, MOST_FIELD + 1) > MOST_FIELD) return false;
    const int count = read_members(field, members);
    if (count < 0) return false;
    write(out, members, shorten(members, count, size));
    return true;
}

/* ---- getting and editing ---- */

/* The members of what should be a list already; of one that is none, there are none. */
static int members_of(const char *state, struct member members[MOST_MEMBERS])
{
    return state && strnlen(state, MOST_FIELD + 1) <= MOST_FIELD ? read_members(state, members) : state ? -1 : 0;
}

bool wh_tracestate_get(const char *state, const char *key, struct wh_str *value)
{
    struct member members[MOST_MEMBERS];
    const int count = key ? members_of(state, members) : 0, i = count > 0 ? find(members, count, key, strlen(key)) : -1;
    if (i < 0) return false;
    *value = (struct wh_str){members[i].text + members[i].key_len + 1, members[i].len - members[i].key_len - 1u};
    return true;
}

static bool is_key(const char *key)
{
    size_t len = 0;
    if (!key || !is_key_start(key[0])) return false;
    while (len <= MOST_KEY && is_key_char(key[len])) len++;
    return len <= MOST_KEY && key[len] == '\0';
}

static bool is_value(const char *value, size_t len)
{
    if (len == 0 || len > MOST_VALUE || value[len - 1] == ' ') return false;
    for (size_t i = 0; i < len; i++)
        if (!is_value_char(value[i])) return false;
    return true;
}

static int set(char *out, size_t size, const char *key, const char *value, size_t len, struct member *members, int count)
{
    const size_t key_len = strlen(key), own = key_len + 1 + len;
    if (own >= size) return EINVAL;
    memcpy(out, key, key_len);
    out[key_len] = '=';
    memcpy(out + key_len + 1, value, len);
    out[own] = '\0';
    if (count == MOST_MEMBERS) count--; /* the one that was added longest ago */
    count = own + 1 < size ? shorten(members, count, size - own - 1) : 0;
    if (count == 0) return 0;
    out[own] = ',';
    write(out + own + 1, members, count);
    return 0;
}

int wh__tracestate_edit(char *out, size_t size, const char *state, const char *key, const char *value, size_t len)
{
    struct member members[MOST_MEMBERS];
    int count = members_of(state, members);
    const bool valid = count >= 0 && is_key(key) && (!value || is_value(value, len));
    if (valid) {
        const int i = find(members, count, key, strlen(key));
        if (i >= 0) count = drop(members, count, i);
        if (value && set(out, size, key, value, len, members, count) == 0) return 0;
        if (!value) {
            write(out, members, shorten(members, count, size));
            return 0;
        }
        count = members_of(state, members);
    }
    write(out, members, count > 0 ? shorten(members, count, size) : 0);
    return EINVAL;
}

/* Said once: who edits wrongly does so often. */
static int refused(const char *key, const char *value)
{
    static bool said;
    if (!__atomic_exchange_n(&said, true, __ATOMIC_RELAXED))
        wh_report(WH_WARNING, "a tracestate stays as it was: \"%.60s=%.60s\" cannot be in one, or it was none", key ? key : "", value);
    return EINVAL;
}

int wh_tracestate_set(char *out, size_t size, const char *state, const char *key, const char *value)
{
    const char *text = value ? value : "";
    return wh__tracestate_edit(out, size, state, key, text, strnlen(text, MOST_VALUE + 1)) ? refused(key, text) : 0;
}

int wh_tracestate_remove(char *out, size_t size, const char *state, const char *key)
{
    return wh__tracestate_edit(out, size, state, key, NULL, 0) ? refused(key, "") : 0;
}
