#include "propagate/boot.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/thread.h"

/* FNV-1a, 64 bits. What is hashed is random enough; it only has to be short, and not to tell the id itself. */
static uint64_t hash(uint64_t sum, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) sum = (sum ^ (uint8_t)bytes[i]) * UINT64_C(0x100000001b3);
    return sum;
}

static size_t read_all(const char *path, char *buf, size_t size)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 0;
    const ssize_t got = read(fd, buf, size);
    close(fd);
    return got > 0 ? (size_t)got : 0;
}

static uint64_t find(void)
{
    char id[64], space[64];
    const size_t id_len = read_all("/proc/sys/kernel/random/boot_id", id, sizeof id);
    const ssize_t space_len = readlink("/proc/self/ns/time", space, sizeof space);
    if (id_len < 36) return 0;
    if (space_len <= 0 && errno != ENOENT) return 0; /* a kernel that is too old for such namespaces has no such file */
    const uint64_t sum = hash(UINT64_C(0xcbf29ce484222325), id, 36);
    return hash(sum, space, space_len > 0 ? (size_t)space_len : 0);
}

/* A fork() may lead into another time namespace, so the child looks again. */
uint64_t wh__boot(void)
{
    static uint64_t known;     /* atomic, as is found_at */
    static uint32_t found_at;  /* one more than the number of forks at that time */
    const uint32_t now = wh__forks + 1;
    if (__atomic_load_n(&found_at, __ATOMIC_ACQUIRE) == now) return __atomic_load_n(&known, __ATOMIC_RELAXED);
    const int before = errno;
    const uint64_t boot = find();
    errno = before;
    __atomic_store_n(&known, boot, __ATOMIC_RELAXED);
    __atomic_store_n(&found_at, now, __ATOMIC_RELEASE);
    return boot;
}
