#include "context/words.h"

#include <string.h>

#include "base/utf8.h"

void wh__put_site(struct wh__text *text, const char *before, const struct wh_site *site)
{
    if (!site) return;
    const char *slash = strrchr(site->file, '/');
    wh__put(text, "%s%s:%d", before, slash ? slash + 1 : site->file, site->line);
}

void wh__put_harmless(struct wh__text *text, const char *from)
{
    const char *at = from, *end = from + strlen(from);
    while (at < end) {
        const char *character = at;
        const uint32_t code = wh__utf8_next(&at, end);
        const bool clean = code != WH__MALFORMED && code >= 0x20 && (code < 0x7f || code >= 0xa0) && code != 0x2028 && code != 0x2029;
        wh__put(text, "%.*s", clean ? (int)(at - character) : 1, clean ? character : "?");
    }
}

void wh__put_clean(struct wh__text *text, const char *from)
{
    wh__put(text, "\"");
    wh__put_harmless(text, from);
    wh__put(text, "\"");
}

static void put_after(struct wh__text *text, const char *before, const char *from)
{
    if (!from) return;
    wh__put(text, "%s", before);
    wh__put_harmless(text, from);
}

void wh__put_because(struct wh__text *text, const struct wh_because *said)
{
    static const uint8_t none[8];
    wh__put_harmless(text, said->reason);
    if (said->text) {
        wh__put(text, " ");
        wh__put_clean(text, said->text);
    }
    put_after(text, " at ", said->site);
    if (memcmp(said->span_id, none, sizeof none)) {
        char id[17] = "";
        wh__hex(id, said->span_id, sizeof said->span_id);
        wh__put(text, ", %sspan %s", said->remote ? "remote " : "", id);
    }
    if (said->span_name) {
        wh__put(text, " ");
        wh__put_clean(text, said->span_name);
    }
    put_after(text, " of ", said->service);
}
