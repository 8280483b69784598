/* The header "baggage", in any number of lines; and the same bytes as names, values and metadata that a program sets. */
#include "fields.h"

#include "base/utf8.h"

static bool is_utf8(const char *text)
{
    for (const char *end = text + strlen(text); text < end;)
        if (wh__utf8_next(&text, end) == WH__MALFORMED) return false;
    return true;
}

static void check_members(const wh_ctx *ctx)
{
    struct wh_baggage_member member, found;
    size_t count = 0, bytes = 0;
    for (; wh_baggage_at(ctx, count, &member); count++) {
        require(*member.name && is_utf8(member.name) && is_utf8(member.value));
        require(wh_find_baggage(ctx, member.name, &found) && found.value == member.value); /* no name is there twice */
        bytes += strlen(member.name) + strlen(member.value) + (member.metadata ? strlen(member.metadata) : 0);
    }
    require(count <= 64 && bytes <= 8192);
}

static void as_headers(char *text)
{
    static const char *const names[] = {"baggage"};
    static struct fields in, out;
    const struct wh_carrier *const carriers[] = {&by_line, &by_name};
    fields_cut(&in, text, names, 1);
    for (int i = 0; i < 2; i++) {
        wh_ctx *ctx = fields_round(wh_baggage_propagator(), carriers[i], &in, &out);
        check_members(ctx);
        wh_end(ctx);
        fields_clear(&out);
    }
}

/* Whatever was accepted and sent arrives as it was. */
static void as_members(char *text)
{
    static struct fields out;
    struct wh_baggage_member sent, arrived;
    wh_ctx *ctx = wh_with_cancel(NULL);
    for (char *name; (name = strsep(&text, ",\n"));) {
        char *value = strchr(name, '=');
        if (value) *value++ = '\0';
        char *metadata = value ? strchr(value, ';') : NULL;
        if (metadata) *metadata++ = '\0';
        ctx = wh_take_over(wh_with_baggage(ctx, name, value, .metadata = metadata), ctx);
    }
    check_members(ctx);
    out.count = 0;
    wh_inject_with(ctx, wh_baggage_propagator(), &by_name, &out);
    wh_ctx *back = wh_extract_with(NULL, wh_baggage_propagator(), &by_name, &out);
    for (size_t i = 0; wh_baggage_at(back, i, &arrived); i++)
        require(wh_find_baggage(ctx, arrived.name, &sent) && strcmp(sent.value, arrived.value) == 0);
    wh_end(back);
    wh_end(ctx);
    fields_clear(&out);
}

static void say_nothing(enum wh_severity severity, const char *line, void *arg)
{
    (void)severity, (void)line, (void)arg;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    wh_report_to(say_nothing, NULL);
    for (int i = 0; i < 2; i++) {
        memcpy(text, data, size);
        text[size] = '\0';
        (i ? as_members : as_headers)(text);
    }
    free(text);
    return 0;
}
