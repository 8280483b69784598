/* What one process has of an exporter: its connection and its buffers. The child of a fork leaves its parent's alone,
 * whatever state the fork has caught them in, and makes its own at its first export. */
#ifndef OTLP_POST_H
#define OTLP_POST_H

#include <sys/types.h>

#include "otlp/http.h"
#include "otlp/request.h"

struct wh__otlp_post {
    pid_t pid;
    struct wh__otlp_http *http;
    struct wh__otlp_request request;
    struct wh__otlp_room answer;  /* what had to be decompressed */
    struct wh__otlp_post *next;   /* of those that were left behind */
};

/* For this process. Both must stay as they are. NULL: no memory. */
struct wh__otlp_post *wh__otlp_post_new(const struct wh__otlp_target *target, const uint32_t *given_up);

/* One that another process has made is left behind. */
void wh__otlp_post_free(struct wh__otlp_post *post);

#endif
