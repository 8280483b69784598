#include "words.h"

#include <string.h>

#include "base/utf8.h"

void wh__put_site(struct wh__text *text, const char *before, const struct wh_site *site)
{
    if (!site) return;
    const char *slash = strrchr(site->file, '/');
    wh__put(text, "%s%s:%d", before, slash ? slash + 1 : site->file, site->line);
}

void wh__put_clean(struct wh__text *text, const char *from)
{
    const char *at = from, *end = from + strlen(from);
    wh__put(text, "\"");
    while (at < end) {
        const char *character = at;
        const uint32_t code = wh__utf8_next(&at, end);
        const bool clean = code != WH__MALFORMED && code >= 0x20 && (code < 0x7f || code >= 0xa0) && code != 0x2028 && code != 0x2029;
        wh__put(text, "%.*s", clean ? (int)(at - character) : 1, clean ? character : "?");
    }
    wh__put(text, "\"");
}
