/* Names of errno values, for spans and messages: low-cardinality and the same in every language. */
#ifndef BASE_ERRNAME_H
#define BASE_ERRNAME_H

/* "ECONNREFUSED"; "0" for 0; what the system does not know, as its number, valid until this thread asks again. */
const char *wh__errno_name(int code);

#endif
