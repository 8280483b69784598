#include <string.h>

#include "propagate/headers.h"

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

static bool is_repeated(const struct member *members, size_t count, const struct member *candidate)
{
    for (size_t i = 0; i < count; i++)
        if (members[i].key_len == candidate->key_len && memcmp(members[i].text, candidate->text, candidate->key_len) == 0)
            return true;
    return false;
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
            if (!is_repeated(members, (size_t)count, &member)) {
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

bool wh__tracestate_read(const char *field, char *out, size_t size)
{
    struct member members[MOST_MEMBERS];
    out[0] = '\0';
    if (strnlen(field, MOST_FIELD + 1) > MOST_FIELD) return false;
    int count = read_members(field, members);
    if (count < 0) return false;
    count = shorten(members, count, size);
    for (int i = 0; i < count; i++) {
        if (i) *out++ = ',';
        memcpy(out, members[i].text, members[i].len);
        out += members[i].len;
    }
    *out = '\0';
    return true;
}
