/* whence/names.h: what Whence calls things on spans.
 *
 * For those who read what it writes: a search, a test, a dashboard, another exporter. There is no convention for cancellation
 * yet: semantic-conventions #560 asks for one, specification #4677 for a cause beside the status. When there is one, its names
 * replace those of the first two parts; that happens here, and the old ones stay for a while. docs/cancellation.md says what
 * each is worth. */
#ifndef WHENCE_NAMES_H
#define WHENCE_NAMES_H

/* ---- A span whose context was done before it ended ---- */
#define WH_ATTR_CANCELLED "whence.cancelled"                           /* bool, true */
#define WH_ATTR_CANCEL_REASON "whence.cancel.reason"                   /* the reason's name, of low cardinality */
#define WH_ATTR_CANCEL_MESSAGE "whence.cancel.message"                 /* the text given to cancel */
#define WH_ATTR_CANCEL_SITE "whence.cancel.site"                       /* "file.c:12 function" of the cancel */
#define WH_ATTR_CANCEL_ORIGIN_TRACE_ID "whence.cancel.origin.trace_id" /* the span on whose context cancel was called */
#define WH_ATTR_CANCEL_ORIGIN_SPAN_ID "whence.cancel.origin.span_id"
#define WH_ATTR_CANCEL_ORIGIN_SPAN_NAME "whence.cancel.origin.span_name"
#define WH_ATTR_CANCEL_DEPTH "whence.cancel.depth"                     /* int; contexts from there to this span */
#define WH_ATTR_CANCEL_OVERRUN_MS "whence.cancel.overrun_ms"           /* double; how long it ran on for nobody */
#define WH_ATTR_CANCEL_SUPPRESSED "whence.cancel.suppressed"           /* the first that came too late: "reason at site +0.3 ms" */
#define WH_ATTR_CANCEL_SUPPRESSED_COUNT "whence.cancel.suppressed_count" /* int; how many came too late */
#define WH_ATTR_CANCEL_BRIEF "whence.cancel.brief"                     /* bool, true: too many alike, details are left out */
#define WH_EVENT_CANCEL_RECEIVED "whence.cancel.received"              /* on every such span, at the instant of the cancel */
#define WH_EVENT_CANCEL_REQUESTED "whence.cancel.requested"            /* on the span of the context that was cancelled */

/* ---- A span that was cancelled or failed because of something else ---- */
#define WH_ATTR_CAUSE_CHAIN "whence.cause.chain"                       /* string[]: a text a link, the first cause last */
#define WH_ATTR_CAUSE_ROOT_REASON "whence.cause.root.reason"           /* the first cause: */
#define WH_ATTR_CAUSE_ROOT_MESSAGE "whence.cause.root.message"
#define WH_ATTR_CAUSE_ROOT_SITE "whence.cause.root.site"
#define WH_ATTR_CAUSE_ROOT_TRACE_ID "whence.cause.root.trace_id"
#define WH_ATTR_CAUSE_ROOT_SPAN_ID "whence.cause.root.span_id"
#define WH_ATTR_CAUSE_ROOT_SPAN_NAME "whence.cause.root.span_name"
#define WH_ATTR_CAUSE_ROOT_SERVICE "whence.cause.root.service"
#define WH_ATTR_FAILURE_SITE "whence.failure.site"                     /* where wh_fail() was called: "file.c:12 function" */

/* ---- A span with a deadline ---- */
#define WH_ATTR_DEADLINE_ASKED_MS "whence.deadline.asked_ms"           /* double; asked for when it was started */
#define WH_ATTR_DEADLINE_BUDGET_MS "whence.deadline.budget_ms"         /* double; what it really had then */
#define WH_ATTR_DEADLINE_REMAINING_MS "whence.deadline.remaining_ms"   /* double; left at its end; negative: too late */
#define WH_ATTR_DEADLINE_SOURCE "whence.deadline.source"               /* whose holds: "own", "ancestor", "caller" */
#define WH_ATTR_DEADLINE_NEARLY_LATE "whence.deadline.nearly_late"     /* bool, true: in time, with less than a tenth left */

/* ---- A client span whose callee said why it gave up ---- */
#define WH_ATTR_CALLEE_REASON "whence.callee.reason"                   /* "unknown": it vanished without a word */
#define WH_ATTR_CALLEE_MESSAGE "whence.callee.message"
#define WH_ATTR_CALLEE_SITE "whence.callee.site"
#define WH_ATTR_CALLEE_TRACE_ID "whence.callee.trace_id"
#define WH_ATTR_CALLEE_SPAN_ID "whence.callee.span_id"
#define WH_ATTR_CALLEE_SPAN_NAME "whence.callee.span_name"
#define WH_ATTR_CALLEE_SERVICE "whence.callee.service"

/* ---- A span whose wh_sem_acquire() or wh_retry() came to nothing ---- */
#define WH_ATTR_GAVE_UP "whence.gave_up"                               /* "semaphore", "retry" */
#define WH_EVENT_SEMAPHORE_GAVE_UP "whence.semaphore.gave_up"          /* with waited_ms, weight, size, taken */
#define WH_EVENT_RETRY_GAVE_UP "whence.retry.gave_up"                  /* with attempts, why, last_error */

/* ---- A span that nobody has ended, exported at shutdown ---- */
#define WH_ATTR_LEAKED "whence.leaked"                                 /* bool, true */
#define WH_ATTR_LEAKED_SITE "whence.leaked.site"                       /* where it was started */
#define WH_ATTR_LEAKED_AGE_MS "whence.leaked.age_ms"                   /* double */

/* ---- The local root of a trace that was kept although it was not sampled ---- */
#define WH_ATTR_KEPT "whence.kept"                                     /* bool, true */
#define WH_ATTR_KEPT_BECAUSE "whence.kept.because"                     /* "cancelled", "failed", "late" */
#define WH_ATTR_KEPT_MISSING "whence.kept.missing"                     /* int; spans of it that could not be kept, if there were any */
#define WH_ATTR_KEPT_ALIKE "whence.kept.alike"                         /* int; traces like it, only counted since the last one kept */

/* ---- A span of a child process ---- */
#define WH_ATTR_CHILD_ENDED_BY "whence.child.ended_by"                 /* "exit", "signal"; "unknown": somebody else knows */
#define WH_ATTR_CHILD_SIGNAL "whence.child.signal"                     /* "SIGKILL" */
#define WH_ATTR_CHILD_STOPPED_FOR "whence.child.stopped_for"           /* the reason for which it was stopped */
#define WH_EVENT_CHILD_SIGNALLED "whence.child.signalled"              /* for each signal sent to stop it, with whence.child.signal */

/* ---- OpenTelemetry's own, where Whence writes them ---- */
#define WH_ATTR_ERROR_TYPE "error.type"
#define WH_ATTR_PROCESS_PID "process.pid"
#define WH_ATTR_PROCESS_EXIT_CODE "process.exit.code"

#endif
