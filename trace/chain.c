/* What a span says of the chain of causes: a text a link, and the first cause by its parts, so that it can be searched for. */
#include <whence/names.h>

#include "base/text.h"
#include "context/because.h"
#include "context/words.h"
#include "trace/attr.h"
#include "trace/own.h"

enum { LINK = 640, ROOM = 4608 }; /* the longest that a link may be in words; all of them, with what lies between */
enum { VALUES = 1 };              /* opentelemetry.proto.common.v1.ArrayValue */

/* From the last to the first, as such are written. */
static void write_back(struct wh__back *back, const struct wh__because *link)
{
    char words[LINK];
    struct wh__text text = {.buf = words, .size = sizeof words};
    if (link->next) write_back(back, link->next);
    wh__put_because(&text, &link->said);
    const size_t len = text.len < sizeof words ? text.len : wh__utf8_cut(words, sizeof words - 1), before = wh__back_size(back);
    uint8_t *p = wh__back_room(back, len);
    if (p) memcpy(p, words, len);
    wh__back_head(back, WH__ANY_STRING, before);
    wh__back_head(back, VALUES, before);
}

static void put_chain(struct wh__record **record, const struct wh__because *chain)
{
    struct wh__back back;
    uint8_t room[ROOM];
    wh__back_begin(&back, room, sizeof room);
    write_back(&back, chain);
    if (!back.failed) wh__own_texts(record, WH_ATTR_CAUSE_CHAIN, back.at, wh__back_size(&back));
    wh__back_end(&back);
}

static void put_root(struct wh__record **record, const struct wh_because *said)
{
    wh__own_text(record, WH_ATTR_CAUSE_ROOT_REASON, said->reason);
    wh__own_text(record, WH_ATTR_CAUSE_ROOT_MESSAGE, said->text);
    wh__own_text(record, WH_ATTR_CAUSE_ROOT_SITE, said->site);
    wh__own_id(record, WH_ATTR_CAUSE_ROOT_TRACE_ID, said->trace_id, sizeof said->trace_id);
    wh__own_id(record, WH_ATTR_CAUSE_ROOT_SPAN_ID, said->span_id, sizeof said->span_id);
    wh__own_text(record, WH_ATTR_CAUSE_ROOT_SPAN_NAME, said->span_name);
    wh__own_text(record, WH_ATTR_CAUSE_ROOT_SERVICE, said->service);
}

/* A chain of one link says no more than the span itself, unless it tells of another span. */
void wh__record_chain(struct wh__record **record, const struct wh__because *chain, const uint8_t *own_span_id)
{
    if (!chain || (chain->length < 2 && (!own_span_id || memcmp(chain->said.span_id, own_span_id, 8) == 0))) return;
    put_chain(record, chain);
    while (chain->next) chain = chain->next;
    put_root(record, &chain->said);
}
