#include "base/spawn.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <whence/base.h>

static int start(const char *name, void *(*fn)(void *arg), void *arg)
{
    sigset_t all, before;
    pthread_attr_t attr;
    pthread_t thread;
    int rc = pthread_attr_init(&attr);
    if (rc) return rc;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    rc = pthread_create(&thread, &attr, fn, arg);
    if (rc == 0) pthread_setname_np(thread, name);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    return rc;
}

bool wh__spawn(bool *runs, const char *name, void *(*fn)(void *arg), void *arg)
{
    static bool reported;
    if (__atomic_load_n(runs, __ATOMIC_ACQUIRE)) return true;
    if (__atomic_exchange_n(runs, true, __ATOMIC_ACQ_REL)) return true;
    const int rc = start(name, fn, arg);
    if (rc == 0) return true;
    __atomic_store_n(runs, false, __ATOMIC_RELEASE);
    if (!__atomic_exchange_n(&reported, true, __ATOMIC_RELAXED))
        wh_report(WH_ERROR, "cannot start the thread %s (%s); trying again when it is needed", name, strerror(rc));
    return false;
}
