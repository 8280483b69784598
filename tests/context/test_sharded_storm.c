/* As test_storm.c, over parents of which many have shards. */
#define SHARDED
#include "shards_tools.h"

#include "test_storm.c"
