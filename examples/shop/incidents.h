/* The book of incidents, as a table: what the client asks, what happens meanwhile, and when it is over. */
#ifndef INCIDENTS_H
#define INCIDENTS_H

#include "market.h"

struct incident {
    const char *name, *title, *sentence;
    const char *path;             /* with a query, of what the client asks the gateway */
    const char *header;           /* of its request, or NULL */
    struct {
        const char *name, *value;
    } settings[2];                /* variables that the services find in their environment */
    enum { WAIT, HANG_UP, TERMINATE } then; /* the client waits for its answer; or hangs up; or the gateway gets a SIGTERM: */
    long after_ms;                /* after so long */
    struct {
        enum service service;
        const char *words;
        int times;
    } once;                       /* or once a service has said this so many times */
    int requests[MAIL + 1];       /* it is over when each service has said of so many requests how they ended */
};
extern const struct incident incidents[];
extern const int incident_count;

#endif
