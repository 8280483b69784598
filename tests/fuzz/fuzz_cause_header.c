/* The field whence-cause. Input: its value. What is taken is written again and read, and is the same. */
#include "fields.h"

#include "base/utf8.h"
#include "propagate/cause.h"
#include "propagate/structured.h"

static void require_same_text(const char *a, const char *b)
{
    require(!a == !b && (!a || strcmp(a, b) == 0));
}

static void require_same(const struct wh_because *a, const struct wh_because *b)
{
    require_same_text(a->reason, b->reason);
    require_same_text(a->text, b->text);
    require_same_text(a->site, b->site);
    require_same_text(a->span_name, b->span_name);
    require_same_text(a->service, b->service);
    require(memcmp(a->trace_id, b->trace_id, sizeof a->trace_id) == 0 && memcmp(a->span_id, b->span_id, sizeof a->span_id) == 0);
    require(a->remote && b->remote && a->size == sizeof *a);
}

/* UTF-8 without anything that could lead a reader astray. */
static void require_clean(const char *text, size_t most)
{
    if (!text) return;
    require(*text && strlen(text) <= most);
    for (const char *end = text + strlen(text); text < end;) {
        const uint32_t character = wh__utf8_next(&text, end);
        require(character != WH__MALFORMED && !wh__is_control(character));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct wh__causes first, second;
    char field[WH_CAUSE_SIZE], again[WH_CAUSE_SIZE];
    if (!wh__cause_read((const char *)data, size, &first)) return 0;
    require(size < WH_CAUSE_SIZE && first.count >= 1 && first.count <= WH_CAUSES_MAX);
    for (size_t i = 0; i < first.count; i++) {
        require(first.list[i].reason);
        require_clean(first.list[i].reason, WH__CAUSE_REASON);
        require_clean(first.list[i].text, WH__CAUSE_TEXT);
        require_clean(first.list[i].site, WH__CAUSE_SITE);
        require_clean(first.list[i].span_name, WH__CAUSE_SPAN_NAME);
        require_clean(first.list[i].service, WH__CAUSE_SERVICE);
    }
    const size_t len = wh__cause_write(field, sizeof field, first.list, first.count);
    require(len && len == strlen(field));
    for (const char *p = field; *p; p++) require(*p >= ' ' && *p <= '~');
    require(wh__cause_read(field, len, &second));
    require(wh__cause_write(again, sizeof again, second.list, second.count) == len && strcmp(field, again) == 0);
    if (size + first.count >= WH_CAUSE_SIZE) return 0; /* a blank after each comma may have cost a cause its place */
    require(second.count == first.count);
    for (size_t i = 0; i < first.count; i++) require_same(&first.list[i], &second.list[i]);
    return 0;
}
