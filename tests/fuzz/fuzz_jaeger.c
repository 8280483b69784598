/* uber-trace-id and uberctx- fields. Input: fields, one a line. */
#include "fields.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"uber-trace-id", "uberctx-a", "uberctx-b"};
    static struct fields in, out;
    char *text = malloc(size + 1);
    memcpy(text, data, size);
    text[size] = '\0';
    fields_cut(&in, text, names, 3);
    for (int i = 0; i < 2; i++) {
        wh_ctx *ctx = fields_round(wh_jaeger_propagator(), i ? &by_line : &by_name, &in, &out);
        struct wh_span_context span;
        const bool has_id = wh_span_of(ctx, &span);
        require(has_id == (out.count && strcmp(out.list[0].name, "uber-trace-id") == 0));
        require(out.count <= 65);
        wh_end(ctx);
        fields_clear(&out);
    }
    free(text);
    return 0;
}
