/* The thread for what happens later: deadlines, peers that hang up, signals. One for the process, started at first need,
 * asleep in epoll while nothing is due. */
#ifndef LOOP_H
#define LOOP_H

#include <stdbool.h>
#include <stdint.h>

/* Starts it. False, after a line of report, if the descriptors or the thread could not be had. */
bool wh__loop_start(void);

/* To be awake by that instant at the latest. Cheap if it will be anyway. */
void wh__loop_wake_by(int64_t instant);

/* Adds a descriptor to what it sleeps on: 0 or an errno value. With every event, wh__watch_ready(tag) is called. */
int wh__loop_add(int fd, uint32_t events, uint64_t tag);
void wh__loop_remove(int fd);

/* Asks for wh__signal_ready() and wh__triggers_ready() on the loop's thread. From a signal handler. */
void wh__loop_signal(void);

/* What it calls, on its thread, with no lock held. */
int64_t wh__timers_fire(void);                       /* all that is due; returns when something will be next */
void wh__watch_ready(uint64_t tag, uint32_t events); /* peer.c */
void wh__signal_ready(void);                         /* signal.c */
void wh__triggers_ready(void);                       /* trigger.c */

/* What it calls in the child of a fork, where it has no descriptors yet. */
void wh__watches_forget(void);
void wh__signals_forget(void);
void wh__triggers_forget(void);
void wh__timers_take_back(void);

#endif
