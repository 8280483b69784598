/* The allocator's functions, put in front of the system's. Under a sanitizer they are its own, and nothing is counted. */
#include "mallocs.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static uint64_t count; /* atomic */

uint64_t mallocs_now(void)
{
    return __atomic_load_n(&count, __ATOMIC_RELAXED);
}

/* What the C library allocates on its own counts as well; that is what the first is for. */
bool mallocs_can_be_counted(void)
{
    const uint64_t before = mallocs_now();
    char *(*volatile duplicate)(const char *) = strdup;
    int (*volatile align)(void **, size_t, size_t) = posix_memalign;
    void *aligned = NULL;
    free(duplicate("a string"));
    if (align(&aligned, 64, 64) == 0) free(aligned);
    return mallocs_now() - before == 2;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)

void *plain_malloc(size_t size) { return malloc(size); }
void plain_free(void *ptr) { free(ptr); }

#else

static void *(*real_malloc)(size_t);
static void *(*real_calloc)(size_t, size_t);
static void *(*real_realloc)(void *, size_t);
static int (*real_posix_memalign)(void **, size_t, size_t);
static void *(*real_aligned_alloc)(size_t, size_t);
static void *(*real_memalign)(size_t, size_t);
static void (*real_free)(void *);

/* While the real ones are looked up, whoever asks gets a piece of this, which is never freed. */
static struct {
    _Alignas(16) unsigned char bytes[16384];
    size_t used;
} early;

static void *from_early(size_t size)
{
    size = (size + 15) & ~(size_t)15;
    if (size > sizeof early.bytes - early.used) abort();
    void *piece = early.bytes + early.used;
    early.used += size;
    return piece;
}

static bool is_early(const void *ptr)
{
    return (uintptr_t)ptr - (uintptr_t)early.bytes < sizeof early.bytes;
}

static void find(void *function, const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    memcpy(function, &found, sizeof found);
}

/* True while it is still looking: it is called first by the first thread, long before there is another. */
static bool looking(void)
{
    static bool begun;
    if (__builtin_expect(real_free != NULL, 1)) return false;
    if (begun) return true;
    begun = true;
    find(&real_malloc, "malloc");
    find(&real_calloc, "calloc");
    find(&real_realloc, "realloc");
    find(&real_posix_memalign, "posix_memalign");
    find(&real_aligned_alloc, "aligned_alloc");
    find(&real_memalign, "memalign");
    find(&real_free, "free");
    return false;
}

static void count_one(void)
{
    __atomic_fetch_add(&count, 1, __ATOMIC_RELAXED);
}

void *malloc(size_t size)
{
    if (looking()) return from_early(size);
    count_one();
    return real_malloc(size);
}

void *calloc(size_t members, size_t size)
{
    if (looking()) return from_early(members * size);
    count_one();
    return real_calloc(members, size);
}

void *realloc(void *old, size_t size)
{
    if (looking() || is_early(old)) {
        void *fresh = malloc(size);
        const size_t behind = old ? (size_t)(early.bytes + sizeof early.bytes - (unsigned char *)old) : 0;
        if (fresh && old) memcpy(fresh, old, size < behind ? size : behind);
        return fresh;
    }
    count_one();
    return real_realloc(old, size);
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
    if (looking()) return ENOMEM;
    count_one();
    return real_posix_memalign(out, alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    if (looking()) return NULL;
    count_one();
    return real_aligned_alloc(alignment, size);
}

void *memalign(size_t alignment, size_t size); /* of glibc and musl, not of C */
void *memalign(size_t alignment, size_t size)
{
    if (looking() || !real_memalign) return NULL;
    count_one();
    return real_memalign(alignment, size);
}

void free(void *ptr)
{
    if (!looking() && !is_early(ptr)) real_free(ptr);
}

void *plain_malloc(size_t size)
{
    return looking() ? from_early(size) : real_malloc(size);
}

void plain_free(void *ptr)
{
    if (!looking() && !is_early(ptr)) real_free(ptr);
}

#endif
