/* What is drawn: a scene is a list of spans with fixed ids and times, in the order in which a collector would get
 * them. */
#ifndef SCENES_H
#define SCENES_H

#include <whence/exporters.h>
#include <whence/trace.h>

struct span {
    const char *service, *name, *status_text, *error_type, *reason, *message, *site, *origin_name;
    unsigned id, parent, origin; /* 0: none */
    enum wh_kind kind;
    enum wh_status status;
    double start, end, cancelled; /* ms; cancelled 0: it was not */
    double asked, budget, left;   /* ms; budget 0: no deadline */
    bool remote;                  /* its parent is */
};

struct scene {
    const char *name; /* of its drawings in golden/ */
    const struct span *spans;
    size_t count;
};

extern const struct scene scene_well, scene_client_gone, scene_deadline, scene_inner_deadline, scene_sibling,
    scene_bad_gateway, scene_overrun, scene_remote_origin, scene_orphans, scene_hostile;

/* A trace of one process, in the order in which its spans end; and a request that came from elsewhere. */
extern const struct span child_and_root[2], from_elsewhere[1];

#endif
