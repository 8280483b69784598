/* A message of any bytes, by every propagator there is. */
#include "fields.h"

#include "base/slab.h"
#include "propagate/bytes.h"

/* But for the pages that contexts lie in, which stay with the thread. */
static size_t allocated;
static bool count(size_t size)
{
    if (size != WH__PAGE) allocated += size;
    return true;
}

/* What a consumer of these bytes sends to the next. Returns how many bytes that are. */
static size_t hand_on(const uint8_t *in, size_t len, int64_t waited, uint8_t *out)
{
    wh__mem_gate = count;
    allocated = 0;
    wh_ctx *ctx = wh_extract_bytes(NULL, in, len, .waited = waited);
    wh__mem_gate = NULL;
    require(allocated <= 32 * 1024); /* bounded, whatever the bytes say */
    const size_t made = wh_inject_bytes(ctx, out, WH_BYTES_MAX);
    require(made <= WH_BYTES_MAX);
    wh_ctx *back = wh_extract_bytes(NULL, out, made);
    require(wh_err(back) || wh_deadline(back) <= wh_deadline(ctx));
    wh_end(back);
    wh_end(ctx);
    return made;
}

/* The first is told what all formats can say; from then on nothing changes but the clock and the time that is left. */
static void go_on(const uint8_t *data, size_t size, int64_t waited)
{
    static uint8_t first[WH_BYTES_MAX], second[WH_BYTES_MAX], third[WH_BYTES_MAX];
    size_t len = hand_on(data, size, waited, first);
    len = hand_on(first, len, 0, second);
    require(hand_on(second, len, 0, third) == len);
    require(len == 0 || memcmp(second + WH__BYTES_HEAD, third + WH__BYTES_HEAD, len - WH__BYTES_HEAD) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const sets[] = {"tracecontext,baggage,whence", "tracecontext,baggage,b3,b3multi,jaeger,whence"};
    int64_t waited = 0;
    if (size >= sizeof waited) memcpy(&waited, data + size - sizeof waited, sizeof waited);
    for (int i = 0; i < 2; i++) {
        require(wh_set_propagators_named(sets[i]) == 0);
        go_on(data, size, waited);
    }
    return 0;
}
