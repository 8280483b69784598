/* The header and trailer fields of an answer, as far as they matter. */
#ifndef OTLP_FIELDS_H
#define OTLP_FIELDS_H

#include <time.h>

#include "otlp/grpc.h"

enum wh__otlp_content { WH__OTLP_UNSAID, WH__OTLP_PROTOBUF, WH__OTLP_JSON, WH__OTLP_FRAMES, WH__OTLP_PLAIN, WH__OTLP_ELSE };

struct wh__otlp_fields {
    int64_t retry_after;          /* as wh__otlp_retry_after() reads it; -1: not said */
    enum wh__otlp_content content;
    struct wh__otlp_grpc_status grpc;
    size_t bytes;                 /* of all the lines, interim answers' too */
};
void wh__otlp_fields_begin(struct wh__otlp_fields *fields);

/* A line as it came, the end of the line with it. A status line begins anew: what was before belonged to an interim
 * answer. `wall`: seconds since 1970. False: these are more bytes than anybody needs. */
bool wh__otlp_fields_take(struct wh__otlp_fields *fields, const char *line, size_t len, time_t wall);

#endif
