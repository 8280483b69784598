/* The services as processes, and what they say. */
#ifndef PROCESS_H
#define PROCESS_H

#include <sys/types.h>

struct process {
    const char *name;
    pid_t pid;
    unsigned short port;
    int errors;       /* where its standard error can be read */
    char said[16384]; /* what has been read from there */
};

/* Starts the program `name` of the folder that this program is in, and waits until it says where it listens. arguments:
 * up to six, NULL ends them. 0 or an errno value. */
int process_start(struct process *process, const char *name, const char *const *arguments);

/* Sends a signal, waits until it has ended, at most four seconds, then insists. Returns its exit status, 128 and the signal
 * if one ended it. */
int process_stop(struct process *process, int signal);

/* How many times it has said these words on standard error by now. */
int process_said(struct process *process, const char *words);

/* Prints what it has said, line by line, after its name; once. */
void process_print_said(struct process *process);

/* Of one that has been stopped. */
void process_forget(struct process *process);

#endif
