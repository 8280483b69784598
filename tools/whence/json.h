/* Values of JSON as the readers of OTLP and of Jaeger's own format want them. What has another type than expected is as if it
 * were not there. */
#ifndef TOOLS_WHENCE_JSON_H
#define TOOLS_WHENCE_JSON_H

#include <cjson/cJSON.h>

#include "model.h"

/* Protobuf's JSON has lowerCamelCase, and its readers take the names of the schema as well: "traceId" is also "trace_id". */
bool json_named(const cJSON *item, const char *name);
const cJSON *json_get(const cJSON *object, const char *name); /* NULL: not there */

const char *json_string(const cJSON *item);                   /* "" if it is none */
uint64_t json_uint(const cJSON *item);                        /* a number, or a string of digits; 0 if neither */

/* The text of a number, a bool or a string that is the value of an attribute; and of anything else as JSON. */
const char *json_text(struct model *model, const cJSON *item);

/* ---- a list that grows while it is read, and is copied then ---- */

struct attribute_list {
    struct attribute *list;
    size_t count, capacity;
};
void attribute_list_add(struct attribute_list *attributes, const char *key, const char *text, enum value_kind kind);
struct attributes attribute_list_take(struct model *model, struct attribute_list *attributes); /* and is empty again */

/* ---- the readers; how many spans came of it ---- */

long otlp_read(struct model *model, const cJSON *traces_data);
long jaeger_read(struct model *model, const cJSON *trace); /* {"traceID", "spans", "processes"} */

#endif
