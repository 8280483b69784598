/* Asking a Jaeger. */
#include <stdio.h>

#include "options.h"

long jaeger_ask(struct model *model, const struct options *options)
{
    (void)model, (void)options;
    fputs("whence: built without libcurl: no Jaeger can be asked\n", stderr);
    return -1;
}
