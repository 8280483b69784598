/* What a collector may answer: header and trailer fields (Retry-After, grpc-status, grpc-message, grpc-status-details-bin
 * with RetryInfo among them), and bodies in protobuf, JSON and gRPC's frames. Input: three characters that say over which
 * protocol, with which status of HTTP, and how the transfer ended; then lines of header fields, an empty line, the body.
 *
 * Whatever it says, at most all spans are rejected, and its words do no harm to a terminal. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "otlp/answer.h"

static void require(bool holds)
{
    if (!holds) abort();
}

static void take_lines(struct wh__otlp_fields *fields, const char **at, const char *end)
{
    wh__otlp_fields_begin(fields);
    while (*at < end) {
        const char *line_end = memchr(*at, '\n', (size_t)(end - *at));
        line_end = line_end ? line_end + 1 : end;
        const size_t len = (size_t)(line_end - *at);
        const bool goes_on = len > 1 && wh__otlp_fields_take(fields, *at, len, 784111777);
        *at = line_end;
        if (!goes_on) return;
    }
}

static void check(const struct wh__otlp_verdict *verdict, size_t count)
{
    require(verdict->rejected <= count);
    require(verdict->pause >= -1 && verdict->pause <= WH_SEC(86400) + WH_SEC(1));
    require((verdict->fate == WH__OTLP_ACCEPTED) == (verdict->error == 0));
    require(strlen(verdict->words) < WH__OTLP_WORDS && strlen(verdict->label) < sizeof verdict->label);
    for (const char *p = verdict->words; *p; p++) require(*p >= 0x20 && *p < 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const long statuses[] = {200, 202, 204, 301, 400, 401, 404, 413, 429, 500, 502, 503, 504, 999, 0};
    enum { COUNT = 100, MOST = 1 << 16 };
    if (size < 3) return 0;
    const struct wh__otlp_target target = {.protocol = (enum wh_otlp_protocol)(data[0] % 3), .max_response = MOST};
    struct wh__otlp_answer answer = {.status = statuses[data[1] % (sizeof statuses / sizeof *statuses)]};
    struct wh__otlp_room room = {0};
    struct wh__otlp_verdict verdict;
    const char *at = (const char *)data + 3, *const end = (const char *)data + size;
    take_lines(&answer.fields, &at, end);
    answer.body = (struct wh_bytes){at, (size_t)(end - at)};
    answer.error = data[2] & 1 ? 5 : 0;
    answer.transient = data[2] & 2;
    answer.cut_short = (data[2] & 12) == 12 && answer.error;
    answer.may_lack_trailers = data[2] & 16;
    wh__otlp_judge(&target, &answer, COUNT, &room, &verdict);
    check(&verdict, COUNT);
    require(room.size <= 3 * MOST);
    wh__otlp_room_free(&room);
    return 0;
}
