#include "main/environment.h"
#include "main/values.h"

/* The names that SDKs have in common, and those of the configuration schema. */
void wh__env_log_level(void)
{
    static const char *const words[] = {"trace", "debug", "info", "warn", "warning", "error", "fatal", "none", NULL};
    static const enum wh_severity levels[] = {WH_DEBUG, WH_DEBUG, WH_INFO, WH_WARNING, WH_WARNING, WH_ERROR, WH_SILENT, WH_SILENT};
    int which;
    if (wh__env_word("OTEL_LOG_LEVEL", words, &which)) wh_report_from(levels[which]);
}
