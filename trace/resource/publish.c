/* The process context (OTEP 4719, development): a page that readers outside, as a profiler, find by its name in /proc/<pid>/maps, with
 * a pointer to the resource. It is changed under their eyes: while its time is 0 the rest means nothing. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/thread.h"
#include "trace/resource.h"
#include "trace/wire.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8u
#endif
#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#define PR_SET_VMA_ANON_NAME 0
#endif

enum { VERSION = 2, RESOURCE = 1, PREFIX = 1 + 5 };
static const char name[] = "OTEL_CTX";

struct header {
    char signature[8];
    uint32_t version, payload_size;
    uint64_t published; /* atomic; CLOCK_BOOTTIME; 0: do not read */
    uint64_t payload;   /* an address */
};

static struct {
    bool busy;             /* atomic; somebody is at it */
    bool watches_forks;
    struct header *header; /* a page of its own, which no child inherits */
    wh_resource *resource;
    uint8_t *payload;      /* ProcessContext: the resource as its only field */
    size_t size;
} process;

/* ---- the page ---- */

static int open_memory(void)
{
    const int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
    return fd >= 0 || errno != EINVAL ? fd : memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING); /* before Linux 6.3 */
}

static struct header *map_page(bool *has_name)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    int fd = open_memory();
    if (fd >= 0 && ftruncate(fd, (off_t)page)) {
        close(fd);
        fd = -1;
    }
    void *at = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | (fd < 0 ? MAP_ANONYMOUS : 0), fd, 0);
    *has_name = fd >= 0;
    if (fd >= 0) close(fd);
    if (at == MAP_FAILED) return NULL;
    if (madvise(at, page, MADV_DONTFORK) == 0) return at;
    munmap(at, page);
    return NULL;
}

/* Where the kernel does not name mappings, whoever listens to the call learns of it nevertheless. */
static bool name_page(void)
{
    return prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, process.header, sysconf(_SC_PAGESIZE), name) == 0;
}

/* ---- writing ---- */

static void show(void)
{
    struct header *header = process.header;
    const uint64_t before = header->published, now = (uint64_t)wh__clock(CLOCK_BOOTTIME);
    __atomic_store_n(&header->published, 0, __ATOMIC_SEQ_CST);
    memcpy(header->signature, name, sizeof header->signature);
    header->version = VERSION;
    header->payload_size = (uint32_t)process.size;
    header->payload = (uint64_t)(uintptr_t)process.payload;
    __atomic_store_n(&header->published, now > before ? now : before + 1, __ATOMIC_SEQ_CST);
}

static int publish(void)
{
    bool has_name = true;
    if (!process.header) process.header = map_page(&has_name);
    if (!process.header) return errno;
    show();
    if (name_page() || has_name) return 0;
    munmap(process.header, (size_t)sysconf(_SC_PAGESIZE));
    process.header = NULL;
    return ENOTSUP;
}

static size_t fill(uint8_t *payload, const wh_resource *resource)
{
    return (size_t)(wh__put_bytes(payload, RESOURCE, resource->bytes, resource->len) - payload);
}

/* The page stayed with the parent. If another thread was at it there, what is to be shown is in any state. */
static void publish_in_child(void)
{
    process.header = NULL;
    if (process.busy) process.resource = NULL;
    if (process.busy) process.payload = NULL;
    process.busy = false;
    if (!process.resource) return;
    wh__resource_renew(process.resource);
    fill(process.payload, process.resource);
    publish();
}
static struct wh__fork_handler in_child = {.fn = publish_in_child};

static int replace(wh_resource *resource, uint8_t *payload)
{
    wh_resource *const old = process.resource;
    uint8_t *const old_payload = process.payload;
    process.resource = resource;
    process.payload = payload;
    process.size = fill(payload, resource);
    const int rc = publish();
    wh_resource_free(old); /* who is reading it just now sees another time afterwards */
    wh__mem_free(old_payload);
    return rc;
}

int wh_resource_publish(const wh_resource *given)
{
    wh_resource *resource = wh_resource_merge(given, NULL);
    uint8_t *payload = resource ? wh__mem_get(PREFIX + resource->len) : NULL;
    int rc = !payload ? ENOMEM : __atomic_exchange_n(&process.busy, true, __ATOMIC_ACQUIRE) ? EBUSY : 0;
    if (rc) {
        wh_resource_free(resource);
        wh__mem_free(payload);
        return rc;
    }
    if (!process.watches_forks) wh__at_fork(&in_child);
    process.watches_forks = true;
    rc = replace(resource, payload);
    __atomic_store_n(&process.busy, false, __ATOMIC_RELEASE);
    return rc;
}
