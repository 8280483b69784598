#ifndef ENVIRONMENT_H
#define ENVIRONMENT_H

#include <whence/whence.h>

/* The provider that the OTEL_* variables describe (configuration/sdk-environment-variables.md): an empty variable counts
 * as unset; one that makes no sense is reported and ignored. NULL: the SDK is disabled, nothing is to be exported, or there
 * is no memory. */
wh_provider *wh__provider_from_environment(const char *service, const char *version);

/* What WHENCE_TRACK and WHENCE_DUMP_SIGNAL ask for. */
void wh__live_from_environment(void);

#endif
