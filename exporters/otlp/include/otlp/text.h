/* Small pieces of text that come from a stranger. */
#ifndef OTLP_TEXT_H
#define OTLP_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WH__OTLP_WORDS = 200 }; /* so much of a stranger's words is shown: printable ASCII, terminated */

/* On their way to logs and terminals: whatever is not printable ASCII becomes a question mark. */
void wh__otlp_copy_words(char words[WH__OTLP_WORDS], const char *text, size_t len);

/* "64 MiB"; "1000 bytes", if it is no whole number of those. */
enum { WH__OTLP_SIZE = 32 };
void wh__otlp_say_size(char text[WH__OTLP_SIZE], size_t bytes);

/* The value of a hexadecimal digit, or -1. */
int wh__otlp_hex_digit(char c);

/* Takes one character off *at, which is before end, undoing its percent-encoding; what is not well encoded stands for
 * itself (gRPC over HTTP/2, Status-Message). */
char wh__otlp_percent_next(const char **at, const char *end);

/* Undoes base64 (RFC 4648, section 4; the padding may be missing, as in gRPC's binary headers). out has room for
 * len / 4 * 3 + 3 bytes. False, and nothing is said about out: it is none. */
bool wh__otlp_base64(const char *text, size_t len, uint8_t *out, size_t *out_len);

#endif
