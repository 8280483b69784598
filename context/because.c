/* Links of chains of causes: how they are made, held and shown. */
#include "context/because.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "context/words.h"

/* How much of a text is kept; what comes late may find less room than that. */
enum { MOST_REASON = 63, MOST_TEXT = WH_TEXT_MAX, MOST_SITE = 119, MOST_NAME = 119, MOST_SERVICE = 63 };

static const char *keep(struct wh__because *link, const char *text, size_t most)
{
    if (!text || !*text) return NULL;
    const size_t room = sizeof link->bytes - link->used;
    if (room <= 1) return NULL;
    if (most > room - 1) most = room - 1;
    size_t len = strnlen(text, most + 1);
    if (len > most) len = wh__utf8_cut(text, most);
    char *copy = link->bytes + link->used;
    memcpy(copy, text, len);
    copy[len] = '\0';
    link->used = (uint16_t)(link->used + len + 1);
    return copy;
}

static const char *keep_place(struct wh__because *link, const struct wh_site *place)
{
    char buf[MOST_SITE + 1] = "";
    struct wh__text text = {.buf = buf, .size = sizeof buf};
    wh__put_site(&text, "", place);
    wh__put(&text, " %s", place->func);
    return keep(link, buf, MOST_SITE);
}

static void fill(struct wh__because *link, const struct wh__because_facts *facts)
{
    const struct wh_because *from = &facts->said;
    *link = (struct wh__because){.refs = 1, .length = 1, .kind = (uint8_t)facts->kind, .place = facts->place,
        .made = facts->made, .at = wh__now()};
    struct wh_because *said = &link->said;
    said->size = sizeof *said;
    said->reason = keep(link, from->reason, MOST_REASON);
    if (!said->reason) said->reason = "unknown";
    said->site = facts->place ? keep_place(link, facts->place) : keep(link, from->site, MOST_SITE);
    said->text = keep(link, from->text, MOST_TEXT);
    said->span_name = keep(link, from->span_name, MOST_NAME);
    said->service = keep(link, from->service, MOST_SERVICE);
    memcpy(said->trace_id, from->trace_id, sizeof said->trace_id);
    memcpy(said->span_id, from->span_id, sizeof said->span_id);
    said->remote = from->remote;
}

/* ---- references ---- */

struct wh__because *wh__because_hold(struct wh__because *link)
{
    if (link) __atomic_add_fetch(&link->refs, 1, __ATOMIC_RELAXED);
    return link;
}

void wh__because_put(struct wh__because *link)
{
    while (link && __atomic_sub_fetch(&link->refs, 1, __ATOMIC_ACQ_REL) == 0) {
        struct wh__because *next = link->next;
        wh__slab_put(link);
        link = next;
    }
}

void wh__notes_clear(struct wh__notes *notes)
{
    wh__because_put(notes->failure);
    wh__because_put(notes->others);
    *notes = (struct wh__notes){0};
}

/* ---- chains ---- */

static void lead_to(struct wh__because *link, struct wh__because *next)
{
    link->next = next;
    link->length = (uint8_t)(next ? next->length + 1 : 1);
}

/* The texts of a copy are its own. */
static struct wh__because *copy_of(const struct wh__because *link)
{
    struct wh__because facts = *link;
    struct wh__because *copy = wh__slab_get(WH__512);
    if (!copy) return NULL;
    fill(copy, &(struct wh__because_facts){.kind = facts.kind, .said = facts.said, .place = facts.place, .made = facts.made});
    copy->at = link->at;
    return copy;
}

/* In place of a chain of full length one without a link in the middle. What is before that is made anew, since whoever has the
 * chain goes on having it whole; without memory only the first cause is left. */
static struct wh__because *shortened(struct wh__because *chain)
{
    struct wh__because *copies[WH_CAUSES_MAX / 2 - 1], *at = chain;
    size_t count = 0;
    for (; count < WH_CAUSES_MAX / 2 - 1 && (copies[count] = copy_of(at)); count++) at = at->next;
    const bool whole = count == WH_CAUSES_MAX / 2 - 1;
    at = at->next;
    while (!whole && at->next) at = at->next;
    struct wh__because *next = wh__because_hold(at);
    while (count--) {
        lead_to(copies[count], next);
        next = copies[count];
    }
    wh__because_put(chain);
    return next;
}

struct wh__because *wh__because_new(const struct wh__because_facts *facts, struct wh__because *next)
{
    struct wh__because *link = wh__slab_get(WH__512);
    if (!link) return next;
    fill(link, facts);
    lead_to(link, next && next->length >= WH_CAUSES_MAX ? shortened(next) : next);
    return link;
}
