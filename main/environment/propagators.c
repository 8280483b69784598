#include "main/environment.h"
#include "main/values.h"

/* Also without tracing: headers are handed on in any case. */
void wh__env_propagators(void)
{
    const char *names = wh__env("OTEL_PROPAGATORS");
    if (names && wh_set_propagators_named(names)) wh_report(WH_ERROR, "no memory for the propagators: the usual ones hold");
}
