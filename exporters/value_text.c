/* Values as text, for formats that know no others (common/README.md, AnyValue representation for non-OTLP protocols). */
#include "base/text.h"
#include "exporters/json.h"
#include "trace/wire.h"

static void put_json(struct wh__json *json, const struct wh_attr_view *value, unsigned depth);

static void put_list(struct wh__json *json, const struct wh_attr_view *value, unsigned depth)
{
    const bool is_map = value->type == WH_MAP;
    struct wh_cursor cursor = {value->as.bytes};
    struct wh_attr_view item;
    const char *before = is_map ? "{" : "[";
    while (wh_next_item(&cursor, &item)) {
        wh__json_put(json, before);
        if (is_map) wh__json_text(json, (struct wh_bytes){item.key.ptr, item.key.len});
        if (is_map) wh__json_put(json, ":");
        put_json(json, &item, depth + 1);
        before = ",";
    }
    if (*before != ',') wh__json_put(json, before);
    wh__json_put(json, is_map ? "}" : "]");
}

static void put_json(struct wh__json *json, const struct wh_attr_view *value, unsigned depth)
{
    switch (value->type) {
    case WH_STRING: wh__json_text(json, (struct wh_bytes){value->as.string.ptr, value->as.string.len}); return;
    case WH_BOOL: wh__json_put(json, value->as.boolean ? "true" : "false"); return;
    case WH_INT: wh__json_signed(json, value->as.integer); return;
    case WH_DOUBLE: wh__json_double(json, value->as.real); return;
    case WH_BYTES: wh__json_base64(json, value->as.bytes); return;
    case WH_ARRAY:
    case WH_MAP:
        if (depth <= WH__DEEPEST) {
            put_list(json, value, depth);
            return;
        }
        break;
    default: break;
    }
    wh__json_put(json, "null");
}

/* What stands in quotes only where it is a part of something. */
static bool is_quoted(const struct wh_attr_view *value, const struct wh__json *json)
{
    return json->len >= 2 && *json->buf == '"' && value->type != WH_ARRAY && value->type != WH_MAP;
}

size_t wh_value_text(const struct wh_attr_view *value, char *out, size_t size)
{
    struct wh__json json = {0};
    struct wh_str text = {0};
    if (value->type == WH_STRING) {
        text = value->as.string;
    } else if (value->type != WH_EMPTY && value->type) {
        put_json(&json, value, 1);
        text = (struct wh_str){json.buf, json.len};
        if (is_quoted(value, &json)) text = (struct wh_str){json.buf + 1, json.len - 2};
    }
    if (json.error) text.len = 0;
    size_t len = text.len;
    if (size && len >= size) len = wh__utf8_cut(text.ptr, size - 1);
    if (size && len) memcpy(out, text.ptr, len);
    if (size) out[len] = '\0';
    wh__json_free(&json);
    return text.len;
}
