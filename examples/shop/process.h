/* The services as processes, and what they say. */
#ifndef PROCESS_H
#define PROCESS_H

#include <sys/types.h>

struct process {
    const char *name;
    pid_t pid;
    unsigned short port;
    int errors;         /* where its standard error can be read */
};

/* Starts the program `name` of the folder that this program is in, and waits until it says where it listens. arguments:
 * up to four, NULL ends them. 0 or an errno value. */
int process_start(struct process *process, const char *name, const char *const *arguments);

/* Sends a signal, waits until it has ended, at most four seconds, then insists. Returns its exit status, 128 and the signal
 * if one ended it. */
int process_stop(struct process *process, int signal);

/* Writes what it has said on standard error by now, line by line, after `prefix`; forgets it if that is NULL. */
void process_print_errors(struct process *process, const char *prefix);

#endif
