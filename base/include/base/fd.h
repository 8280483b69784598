/* Writing and closing in the middle of the library's work. POSIX makes write() and close() places where pthread_cancel()
 * may end the thread; here it must not, since nobody else would finish the work. */
#ifndef BASE_FD_H
#define BASE_FD_H

#include <pthread.h>
#include <stddef.h>
#include <unistd.h>

static inline ssize_t wh__write(int fd, const void *bytes, size_t len)
{
    int state;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    const ssize_t written = write(fd, bytes, len);
    pthread_setcancelstate(state, &state);
    return written;
}

static inline void wh__close(int fd)
{
    int state;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    close(fd);
    pthread_setcancelstate(state, &state);
}

#endif
