/* The header "baggage": W3C Baggage, section 3.3.
 *
 *   baggage-string = list-member 0*179( OWS "," OWS list-member )
 *   list-member    = key OWS "=" OWS value *( OWS ";" OWS property ) */
#include <string.h>

#include "propagate/bag.h"
#include "propagate/percent.h"

/* ---- in ---- */

static const char *skip(const char *p, const char *end, unsigned classes)
{
    while (p < end && wh__is(*p, classes)) p++;
    return p;
}

/* What is left of it without the blanks around it. */
static struct wh__part trimmed(const char *from, const char *to)
{
    while (from < to && wh__is(*from, WH__BLANK)) from++;
    while (to > from && wh__is(to[-1], WH__BLANK)) to--;
    return (struct wh__part){from, (size_t)(to - from)};
}

/* Takes one off *p, which is at its first character, up to its comma or the end: false if it is none, and *p is where that was seen. The properties are one
 * opaque text for us. */
static bool read_member(const char **p, const char *end, struct wh__member *out)
{
    const char *name = *p, *name_end = skip(name, end, WH__TOKEN);
    *p = skip(name_end, end, WH__BLANK);
    if (name == name_end || *p == end || **p != '=') return false;
    const char *value = skip(*p + 1, end, WH__BLANK), *plain_end = skip(value, end, WH__PLAIN);
    const char *value_end = skip(plain_end, end, WH__OCTET);
    *p = skip(value_end, end, WH__BLANK);
    *out = (struct wh__member){
        .name = {name, (size_t)(name_end - name)},
        .value = {value, (size_t)(value_end - value)},
        .encoded = plain_end != value_end,
    };
    if (*p < end && **p == ';') {
        const char *metadata = *p + 1;
        *p = skip(metadata, end, WH__OPAQUE);
        out->metadata = trimmed(metadata, *p);
    }
    return *p == end || **p == ',';
}

/* Up to the last comma, if it is too long: the member behind that is cut. */
static const char *end_of(const char *header, size_t len)
{
    if (len <= WH__BAG_BYTES) return header + len;
    const char *end = header + WH__BAG_BYTES;
    while (end > header && *end != ',') end--;
    return end;
}

/* Members that are left out or repeated count, too: what is beyond the sixty-fourth is not looked at. */
void wh__bag_read(struct wh__members *members, const char *header, size_t len)
{
    const char *end = end_of(header, len);
    const char *p = header;
    for (unsigned count = 0; p < end && count < WH__BAG_MEMBERS; p++) {
        struct wh__member member;
        p = skip(p, end, WH__BLANK);
        if (p == end || *p == ',') continue;
        count++;
        if (read_member(&p, end, &member))
            wh__members_add(members, &member);
        else
            while (p < end && *p != ',') p++;
    }
}

/* ---- out ---- */

/* NULL: it cannot travel, or there is no room. A name that is no token has no form on the wire: nobody would decode it. */
static char *write_member(char *out, const char *end, const struct wh_baggage_member *member)
{
    const size_t name = strlen(member->name), metadata = member->metadata ? strlen(member->metadata) : 0;
    if (!wh__are(member->name, name, WH__TOKEN) || !wh__are(member->metadata, metadata, WH__OPAQUE)) return NULL;
    if (name + 1 > (size_t)(end - out)) return NULL;
    out = (char *)memcpy(out, member->name, name) + name;
    *out++ = '=';
    out = wh__percent_encode(out, end, member->value, strlen(member->value));
    if (!out || !metadata) return out;
    if (metadata + 1 > (size_t)(end - out)) return NULL;
    *out++ = ';';
    return (char *)memcpy(out, member->metadata, metadata) + metadata;
}

size_t wh__bag_write(const struct wh__bag *bag, char out[WH__BAG_HEADER_SIZE], unsigned *left_out)
{
    const char *end = out + WH__BAG_BYTES;
    char *p = out;
    *left_out = 0;
    for (size_t i = 0; i < bag->count; i++) {
        const bool first = p == out;
        char *next = first ? write_member(p, end, &bag->members[i]) : end - p < 2 ? NULL : write_member(p + 1, end, &bag->members[i]);
        if (!next) {
            ++*left_out;
            continue;
        }
        if (!first) *p = ',';
        p = next;
    }
    *p = '\0';
    return (size_t)(p - out);
}
