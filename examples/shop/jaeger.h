/* Where a Jaeger on its usual ports shows what has been sent to it. */
#ifndef JAEGER_H
#define JAEGER_H

/* The base URL of its OTLP endpoint, or NULL if nothing answers there. SHOP_JAEGER in the environment: another one. */
const char *jaeger_find(void);

/* Prints where the trace is to be seen; or all that were cancelled. After jaeger_find() has found one. */
void jaeger_print_trace(const char *trace_id);
void jaeger_print_cancelled(void);

#endif
