#ifndef ENVIRONMENT_H
#define ENVIRONMENT_H

#include <whence/whence.h>

/* The provider that the OTEL_* variables describe (configuration/sdk-environment-variables.md): an empty variable counts
 * as unset; one that makes no sense is reported and ignored. NULL: the SDK is disabled, nothing is to be exported, or there
 * is no memory. */
wh_provider *wh__provider_from_environment(const char *service, const char *version);

#endif
