#include "trace/ot.h"

#include <stdio.h>

#include "trace/sampler.h"
#include "trace/tracestate.h"

enum { DIGITS = WH__RANDOM_BITS / 4 };

/* ---- reading ---- */

/* key:value of the entry, where `rest` begins, which moves on to the next one. */
struct part {
    const char *text;
    size_t key_len, len;
};

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_value_char(char c)
{
    return is_lower(c) || is_digit(c) || (c >= 'A' && c <= 'Z') || c == '.' || c == '_' || c == '-';
}

/* False at the end, and where a rule is broken: then there is a rest. */
static bool next_part(struct wh_str *rest, struct part *out)
{
    if (rest->len == 0 || !is_lower(*rest->ptr)) return false;
    const char *p = rest->ptr, *end = p + rest->len;
    while (p < end && (is_lower(*p) || is_digit(*p))) p++;
    if (p == end || *p != ':') return false;
    *out = (struct part){.text = rest->ptr, .key_len = (size_t)(p - rest->ptr)};
    for (p++; p < end && is_value_char(*p); p++) continue;
    out->len = (size_t)(p - rest->ptr);
    if (p < end && (*p != ';' || p + 1 == end)) return false;
    if (p < end) p++;
    *rest = (struct wh_str){p, (size_t)(end - p)};
    return true;
}

static bool is_key(const struct part *part, const char *key, size_t len)
{
    return part->key_len == len && memcmp(part->text, key, len) == 0;
}

/* What stands before a part has been read already, and ends with a semicolon. */
static bool came_before(struct wh_str all, const struct part *part)
{
    for (const char *p = all.ptr; p < part->text; p = (const char *)memchr(p, ';', (size_t)(part->text - p)) + 1)
        if (memcmp(p, part->text, part->key_len + 1) == 0) return true;
    return false;
}

static bool read_hex(const char *digits, size_t len, uint64_t *out)
{
    uint64_t value = 0;
    for (size_t i = 0; i < len; i++) {
        if (!is_digit(digits[i]) && !(digits[i] >= 'a' && digits[i] <= 'f')) return false;
        value = value << 4 | (uint64_t)(is_digit(digits[i]) ? digits[i] - '0' : digits[i] - 'a' + 10);
    }
    *out = value << 4 * (DIGITS - len);
    return true;
}

static void read_part(struct wh__ot *ot, const struct part *part)
{
    const char *value = part->text + part->key_len + 1;
    const size_t len = part->len - part->key_len - 1;
    if (is_key(part, "th", 2)) {
        ot->names_threshold = true;
        ot->has_threshold = len >= 1 && len <= DIGITS && read_hex(value, len, &ot->threshold);
    } else if (is_key(part, "rv", 2)) {
        ot->has_randomness = len == DIGITS && read_hex(value, len, &ot->randomness);
    }
}

/* In what is a list already: what is wrong in it is found when it is written. */
static bool find_entry(const char *tracestate, struct wh_str *value)
{
    for (const char *p = tracestate; p; p = strchr(p, ',')) {
        if (*p == ',') p++;
        if (strncmp(p, "ot=", 3)) continue;
        *value = (struct wh_str){p + 3, strcspn(p + 3, ",")};
        return true;
    }
    return false;
}

void wh__ot_read(const char *tracestate, struct wh__ot *out)
{
    struct wh_str value, rest;
    struct part part;
    *out = (struct wh__ot){.threshold = WH_NO_THRESHOLD};
    if (!tracestate || !find_entry(tracestate, &value)) return;
    rest = value;
    out->value = value;
    out->broken = value.len > WH__MOST_OT;
    while (!out->broken && next_part(&rest, &part)) {
        out->broken = came_before(value, &part);
        read_part(out, &part);
    }
    if (out->broken || rest.len) *out = (struct wh__ot){.threshold = WH_NO_THRESHOLD, .broken = true};
}

/* ---- writing ---- */

struct value {
    char text[WH__MOST_OT];
    size_t len;
    bool too_long;
};

static void add(struct value *value, const char *text, size_t len)
{
    const size_t needed = len + (value->len > 0);
    if (needed > sizeof value->text - value->len) {
        value->too_long = true;
        return;
    }
    if (value->len) value->text[value->len++] = ';';
    memcpy(value->text + value->len, text, len);
    value->len += len;
}

/* Without the zeros at its end; 0 itself is one. */
static void add_threshold(struct value *value, uint64_t threshold)
{
    char text[4 + DIGITS];
    size_t len = (size_t)snprintf(text, sizeof text, "th:%014llx", (unsigned long long)threshold);
    while (len > 4 && text[len - 1] == '0') len--;
    add(value, text, len);
}

static void add_randomness(struct value *value, uint64_t randomness)
{
    char text[4 + DIGITS];
    add(value, text, (size_t)snprintf(text, sizeof text, "rv:%014llx", (unsigned long long)randomness));
}

static const char *refused(const char *tracestate)
{
    static bool told;
    if (wh__first_time(&told))
        wh_report(WH_WARNING, "a sampling threshold does not fit into a tracestate, which stays as it was: "
                              "its entry \"ot\" has at most %d characters", WH__MOST_OT);
    return tracestate;
}

static const char *replace(const char *tracestate, const struct value *value, char **scratch, size_t *scratch_size)
{
    char *out = *scratch;
    const size_t size = *scratch_size < WH_TRACESTATE_SIZE ? *scratch_size : WH_TRACESTATE_SIZE;
    if (size == 0) return refused(tracestate);
    if (wh__tracestate_edit(out, size, tracestate, "ot", value->len ? value->text : NULL, value->len)) return refused(tracestate);
    const size_t used = strlen(out) + 1;
    *scratch += used;
    *scratch_size -= used;
    return out;
}

const char *wh__ot_write(const char *tracestate, const struct wh__ot *ot, uint64_t threshold, const uint64_t *randomness,
                         char **scratch, size_t *scratch_size)
{
    struct value value = {.len = 0};
    struct wh_str rest = ot->value;
    struct part part;
    const bool is_there = threshold == WH_NO_THRESHOLD ? !ot->names_threshold : ot->has_threshold && ot->threshold == threshold;
    if (is_there && !ot->broken && !randomness) return tracestate;
    if (threshold != WH_NO_THRESHOLD) add_threshold(&value, threshold);
    while (next_part(&rest, &part))
        if (!is_key(&part, "th", 2)) add(&value, part.text, part.len);
    if (randomness && !ot->has_randomness) add_randomness(&value, *randomness);
    return value.too_long ? refused(tracestate) : replace(tracestate, &value, scratch, scratch_size);
}
