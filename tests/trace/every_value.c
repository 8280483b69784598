/* Every type of value in C and in C++, set and in lists; the spans go to standard output as OTLP JSON. Compiled as both. */
#include <stdio.h>
#include <whence/whence.h>

static const int64_t ints[] = {1, -2};
static const double doubles[] = {0.5, 1.25};
static const bool bools[] = {true, false};
static const char *const strings[] = {"a", NULL};

static struct wh_ints some_ints(void) { struct wh_ints list = {ints, 2}; return list; }
static struct wh_doubles some_doubles(void) { struct wh_doubles list = {doubles, 2}; return list; }
static struct wh_bools some_bools(void) { struct wh_bools list = {bools, 2}; return list; }
static struct wh_strings some_strings(void) { struct wh_strings list = {strings, 2}; return list; }
static struct wh_str piece(void) { struct wh_str str = {"piecework", 5}; return str; }
static struct wh_bytes some_bytes(void) { struct wh_bytes bytes = {"\0\1\2", 3}; return bytes; }

static void set_every_value(const wh_ctx *span)
{
    char text[] = "changeable";
    const bool yes = true;
    wh_set(span, "bool", yes);
    wh_set(span, "char", (char)65);
    wh_set(span, "short", (short)-7);
    wh_set(span, "int", -42);
    wh_set(span, "unsigned", 4000000000u);
    wh_set(span, "long", -5L);
    wh_set(span, "long long", 5LL);
    wh_set(span, "unsigned long", 18446744073709551615UL);
    wh_set(span, "float", 0.5f);
    wh_set(span, "double", -0.25);
    wh_set(span, "char *", text);
    wh_set(span, "const char *", "text");
    wh_set(span, "str", piece());
    wh_set(span, "bytes", some_bytes());
    wh_set(span, "null", WH_NULL);
    wh_set(span, "ints", some_ints());
    wh_set(span, "doubles", some_doubles());
    wh_set(span, "bools", some_bools());
    wh_set(span, "strings", some_strings());
    wh_set(span, "no items", WH_ITEMS());
    wh_set(span, "items", WH_ITEMS(wh_item(1), wh_item("two"), wh_item(yes), wh_item(WH_NULL), wh_item(WH_ITEMS(wh_item(3.5)))));
    wh_set(span, "map", WH_ATTRS(wh_attr("a", some_ints()), wh_attr("b", WH_ATTRS(wh_attr("c", WH_NULL)))));
}

int main(void)
{
    struct wh_exporter *exporter = wh_file_exporter_new(NULL);
    wh_provider *provider = wh_provider_new(.exporters = &exporter, .exporter_count = 1);
    if (!exporter || !provider) return 1;
    wh_ctx *root = wh_provider_root(provider);
    wh_ctx *span = wh_start(root, "every value", .kind = WH_CLIENT, .attrs = WH_ATTRS(wh_attr("at the start", WH_ITEMS(wh_item(1), wh_item(some_bytes())))));
    set_every_value(span);
    wh_event(span, "event", .attrs = WH_ATTRS(wh_attr("map", WH_ATTRS(wh_attr("k", some_strings())))));
    wh_exception(span, "type", "message", .attrs = WH_ATTRS(wh_attr("code", 7)));
    wh_end_at(span, wh_now());
    const struct wh_span_context other = {{1}, {1}, WH_SAMPLED, false, NULL};
    wh_ctx *wrapped = wh_with_span(root, &other);
    wh_end(wrapped);
    wh_end(root);
    return wh_provider_shutdown(provider, WH_SEC(10));
}
