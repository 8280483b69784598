/* Names of signals, for spans and messages. */
#ifndef BASE_SIGNAME_H
#define BASE_SIGNAME_H

enum { WH__SIGNAL_SIZE = 20 };

/* "SIGTERM"; of one that has no name, "signal 40", written to buf. */
const char *wh__signal_name(int number, char buf[WH__SIGNAL_SIZE]);

#endif
