/* What the environment says of what travels. */
#include "main/environment.h"
#include "main/values.h"
#include "propagate/cause.h"
#include "propagate/composite.h"

/* Also without tracing: headers are handed on in any case. */
void wh__env_propagators(void)
{
    static const char name[] = "OTEL_PROPAGATORS";
    const char *names = wh__env(name);
    if (names && wh__set_propagators_named(names, name)) wh_report(WH_ERROR, "no memory for the propagators: the usual ones hold");
}

void wh__env_causes(void)
{
    bool say;
    if (wh__env_bool("WHENCE_CAUSE_SEND", &say)) wh__set_cause_send(say);
    if (wh__env_bool("WHENCE_CAUSE_ACCEPT", &say)) wh__set_cause_accept(say);
}
