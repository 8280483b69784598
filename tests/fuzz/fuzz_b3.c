/* B3, in one header and in several. Input: fields, one a line. */
#include "fields.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"b3", "X-B3-TraceId", "X-B3-SpanId", "X-B3-Sampled", "X-B3-Flags"};
    static struct fields in, out;
    char *text = malloc(size + 1);
    memcpy(text, data, size);
    text[size] = '\0';
    fields_cut(&in, text, names, 5);
    for (int i = 0; i < 4; i++) {
        wh_ctx *ctx = fields_round(i % 2 ? wh_b3_propagator() : wh_b3multi_propagator(), i / 2 ? &by_line : &by_name, &in, &out);
        struct wh_span_context span;
        if (wh_span_of(ctx, &span)) require(out.count > 0);
        /* both ways of writing say the same */
        struct fields other = {.count = 0}, back = {.count = 0};
        wh_inject_with(ctx, i % 2 ? wh_b3multi_propagator() : wh_b3_propagator(), &by_name, &other);
        wh_ctx *again = wh_extract_with(NULL, wh_b3_propagator(), &by_name, &other);
        wh_inject_with(again, i % 2 ? wh_b3_propagator() : wh_b3multi_propagator(), &by_name, &back);
        require(fields_same(&out, &back));
        wh_end(again);
        wh_end(ctx);
        fields_clear(&out);
        fields_clear(&other);
        fields_clear(&back);
    }
    free(text);
    return 0;
}
