#include "main/environment.h"
#include "main/values.h"

static void read_either(const char *specific, const char *general, uint32_t *limit)
{
    if (!wh__env_size(specific, 1, limit)) wh__env_size(general, 1, limit);
}

void wh__env_limits(struct wh_limits *limits)
{
    read_either("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "OTEL_ATTRIBUTE_COUNT_LIMIT", &limits->attributes);
    read_either("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", "OTEL_ATTRIBUTE_COUNT_LIMIT", &limits->event_attributes);
    read_either("OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", "OTEL_ATTRIBUTE_COUNT_LIMIT", &limits->link_attributes);
    read_either("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", &limits->value_length);
    wh__env_size("OTEL_SPAN_EVENT_COUNT_LIMIT", 1, &limits->events);
    wh__env_size("OTEL_SPAN_LINK_COUNT_LIMIT", 1, &limits->links);
}
