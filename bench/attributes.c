#include "attributes.h"

struct request request = {.method = METHOD, .path = PATH, .status = STATUS, .server = SERVER, .agent = AGENT};
