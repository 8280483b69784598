/* The flaw: three stages, and a collector that waits for one message from each; but a stage that succeeds has nothing to say.
 * It hangs exactly when all is well. And when one fails, it returns while the others are still at work. */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t came = PTHREAD_COND_INITIALIZER;
static int messages, failures, at_work;
static sem_t go_on;

static void *stage(void *fails)
{
    if (!fails) sem_wait(&go_on); /* its work: longer than the collector waits */
    pthread_mutex_lock(&lock);
    at_work--;
    if (fails) messages++, failures++, pthread_cond_signal(&came);
    pthread_mutex_unlock(&lock);
    return NULL;
}

/* Would wait for ever; here it gives up, to be able to tell of it. */
static void collect(int stages)
{
    struct timespec limit;
    clock_gettime(CLOCK_REALTIME, &limit);
    limit.tv_sec += 2;
    pthread_mutex_lock(&lock);
    for (int i = 0; i < stages && failures == 0; i++)
        while (messages <= i)
            if (pthread_cond_timedwait(&came, &lock, &limit) == ETIMEDOUT) {
                printf("the collector hangs: %d of %d messages\n", messages, stages);
                pthread_mutex_unlock(&lock);
                return;
            }
    printf("the collector returns, %d failed, %d stages at work\n", failures, at_work);
    pthread_mutex_unlock(&lock);
}

static void run(const char *what, bool one_fails)
{
    pthread_t threads[3];
    messages = failures = 0, at_work = 3;
    printf("%s: ", what);
    for (int i = 0; i < 3; i++) {
        if (!one_fails) sem_post(&go_on);
        if (pthread_create(&threads[i], NULL, stage, one_fails && i == 0 ? &lock : NULL)) return;
    }
    collect(3);
    for (int i = 0; i < 3; i++) sem_post(&go_on);
    for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
    while (sem_trywait(&go_on) == 0) {} /* none is left for the next run */
}

int main(void)
{
    if (sem_init(&go_on, 0, 0)) return 1;
    run("one fails", true);
    run("all succeed", false);
    return 0;
}
