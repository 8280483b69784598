/* What the detectors find, and the parsers of what they read: on given text, so that tests and fuzzers can ask them. */
#ifndef TRACE_DETECT_H
#define TRACE_DETECT_H

#include "trace/resource.h"

#define WH__SCHEMA_URL "https://opentelemetry.io/schemas/1.44.0"

enum { WH__UUID = 36 };

wh_resource *wh__detect_service(void);
wh_resource *wh__detect_host(void);
wh_resource *wh__detect_process(void);
wh_resource *wh__detect_command(void);
wh_resource *wh__detect_container(void);

/* The detector of that name, "all" or "none" included; -1: there is none. */
int wh__detector_named(const char *name);

/* ---- service ---- */

/* A random UUID (RFC 9562, version 4); not terminated. */
void wh__uuid(char out[WH__UUID]);

/* The one of this process: made at the first need, and anew in the child of a fork. */
void wh__instance_id(char out[WH__UUID]);
void wh__instance_id_of_child(void);

/* ---- process ---- */

enum { WH__TIMESTAMP = 24 };

/* RFC 3339 in UTC with milliseconds, as 2026-08-01T12:34:56.789Z; not terminated. wall: nanoseconds since 1970. */
void wh__timestamp(char out[WH__TIMESTAMP], int64_t wall);

/* When the process began, in ticks since the machine did: field 22 of /proc/<pid>/stat, whose second may hold anything. 0: not
 * there. */
uint64_t wh__start_ticks(const char *stat);

/* The name of the user of that id in the text of /etc/passwd. False if it has none. */
bool wh__user_named(const char *passwd, uint32_t uid, char *name, size_t size);

/* ---- host ---- */

/* The value of a variable in the text of /etc/os-release (os-release(5)), without its quotes. False if there is none. */
bool wh__os_release(const char *text, const char *name, char *value, size_t size);

/* What the conventions call the architecture that uname() calls so. */
const char *wh__host_arch(const char *machine);

/* 32 hex digits and nothing else but a line end (machine-id(5)): copies them. */
bool wh__machine_id(const char *text, char out[33]);

/* ---- container ---- */

/* The id of the container (64 hex digits) in the text of /proc/self/cgroup, and in that of /proc/self/mountinfo, where a container
 * that sees no cgroup above its own still finds it. False: in none, or in one that cannot be told. */
bool wh__container_of_cgroup(const char *text, char out[65]);
bool wh__container_of_mounts(const char *text, char out[65]);

/* ---- files ---- */

/* The text of a small file, terminated, cut where it does not fit. Returns its length; 0 if it cannot be read. */
size_t wh__read_file(const char *path, char *text, size_t size);

/* The line at *text, which is terminated by its newline or the end of the text; moves *text behind it. False at the end. */
bool wh__next_line(const char **text, struct wh_str *line);

#endif
