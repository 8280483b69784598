/* The flaw: the caller waits for 50 ms and returns; the work, which nobody told, goes on to its end. */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t finished = PTHREAD_COND_INITIALIZER;
static bool done, caller_is_gone;
static int for_nobody;

static void *work(void *arg)
{
    (void)arg;
    for (int step = 0; step < 1000; step++) {
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        pthread_mutex_lock(&lock);
        for_nobody += caller_is_gone;
        pthread_mutex_unlock(&lock);
    }
    pthread_mutex_lock(&lock);
    done = true;
    pthread_cond_signal(&finished);
    pthread_mutex_unlock(&lock);
    return NULL;
}

static int call(pthread_t *thread)
{
    struct timespec limit;
    clock_gettime(CLOCK_REALTIME, &limit);
    limit.tv_nsec += 50000000;
    if (limit.tv_nsec >= 1000000000) limit.tv_sec++, limit.tv_nsec -= 1000000000;
    int rc = pthread_create(thread, NULL, work, NULL);
    if (rc) return rc;
    pthread_mutex_lock(&lock);
    while (!done && rc == 0) rc = pthread_cond_timedwait(&finished, &lock, &limit);
    caller_is_gone = true;
    if (done) rc = 0;
    pthread_mutex_unlock(&lock);
    return rc;
}

int main(void)
{
    pthread_t thread;
    const int rc = call(&thread);
    printf("the caller: %s\n", rc == ETIMEDOUT ? "gave up" : rc ? "could not begin" : "got it");
    pthread_join(thread, NULL); /* here to be able to tell of it; a server would not even know the thread */
    printf("the work: %s for nobody\n", for_nobody > 0 ? "went on" : "did nothing");
    return 0;
}
