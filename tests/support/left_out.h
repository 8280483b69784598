/* For a test that this machine cannot run: says so in the summary of ./run test, and ends the test, which has not failed. */
#ifndef SUPPORT_LEFT_OUT_H
#define SUPPORT_LEFT_OUT_H

#include <stdio.h>

#define LEFT_OUT(what, why) \
    do { \
        printf("left out: %s: %s\n", (what), (why)); \
        return; \
    } while (0)

#endif
