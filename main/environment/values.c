#include "main/values.h"

#include <ctype.h>
#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- text ---- */

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

char *wh__trimmed(char *text)
{
    while (is_space(*text)) text++;
    size_t len = strlen(text);
    while (len && is_space(text[len - 1])) text[--len] = '\0';
    return text;
}

static const char *skip_space(const char *text)
{
    while (is_space(*text)) text++;
    return text;
}

int wh__parse_number(const char *text, uint64_t least, uint64_t most, uint64_t *out)
{
    uint64_t number = 0;
    bool too_large = false;
    const char *p = skip_space(text);
    const bool negative = *p == '-';
    if (negative) p++;
    if (!isdigit((unsigned char)*p)) return EINVAL;
    for (; isdigit((unsigned char)*p); p++) {
        too_large = too_large || __builtin_mul_overflow(number, 10, &number) ||
                    __builtin_add_overflow(number, (uint64_t)(*p - '0'), &number);
    }
    if (*skip_space(p)) return EINVAL;
    if (negative || too_large || number < least || number > most) return ERANGE;
    *out = number;
    return 0;
}

int wh__parse_ratio(const char *text, double *out)
{
    char *end;
    const char *start = skip_space(text);
    if (start[strspn(start, "+-.0123456789eE \t")]) return EINVAL; /* no "nan", no "infinity", no hexadecimal */
    const locale_t c = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0);
    const locale_t before = c ? uselocale(c) : (locale_t)0;
    const double value = strtod(start, &end);
    if (c) {
        uselocale(before);
        freelocale(c);
    }
    if (end == start || *skip_space(end)) return EINVAL;
    if (!(value >= 0 && value <= 1)) return ERANGE;
    *out = value;
    return 0;
}

int wh__parse_word(const char *text, const char *const *words)
{
    const char *start = skip_space(text);
    size_t len = strlen(start);
    while (len && is_space(start[len - 1])) len--;
    for (int i = 0; words[i]; i++)
        if (strlen(words[i]) == len && strncasecmp(start, words[i], len) == 0) return i;
    return -1;
}

int wh__parse_bool(const char *text, bool *out)
{
    static const char *const words[] = {"false", "true", NULL};
    const int which = wh__parse_word(text, words);
    if (which < 0) return EINVAL;
    *out = which == 1;
    return 0;
}

static int hex_digit(char c)
{
    return isdigit((unsigned char)c) ? c - '0' : isxdigit((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10 : -1;
}

bool wh__decode(char *text)
{
    char *out = text;
    for (; *text; text++) {
        if (*text == '%') {
            const int high = hex_digit(text[1]), low = high < 0 ? -1 : hex_digit(text[2]);
            if (low < 0 || (high | low) == 0) return false;
            *out++ = (char)(high << 4 | low);
            text += 2;
        } else {
            *out++ = *text;
        }
    }
    *out = '\0';
    return true;
}

/* ---- variables ---- */

const char *wh__env(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

void wh__env_ignored(const char *name, const char *value, const char *why)
{
    wh_report(WH_WARNING, "%s=%.100s %s, and ignored", name, value, why ? why : "is not understood");
}

static bool understood(const char *name, const char *value, int rc)
{
    if (rc) wh__env_ignored(name, value, rc == ERANGE ? "is out of range" : NULL);
    return rc == 0;
}

bool wh__env_number(const char *name, uint64_t least, uint64_t most, uint64_t *out)
{
    const char *value = wh__env(name);
    return value && understood(name, value, wh__parse_number(value, least, most, out));
}

bool wh__env_size(const char *name, uint32_t least, uint32_t *out)
{
    uint64_t number;
    if (!wh__env_number(name, least, INT32_MAX, &number)) return false;
    *out = (uint32_t)number;
    return true;
}

bool wh__env_bool(const char *name, bool *out)
{
    const char *value = wh__env(name);
    return value && understood(name, value, wh__parse_bool(value, out));
}

bool wh__env_word(const char *name, const char *const *words, int *out)
{
    const char *value = wh__env(name);
    const int which = value ? wh__parse_word(value, words) : -1;
    if (value && which < 0) wh__env_ignored(name, value, NULL);
    if (which >= 0) *out = which;
    return which >= 0;
}

static bool read_ms(const char *name, int64_t of_zero, int64_t *out)
{
    uint64_t ms;
    if (!wh__env_number(name, 0, INT64_MAX / 1000000, &ms)) return false;
    *out = ms ? WH_MS((int64_t)ms) : of_zero;
    return true;
}

bool wh__env_timeout(const char *name, int64_t *out)
{
    return read_ms(name, WH_NEVER, out);
}

bool wh__env_delay(const char *name, int64_t *out)
{
    return read_ms(name, 1, out);
}
