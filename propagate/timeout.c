#include "propagate/headers.h"

static const struct {
    char letter;
    int64_t ns;
} units[] = {{'n', 1}, {'u', 1000}, {'m', 1000000}, {'S', INT64_C(1000000000)}, {'M', INT64_C(60000000000)},
    {'H', INT64_C(3600000000000)}};
enum { UNITS = sizeof units / sizeof *units, DIGITS = 8, MOST = 99999999 };

bool wh__timeout_read(const char *field, int64_t *ns)
{
    int64_t count = 0;
    int digits = 0;
    for (; digits < DIGITS && field[digits] >= '0' && field[digits] <= '9'; digits++) count = 10 * count + field[digits] - '0';
    if (digits == 0 || !field[digits] || field[digits + 1]) return false;
    for (int i = 0; i < UNITS; i++) {
        if (units[i].letter != field[digits]) continue;
        if (__builtin_mul_overflow(count, units[i].ns, ns)) *ns = INT64_MAX;
        return true;
    }
    return false;
}

/* In the finest unit in which it has at most eight digits. */
static void write(char *out, int64_t ns, bool up)
{
    char digits[DIGITS];
    int i = 0, len = 0;
    while (i < UNITS - 1 && ns > MOST * units[i].ns) i++;
    const int64_t left = ns / units[i].ns + (up && ns % units[i].ns != 0);
    uint32_t count = left > MOST ? MOST : (uint32_t)left;
    do {
        digits[len++] = (char)('0' + count % 10);
        count /= 10;
    } while (count);
    while (len) *out++ = digits[--len];
    *out++ = units[i].letter;
    *out = '\0';
}

/* It must not look shorter than it is. */
void wh__timeout_write(char out[WH__TIMEOUT_SIZE], int64_t ns)
{
    write(out, ns < 1 ? 1 : ns, true);
}

void wh__timeout_write_down(char out[WH__TIMEOUT_SIZE], int64_t ns)
{
    write(out, ns < 0 ? 0 : ns, false);
}
