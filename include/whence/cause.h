/* whence/cause.h: why a callee gave up, back to its caller.
 *
 * A service that fails says why in a field of its response, whence-cause: its own cause first, and what that was because of,
 * down to the first cause. The caller's client span shows it (whence.callee.*), and whatever fails or is cancelled because of
 * it keeps the first cause, however many services are between. docs/cause-header.md is the specification, for other languages.
 *
 * The integrations write and read it (microhttpd.h, curl.h); these functions are for other servers and clients. What comes from
 * strangers is data: it is shown, it decides nothing.
 */
#ifndef WHENCE_CAUSE_H
#define WHENCE_CAUSE_H

#include <whence/trace.h>

WH_BEGIN_DECLS

#define WH_CAUSE_HEADER "whence-cause"
#define WH_CAUSE_SIZE 2049 /* a buffer of so many bytes is enough for every field */

/* ---- Out and in ------------------------------------------------------------------------------------------------*/

/* The value of the field for a response to the request of ctx: wh_causes() as text, printable ASCII, terminated. Returns its
 * length. 0, and buf is an empty string: ctx is neither done nor failed, or nothing is to be said to this client. Of a buffer that
 * is shorter than needed, as much is used as whole causes fit: never without the first one; otherwise 0. */
WH_API size_t wh_cause_write(const wh_ctx *ctx, char *buf, size_t size);

/* Takes the value of that field, in the response to a request that was made under ctx, the client's span: sets whence.callee.* on
 * the span, and a wh_fail() on ctx that follows goes on with it. Several lines of that name are one value, joined by commas.
 * False if it is not wanted, or refused as a whole: malformed, of another version, longer than 2048 bytes, with more than
 * WH_CAUSES_MAX members, or with control characters. Reads no further than that, and changes nothing then. */
WH_API bool wh_cause_read(const wh_ctx *ctx, const char *value);

/* Where there is nobody left to say it: the request was out, and the connection broke before there was a whole answer. Of a callee
 * that was killed or cut off more cannot be known: its reason is "unknown", the message "peer vanished". */
WH_API void wh_callee_vanished(const wh_ctx *ctx);

/* ---- What one wants of it --------------------------------------------------------------------------------------*/

/* For the whole process: whether causes are sent in responses, and whether those in responses are read. Both are, by default.
 * The environment can say it too: WHENCE_CAUSE_SEND and WHENCE_CAUSE_ACCEPT (docs/configuration.md). At any time, from any
 * thread. */
WH_API void wh_set_cause_policy(bool send, bool accept);

/* Derives a context below which wh_cause_write() says nothing: for requests of the public, who are not to learn of files and
 * services. An owner. (wh_mhd_start() has .edge for it.) */
WH_API WH_OWNER_ wh_ctx *wh_with_hidden_cause(const wh_ctx *parent);

/* What has been done so far, by this process. */
struct wh_cause_stats {
    size_t size;
    uint64_t sent;     /* values that wh_cause_write() has given */
    uint64_t accepted; /* values that were read and taken */
    uint64_t refused;  /* that were malformed, too long, or of an unknown version */
    uint64_t hidden;   /* values that were not given, since nothing is to be sent, or not to that client */
    uint64_t unwanted; /* that were not looked at, since nothing is to be read */
};
WH_API void wh_cause_stats(struct wh_cause_stats *stats); /* stats->size is set by the caller */

WH_END_DECLS
#endif
