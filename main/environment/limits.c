#include "main/environment.h"
#include "main/values.h"

/* In the options 0 asks for the default. */
static void read_limit(const char *name, uint32_t *limit)
{
    if (wh__env_size(name, 0, limit) && *limit == 0) *limit = WH_LIMIT_ZERO;
}

void wh__env_limits(struct wh_limits *limits)
{
    read_limit("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", &limits->attributes);
    read_limit("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", &limits->value_length);
    read_limit("OTEL_SPAN_EVENT_COUNT_LIMIT", &limits->events);
    read_limit("OTEL_SPAN_LINK_COUNT_LIMIT", &limits->links);
    read_limit("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", &limits->event_attributes);
    read_limit("OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", &limits->link_attributes);
    read_limit("OTEL_ATTRIBUTE_COUNT_LIMIT", &limits->attribute_count);
    read_limit("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", &limits->attribute_value_length);
}
