/* What the environment says of traces that are not sampled. */
#include <string.h>
#include <strings.h>

#include "main/environment.h"
#include "main/values.h"

static unsigned because_of(const char *word, size_t len)
{
    static const struct { const char *word; unsigned because; } known[] = {
        {"cancelled", WH_KEEP_CANCELLED}, {"failed", WH_KEEP_FAILED}, {"late", WH_KEEP_LATE}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strlen(known[i].word) == len && strncasecmp(known[i].word, word, len) == 0) return known[i].because;
    return 0;
}

/* As a whole, or not at all. */
static void read_because(unsigned *because)
{
    const char *value = wh__env("WHENCE_KEEP_BECAUSE");
    unsigned all = 0;
    for (const char *word = value; word && *word;) {
        const size_t len = strcspn(word, ", ");
        const unsigned one = because_of(word, len);
        if (len && !one) {
            wh__env_ignored("WHENCE_KEEP_BECAUSE", value, NULL);
            return;
        }
        all |= one;
        word += len + (word[len] != '\0');
    }
    if (all) *because = all;
}

void wh__env_keep(struct wh_keep *keep)
{
    wh__env_bool("WHENCE_KEEP", &keep->enabled);
    wh__env_size("WHENCE_KEEP_PER_SECOND", 1, &keep->per_second);
    wh__env_number("WHENCE_KEEP_MEMORY", 1, INT64_MAX, &keep->memory);
    wh__env_size("WHENCE_KEEP_SPANS", 1, &keep->spans);
    wh__env_delay("WHENCE_KEEP_EVERY", &keep->every);
    read_because(&keep->because);
}
