/* What Whence calls things on spans. There is no convention for cancellation yet (semantic-conventions #560, specification
 * #4677): when there is one, it replaces these here. */
#ifndef TRACE_NAMES_H
#define TRACE_NAMES_H

#define WH__CANCELLED "whence.cancelled"                             /* bool; on every span whose context was done at its end */
#define WH__CANCEL_REASON "whence.cancel.reason"                     /* the reason's name */
#define WH__CANCEL_MESSAGE "whence.cancel.message"                   /* the text given to cancel */
#define WH__CANCEL_SITE "whence.cancel.site"                         /* file:line function of the cancel */
#define WH__CANCEL_ORIGIN_TRACE_ID "whence.cancel.origin.trace_id"   /* the span on whose context cancel was called */
#define WH__CANCEL_ORIGIN_SPAN_ID "whence.cancel.origin.span_id"
#define WH__CANCEL_ORIGIN_SPAN_NAME "whence.cancel.origin.span_name"
#define WH__CANCEL_DEPTH "whence.cancel.depth"                       /* int; contexts from there to this span */
#define WH__CANCEL_OVERRUN_MS "whence.cancel.overrun_ms"             /* double; how long it ran on for nobody */
#define WH__DEADLINE_ASKED_MS "whence.deadline.asked_ms"             /* double; asked for when it was started */
#define WH__DEADLINE_BUDGET_MS "whence.deadline.budget_ms"           /* double; what it really had then */
#define WH__DEADLINE_REMAINING_MS "whence.deadline.remaining_ms"     /* double; left at its end; negative: too late */
#define WH__EVENT_RECEIVED "whence.cancel.received"                  /* on every such span, at the instant of the cancel */
#define WH__EVENT_REQUESTED "whence.cancel.requested"                /* on the span of the context that was cancelled */
#define WH__LEAKED "whence.leaked"                                   /* bool; nobody has ended it, the shutdown did */
#define WH__LEAKED_SITE "whence.leaked.site"                         /* file:line function where it was started */
#define WH__LEAKED_AGE_MS "whence.leaked.age_ms"                     /* double; since then */
#define WH__ERROR_TYPE "error.type"                                  /* OpenTelemetry's own */

#endif
