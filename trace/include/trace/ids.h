/* Ids from the provider's generator. */
#ifndef TRACE_IDS_H
#define TRACE_IDS_H

#include <whence/sampler.h>

/* Never zero, whatever the generator says. */
void wh__ids_trace(struct wh_id_generator *ids, uint8_t out[16]);
void wh__ids_span(struct wh_id_generator *ids, uint8_t out[8]);

#endif
