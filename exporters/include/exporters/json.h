/* Writing JSON, and OTLP as JSON. */
#ifndef EXPORTERS_JSON_H
#define EXPORTERS_JSON_H

#include <whence/exporters.h>

/* Text that grows. When it cannot, it stays as it is and `error` says why: ENOMEM, or EMSGSIZE beyond 64 MiB. */
struct wh__json {
    char *buf;       /* not terminated */
    size_t len, capacity;
    int error;
};
void wh__json_free(struct wh__json *json);

/* As it stands. */
void wh__json_put(struct wh__json *json, const char *text);

/* Values. What is not UTF-8 becomes U+FFFD; characters that a terminal or a reader of lines might obey are escaped. */
void wh__json_text(struct wh__json *json, struct wh_bytes text);
void wh__json_hex(struct wh__json *json, struct wh_bytes bytes);
void wh__json_base64(struct wh__json *json, struct wh_bytes bytes);
void wh__json_signed(struct wh__json *json, int64_t value);
void wh__json_unsigned(struct wh__json *json, uint64_t value);

/* The shortest of 15 to 17 digits that reads back as the same; "NaN", "Infinity" and "-Infinity" as strings. */
void wh__json_double(struct wh__json *json, double value);

/* An ExportTraceServiceRequest of the batch in one line without its end (OTLP JSON encoding). Returns how many spans
 * are in it: those that cannot be read are left out, and none at all gives no text. */
size_t wh__json_batch(struct wh__json *json, const struct wh_batch *batch);

#endif
