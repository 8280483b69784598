/* Causes as a field of a response (docs/cause-header.md): a list of tokens with parameters (RFC 9651). */
#include <string.h>

#include "base/hex.h"
#include "base/utf8.h"
#include "propagate/cause.h"
#include "propagate/structured.h"

/* ---- in ---- */

static bool is_key(const struct wh__part *key, char c)
{
    return key->len == 1 && *key->text == c;
}

static bool is_clean(const struct wh__sf_item *item)
{
    for (const char *at = item->text, *end = at + item->len; at < end;) {
        if (*at >= ' ' && *at <= '~') at++;
        else if (wh__is_control(wh__utf8_next(&at, end))) return false;
    }
    return true;
}

/* How much of it is kept. No byte takes more than three when it is encoded. */
static size_t kept_of(const struct wh__sf_item *item, size_t most)
{
    if (item->len <= most / 3) return item->len;
    return item->kind == WH__SF_DISPLAY ? wh__sf_fit_display(item->text, item->len, most) : wh__sf_fit_string(item->text, item->len, most);
}

/* What is longer than it should be is cut, as the sender should have done. An empty text says nothing. */
static bool take_text(struct wh__sf *sf, const struct wh__sf_item *item, enum wh__sf_kind kind, size_t most, const char **text)
{
    if (item->kind != kind || !is_clean(item)) return false;
    sf->room[kept_of(item, most)] = '\0';
    *text = *item->text ? item->text : NULL;
    wh__sf_keep(sf, item);
    return true;
}

/* Lowercase digits, not all of them zero. */
static bool take_id(const struct wh__sf_item *item, uint8_t *id, size_t len)
{
    static const uint8_t none[16];
    return item->kind == WH__SF_STRING && item->len == 2 * len && wh__take_hex(id, item->text, len) && memcmp(id, none, len) != 0;
}

struct member {
    struct wh_because *link;
    bool has_version, has_trace, has_span;
};

static bool take_version(struct member *member, const struct wh__sf_item *value)
{
    member->has_version = true;
    return value->kind == WH__SF_INTEGER && value->number == WH__CAUSE_VERSION;
}

/* A parameter that is not known is none of our business. */
static bool take(struct wh__sf *sf, struct member *member, const struct wh__part *key, const struct wh__sf_item *value)
{
    struct wh_because *link = member->link;
    if (is_key(key, 'v')) return take_version(member, value);
    if (is_key(key, 't')) return member->has_trace = take_id(value, link->trace_id, sizeof link->trace_id);
    if (is_key(key, 'p')) return member->has_span = take_id(value, link->span_id, sizeof link->span_id);
    if (is_key(key, 'm')) return take_text(sf, value, WH__SF_DISPLAY, WH__CAUSE_TEXT, &link->text);
    if (is_key(key, 's')) return take_text(sf, value, WH__SF_STRING, WH__CAUSE_SITE, &link->site);
    if (is_key(key, 'n')) return take_text(sf, value, WH__SF_DISPLAY, WH__CAUSE_SPAN_NAME, &link->span_name);
    if (is_key(key, 'o')) return take_text(sf, value, WH__SF_DISPLAY, WH__CAUSE_SERVICE, &link->service);
    return true;
}

static bool take_reason(struct wh__sf *sf, struct wh_because *link)
{
    struct wh__sf_item item;
    if (!wh__sf_item(sf, &item) || (item.kind != WH__SF_TOKEN && item.kind != WH__SF_STRING)) return false;
    if (item.len == 0 || wh__sf_fit_string(item.text, item.len, WH__CAUSE_REASON) < item.len) return false;
    link->reason = item.text;
    wh__sf_keep(sf, &item);
    return true;
}

static bool read_member(struct wh__sf *sf, struct wh_because *link, bool first)
{
    struct member member = {.link = link};
    *link = (struct wh_because){.size = sizeof *link, .remote = true};
    if (!take_reason(sf, link)) return false;
    while (wh__sf_at_parameter(sf)) {
        struct wh__part key;
        struct wh__sf_item value;
        if (!wh__sf_parameter(sf, &key, &value) || !take(sf, &member, &key, &value)) return false;
    }
    return member.has_trace == member.has_span && (member.has_version || !first);
}

bool wh__cause_read(const char *field, size_t len, struct wh__causes *out)
{
    struct wh__sf sf = {field, field + len, out->texts};
    if (len > WH__CAUSE_BYTES) return false;
    out->count = 0;
    wh__sf_begin(&sf);
    while (sf.at < sf.end) {
        if (out->count == WH_CAUSES_MAX || !read_member(&sf, &out->list[out->count], out->count == 0) || !wh__sf_next(&sf)) return false;
        out->count++;
    }
    return out->count > 0;
}

/* ---- out ---- */

/* The most that a member takes: its reason in quotes, ", " before it, and for each parameter ;k= and what stands around a text. */
enum {
    MEMBER = 2 + WH__CAUSE_REASON + 2 + 4 + WH__CAUSE_TEXT + 6 + WH__CAUSE_SITE + 5 + 3 + 34 + 3 + 18 + WH__CAUSE_SPAN_NAME + 6 +
             WH__CAUSE_SERVICE + 6
};
_Static_assert(2 * MEMBER <= WH__CAUSE_BYTES, "the first and the last always fit");

static char *put_parameter(char *out, char key)
{
    *out++ = ';';
    *out++ = key;
    *out++ = '=';
    return out;
}

static char *put_display(char *out, char key, const char *text, size_t most)
{
    if (!text || !*text) return out;
    return wh__sf_put_display(put_parameter(out, key), text, strnlen(text, most), most);
}

static char *put_site(char *out, const char *site)
{
    if (!site || !*site) return out;
    return wh__sf_put_string(put_parameter(out, 's'), site, strnlen(site, WH__CAUSE_SITE), WH__CAUSE_SITE);
}

static char *put_id(char *out, char key, const uint8_t *id, size_t len)
{
    out = put_parameter(out, key);
    *out++ = '"';
    wh__put_hex(out, id, len);
    out += 2 * len;
    *out++ = '"';
    return out;
}

static char *put_span(char *out, const struct wh_because *link)
{
    static const uint8_t none[16];
    if (memcmp(link->trace_id, none, 16) == 0 || memcmp(link->span_id, none, 8) == 0) return out;
    return put_id(put_id(out, 't', link->trace_id, 16), 'p', link->span_id, 8);
}

static char *put_reason(char *out, const char *reason)
{
    const char *name = reason && *reason ? reason : "unknown";
    const size_t len = strnlen(name, WH__CAUSE_REASON);
    if (!wh__sf_is_token(name, len)) return wh__sf_put_string(out, name, len, WH__CAUSE_REASON);
    memcpy(out, name, len);
    return out + len;
}

static size_t write_member(char out[MEMBER], const struct wh_because *link, bool first)
{
    char *at = out;
    if (!first) {
        *at++ = ',';
        *at++ = ' ';
    }
    at = put_reason(at, link->reason);
    if (first) {
        at = put_parameter(at, 'v');
        *at++ = '0' + WH__CAUSE_VERSION;
    }
    at = put_display(at, 'm', link->text, WH__CAUSE_TEXT);
    at = put_site(at, link->site);
    at = put_span(at, link);
    at = put_display(at, 'n', link->span_name, WH__CAUSE_SPAN_NAME);
    return (size_t)(put_display(at, 'o', link->service, WH__CAUSE_SERVICE) - out);
}

size_t wh__cause_write(char *buf, size_t size, const struct wh_because *list, size_t count)
{
    char last[MEMBER], member[MEMBER];
    const size_t kept = count < WH_CAUSES_MAX ? count : WH_CAUSES_MAX;
    const size_t last_len = count > 1 ? write_member(last, &list[count - 1], false) : 0;
    const size_t most = size <= WH__CAUSE_BYTES ? size : WH_CAUSE_SIZE; /* with the zero byte */
    size_t len = 0;
    if (size) *buf = '\0';
    for (size_t i = 0; i < count && (i == 0 || i < kept - 1); i++) {
        const size_t takes = write_member(member, &list[i], i == 0);
        if (len + takes + last_len >= most) break;
        memcpy(buf + len, member, takes);
        len += takes;
    }
    if (len == 0) return 0;
    memcpy(buf + len, last, last_len);
    buf[len + last_len] = '\0';
    return len + last_len;
}
