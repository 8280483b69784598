/* The thread for what happens later: deadlines, peers that hang up, signals. One for the process, started at first need,
 * asleep in epoll while nothing is due. */
#ifndef LOOP_H
#define LOOP_H

#include <stdbool.h>
#include <stdint.h>

extern bool wh__loop_has_thread;   /* atomic */
extern int64_t wh__loop_wakes_by;  /* atomic; what the alarm is set to, or earlier */
bool wh__loop_start_thread(void);
void wh__loop_wake_earlier(int64_t instant);

/* Starts it. False, after a line of report, if the descriptors or the thread could not be had. */
static inline bool wh__loop_start(void)
{
    return __atomic_load_n(&wh__loop_has_thread, __ATOMIC_ACQUIRE) || wh__loop_start_thread();
}

/* To be awake by that instant at the latest. Cheap if it will be anyway. */
static inline void wh__loop_wake_by(int64_t instant)
{
    if (instant < __atomic_load_n(&wh__loop_wakes_by, __ATOMIC_SEQ_CST)) wh__loop_wake_earlier(instant);
}

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
