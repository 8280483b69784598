/* Reading JSON (RFC 8259) that may be hostile: a cursor that walks over the text once, allocates nothing, and goes no deeper
 * than WH__OTLP_JSON_DEPTH. The caller asks for what it expects:
 *
 *     struct wh__otlp_json json = wh__otlp_json_of(text, len);
 *     char key[32];
 *     if (wh__otlp_json_object(&json))
 *         while (wh__otlp_json_key(&json, key, sizeof key))
 *             if (strcmp(key, "rate") == 0) wh__otlp_json_number(&json, &rate);
 *     if (!wh__otlp_json_end(&json)) the whole was no JSON, and what was read of it is worth nothing
 *
 * A value that was not asked for, or is of another type than was asked for, is passed over when the next one is. An object
 * or array that was entered is read until its next key or item is none. Once the text breaks a rule everything is false. */
#ifndef OTLP_JSON_READ_H
#define OTLP_JSON_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WH__OTLP_JSON_DEPTH = 64 };

struct wh__otlp_json {
    const char *at, *end;
    uint64_t objects;     /* a bit for each level, the lowest the innermost: whether it is an object, not an array */
    unsigned depth;
    bool due;             /* a value stands at `at` */
    bool first;           /* nothing of this object or array was read */
    bool broken;
};

enum wh__otlp_json_type {
    WH__OTLP_JSON_NOTHING, /* no value comes here, or it is malformed */
    WH__OTLP_JSON_OBJECT, WH__OTLP_JSON_ARRAY, WH__OTLP_JSON_STRING, WH__OTLP_JSON_NUMBER, WH__OTLP_JSON_BOOL,
    WH__OTLP_JSON_NULL
};

/* The text is borrowed; it need not be terminated. */
struct wh__otlp_json wh__otlp_json_of(const char *text, size_t len);

/* What comes, judged by its first character. */
enum wh__otlp_json_type wh__otlp_json_next(struct wh__otlp_json *json);

/* Each: false, and nothing is taken, if something else comes. */
bool wh__otlp_json_object(struct wh__otlp_json *json);
bool wh__otlp_json_array(struct wh__otlp_json *json);
bool wh__otlp_json_bool(struct wh__otlp_json *json, bool *out);

/* Correct to the last bit for up to 15 digits times a power of ten up to the 22nd, otherwise to a few. What is too large
 * becomes infinite. No locale is asked. */
bool wh__otlp_json_number(struct wh__otlp_json *json, double *out);

/* A whole number, as such or as a string of digits (protobuf's JSON writes 64 bits so). Saturates. */
bool wh__otlp_json_int(struct wh__otlp_json *json, int64_t *out);

/* Into out, terminated, without its escapes; of one that is too long what fits, no character in two. A zero in it, and half
 * of a surrogate pair, become U+FFFD; bytes that are no UTF-8 are left as they are. Returns whether a string came; *len,
 * if not NULL: of the whole of it, so that from `size` up it was cut. */
bool wh__otlp_json_string(struct wh__otlp_json *json, char *out, size_t size, size_t *len);

/* The next key of the object, or the next item of the array, whose value then comes; false at its end, which is taken. A
 * key that does not fit is "". */
bool wh__otlp_json_key(struct wh__otlp_json *json, char *key, size_t size);
bool wh__otlp_json_item(struct wh__otlp_json *json);

/* Passes over the value that comes, whatever it is. */
void wh__otlp_json_skip(struct wh__otlp_json *json);

/* Passes over what is left of the value of the whole text: whether all of it was JSON, and one value only. */
bool wh__otlp_json_end(struct wh__otlp_json *json);

#endif
