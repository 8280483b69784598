/* whence/base.h: the few words that every other header of Whence uses: durations, places in the source, and the marks
 * on declarations. Read context.h next. */
#ifndef WHENCE_BASE_H
#define WHENCE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WH_VERSION_MAJOR 0
#define WH_VERSION_MINOR 1
#define WH_VERSION_PATCH 0
#define WH_VERSION "0.1.0"

#ifdef __cplusplus
#define WH_BEGIN_DECLS extern "C" {
#define WH_END_DECLS }
#define WH_ZERO_ = 0 /* C++ warns of members that an initializer leaves out, unless they have a default */
#define WH_EMPTY_ = {}
#else
#define WH_BEGIN_DECLS
#define WH_END_DECLS
#define WH_ZERO_
#define WH_EMPTY_
#endif

#define WH_API __attribute__((visibility("default")))
#define WH_UNUSED_ __attribute__((unused))
#define WH_MUST_USE_ __attribute__((warn_unused_result))
#define WH_PRINTF_(fmt, args) __attribute__((format(printf, fmt, args)))

WH_BEGIN_DECLS

/* ---- Durations and instants ------------------------------------------------------------------------------------
 *
 * Every duration is a signed 64-bit count of nanoseconds. Every instant is nanoseconds of the monotonic clock
 * (CLOCK_MONOTONIC; no step of the wall clock moves it). Arithmetic on either saturates; WH_NEVER is no limit at all.
 * The unit macros take any arithmetic type and are constant where their argument is: a product too large becomes
 * WH_NEVER, a NaN too, one too small the least instant there is. The argument is evaluated once. */
#define WH_NEVER INT64_MAX
#define WH_NS(n) ((int64_t)(n))
#define WH_US(n) WH_SCALE_(n, INT64_C(1000))
#define WH_MS(n) WH_SCALE_(n, INT64_C(1000000))
#define WH_SEC(n) WH_SCALE_(n, INT64_C(1000000000))
#define WH_MIN(n) WH_SCALE_(n, INT64_C(60000000000))

#define WH_SCALE_(n, unit) (__builtin_constant_p(n) ? WH_SATURATE_((double)(n) * (double)(unit), (n) * (unit)) : wh_scale_((double)(n), (double)(unit)))
#define WH_SATURATE_(approx, exact) (!((approx) < 9.2e18) ? INT64_MAX : (approx) < -9.2e18 ? INT64_MIN : (int64_t)(exact))

static inline int64_t wh_scale_(double n, double unit)
{
    return WH_SATURATE_(n * unit, n * unit);
}

/* The instant it is now. Any thread, also a signal handler. */
WH_API int64_t wh_now(void);

/* The instant at which the time of day will be `wall`, nanoseconds since 1970, as far as is known now: nobody who sets the
 * clock of the machine later moves the instant. For deadlines that people agree on: wh_with_deadline(ctx,
 * wh_from_wall(WH_SEC(six))), `six` being a time_t. What is past is past; saturates; WH_NEVER stays. Any thread. */
WH_API int64_t wh_from_wall(int64_t wall);

/* ---- Places in the source --------------------------------------------------------------------------------------
 *
 * A place where a context was made or cancelled. WH_HERE makes one, static and immutable, of the line where it
 * stands; every macro that derives or cancels records it for you. A wrapper of your own passes its caller's on. The
 * object lives as long as the program or the shared library that holds it: do not dlclose() one whose sites are in
 * live contexts. */
struct wh_site {
    const char *file; /* without its folders, where the compiler can say so */
    const char *func;
    int line;
};

#ifdef __FILE_NAME__
#define WH_FILE_ __FILE_NAME__
#else
#define WH_FILE_ __FILE__
#endif
#define WH_HERE (__extension__({ static const struct wh_site wh_site_ = {WH_FILE_, __func__, __LINE__}; &wh_site_; }))

/* ---- The library's own voice -----------------------------------------------------------------------------------
 *
 * What the library has to say goes, one line each, to standard error, prefixed "whence: ", at most once for each kind of
 * trouble and outage; or to this function, from any thread, without prefix and line end. It may call the library, but not wait
 * for a flush or a shutdown: what the library says because of such calls, on that thread, goes to standard error. It must come
 * back (no longjmp()). NULL: standard error again. One that was replaced may still be running on another thread. */
enum wh_severity { WH_DEBUG, WH_INFO, WH_WARNING, WH_ERROR, WH_SILENT };
WH_API void wh_report_to(void (*fn)(enum wh_severity severity, const char *line, void *arg), void *arg);

/* What is less severe than this is not said: by default WH_INFO; WH_SILENT is nothing at all. OTEL_LOG_LEVEL says it for
 * wh_main(). Any thread. */
WH_API void wh_report_from(enum wh_severity least);

/* Says something with that voice: for exporters. Cut after 500 characters. errno stays as it was. */
WH_API void wh_report(enum wh_severity severity, const char *format, ...) WH_PRINTF_(2, 3);

/* ---- Options ---------------------------------------------------------------------------------------------------
 *
 * A function with options takes a structure that begins with its size, so that a program built against an older header
 * keeps working. Its macro fills it from designated initializers: wh_start(ctx, "query", .kind = WH_CLIENT). In C++ the
 * initializers stand in the order of the members. */
#define WH_FIRST_(first, ...) first
#define WH_LITERAL_LENGTH_(text) (__builtin_constant_p(text) ? __builtin_strlen(text) : 0)
#define WH_OPTS_(type, ...) wh_opts_ref_(__extension__(type){.size = sizeof(type), __VA_ARGS__})

WH_END_DECLS

#ifdef __cplusplus
template <class T> static inline const T *wh_opts_ref_(const T &opts) { return &opts; }
#else
#define wh_opts_ref_(...) (&(__VA_ARGS__))
#endif

#endif
