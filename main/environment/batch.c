#include "main/environment.h"
#include "main/values.h"

void wh__env_batch(struct wh_provider_opts *opts)
{
    wh__env_size("OTEL_BSP_MAX_QUEUE_SIZE", 1, &opts->max_queue);
    wh__env_size("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 1, &opts->max_batch);
    wh__env_delay("OTEL_BSP_SCHEDULE_DELAY", &opts->schedule_delay);
    wh__env_timeout("OTEL_BSP_EXPORT_TIMEOUT", &opts->export_timeout);
}
