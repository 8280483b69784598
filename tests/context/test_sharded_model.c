/* As test_model.c, with every second context a parent that has shards: model/real.c makes them so, being built with SHARDED. */
#include "test_model.c"
