/* traceparent and tracestate. Input: fields, one a line, in any number. */
#include "fields.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"traceparent", "tracestate"};
    static struct fields in, out;
    const struct wh_carrier *const carriers[] = {&by_line, &by_name};
    char *text = malloc(size + 1);
    memcpy(text, data, size);
    text[size] = '\0';
    fields_cut(&in, text, names, 2);
    for (int i = 0; i < 2; i++) {
        struct wh_span_context span;
        wh_ctx *ctx = fields_round(wh_tracecontext_propagator(), carriers[i], &in, &out);
        require(wh_span_of(ctx, &span) == (out.count > 0));
        if (out.count) require(strlen(out.list[0].value) == 55 && span.remote && (span.flags & ~(WH_SAMPLED | WH_RANDOM)) == 0);
        if (out.count > 1) require(strlen(out.list[1].value) < WH_TRACESTATE_SIZE);
        wh_end(ctx);
        fields_clear(&out);
    }
    free(text);
    return 0;
}
