/* One process of a random tree: what it does for a request, and which contexts it makes for that, a seed decides.
 *
 * Usage: node NAME LISTENING_DESCRIPTOR PORT...   (the ports of all processes of the tree)
 *
 * A request is "CALL seed hops", header lines as wh_inject() writes them, and an empty line; the answer is one line. Every
 * span says which contexts lie above it in this process: test.path is "x3/g7/m8/x9", the outermost first: g is a group's,
 * m a member's, d one that is detached, x any other. Every place that a
 * cause may name is called like the context that it belongs to, so that whoever reads the trace can count for himself.
 */
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <whence/whence.h>

WH_KEY(tenant, const char *)

enum { SITES = 60000, PORTS = 16, DEEPEST = 4, PATH = 256, FIELDS = 16 };

static unsigned short ports[PORTS];
static int port_count;
static unsigned at_work; /* atomic: requests */

/* ---- chance ---- */

static uint64_t draw(uint64_t *seed)
{
    uint64_t z = (*seed += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static int below(uint64_t *seed, int n)
{
    return (int)(draw(seed) % (uint64_t)n);
}

static void be_deaf(int ms)
{
    nanosleep(&(struct timespec){.tv_nsec = ms * 1000000L}, NULL);
}

/* ---- contexts, and the places named like them ---- */

struct place {
    wh_ctx *own;         /* NULL: somebody else's */
    bool is_value;       /* it cannot be cancelled itself */
    const wh_ctx *ctx;
    struct place *up;    /* on this thread */
    char path[PATH];
    char group[12];      /* the nearest above on this thread; "" none */
};

static const struct wh_site *site_named(const char *name)
{
    static struct named {
        struct wh_site site;
        char name[12];
    } sites[SITES];
    static unsigned used;
    const unsigned i = __atomic_fetch_add(&used, 1, __ATOMIC_RELAXED);
    if (i >= SITES) abort();
    snprintf(sites[i].name, sizeof sites[i].name, "%s", name);
    sites[i].site = (struct wh_site){"node.c", sites[i].name, 1};
    return &sites[i].site;
}

/* A new name, at the end of the path. */
static const struct wh_site *enter(struct place *place, struct place *up, const char *path, char kind)
{
    static unsigned names;
    char name[12];
    snprintf(name, sizeof name, "%c%u", kind, __atomic_fetch_add(&names, 1, __ATOMIC_RELAXED) % 1000000);
    *place = (struct place){.up = up};
    if (up) memcpy(place->group, up->group, sizeof place->group);
    if (snprintf(place->path, sizeof place->path, "%s%s%s", path, *path ? "/" : "", name) >= PATH) abort();
    return site_named(name);
}

static const char *last_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static void start(struct place *place, struct wh_start_opts opts, const wh_ctx *parent, const struct wh_site *site)
{
    opts.size = sizeof opts;
    opts.site = site;
    place->ctx = place->own = wh_start_at(parent, &opts);
    wh_set(place->ctx, "test.path", (const char *)place->path);
}

/* ---- what is done ---- */

static int work(struct place *at, uint64_t *seed, int depth, int hops);

static int go_on_inside(struct place *at, uint64_t *seed, int depth, int hops)
{
    struct place inner;
    const int kind = below(seed, 8);
    const int64_t timeout = below(seed, 3) ? 0 : WH_MS(1 + below(seed, 20));
    const struct wh_site *site = enter(&inner, at, at->path, kind == 7 ? 'd' : 'x');
    if (kind < 5)
        start(&inner, (struct wh_start_opts){.name = "step", .timeout = timeout}, at->ctx, site);
    else if ((inner.is_value = kind == 5))
        inner.ctx = inner.own = wh_with_tenant(at->ctx, "acme");
    else if (kind == 6)
        inner.ctx = inner.own = timeout ? wh_with_timeout_at(at->ctx, timeout, site) : wh_with_cancel_at(at->ctx, site);
    else
        inner.ctx = inner.own = wh_detach_at(at->ctx, site);
    const int rc = work(&inner, seed, depth + 1, hops);
    if (kind < 5 && below(seed, 40) == 0) return rc; /* it leaks */
    wh_end(inner.own);
    return rc;
}

struct member {
    struct place place;
    uint64_t seed;
    int depth, hops;
};

static int be_member(const wh_ctx *ctx, void *arg)
{
    struct member *member = arg;
    member->place.ctx = ctx;
    return go_on_inside(&member->place, &member->seed, member->depth, member->hops);
}

static int work_as_group(struct place *at, uint64_t *seed, int depth, int hops)
{
    struct place group;
    struct member members[3];
    const struct wh_site *site = enter(&group, at, at->path, 'g');
    wh_group *g = wh_group_new_at(&(struct wh_group_opts){.size = sizeof(struct wh_group_opts), .site = site, .parent = at->ctx,
        .policy = below(seed, 3)});
    const int count = 2 + below(seed, 2);
    for (int i = 0; i < count; i++) {
        members[i] = (struct member){.seed = draw(seed), .depth = depth + 1, .hops = hops};
        const struct wh_site *here = enter(&members[i].place, NULL, group.path, 'm');
        memccpy(members[i].place.group, last_of(group.path), '\0', sizeof members[i].place.group);
        wh_go_at(g, be_member, &members[i], "be_member", here);
    }
    const int rc = wh_group_wait(g);
    wh_group_free(g);
    return rc;
}

/* ---- calling another process ---- */

static void put_field(void *carrier, const char *name, const char *value)
{
    char *text = carrier;
    const size_t len = strlen(text);
    snprintf(text + len, 4096 - len, "%s: %s\n", name, value);
}

static int call_it(const wh_ctx *ctx, uint64_t seed, int port, int hops)
{
    char text[4096];
    const struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    size_t got = 0;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int rc = connect(fd, (const void *)&to, sizeof to) ? errno : 0;
    snprintf(text, sizeof text, "CALL %llu %d\n", (unsigned long long)seed, hops);
    wh_inject(ctx, put_field, text);
    strcat(text, "\n");
    if (!rc && send(fd, text, strlen(text), MSG_NOSIGNAL) < 0) rc = errno;
    if (!rc) rc = wh_read(ctx, fd, text, sizeof text, &got);
    if (!rc && (got == 0 || text[0] != 'O')) rc = EREMOTEIO;
    close(fd);
    return rc;
}

static int fail(const struct place *at, int code, const char *text)
{
    return wh_fail_at(at->ctx, code, NULL, text, site_named(*at->group ? at->group : "nobody"));
}

static int call(struct place *at, uint64_t *seed, int hops)
{
    struct place client;
    const struct wh_site *site = enter(&client, at, at->path, 'x');
    const int64_t timeout = below(seed, 2) ? 0 : WH_MS(1 + below(seed, 30));
    start(&client, (struct wh_start_opts){.name = "call", .kind = WH_CLIENT, .timeout = timeout}, at->ctx, site);
    int rc = call_it(client.ctx, draw(seed), ports[below(seed, port_count)], hops - 1);
    if (rc && !wh_err(client.ctx)) rc = fail(&client, rc, "the call failed");
    wh_end(client.own);
    return below(seed, 2) ? rc : 0;
}

/* ---- cancelling ---- */

static void cancel(const struct place *place)
{
    static const struct wh_reason *const reasons[] = {WH_CANCELED, WH_SHUTDOWN, WH_HANDLER_RETURNED};
    const char *name = last_of(place->path);
    wh_cancel_at(place->own, reasons[strlen(name) % 3], "on purpose", true, site_named(name));
}

static void cancel_some_above(struct place *at, uint64_t *seed)
{
    struct place *place = at;
    for (int up = below(seed, 4); up && place->up; up--) place = place->up;
    if (place->own && !place->is_value) cancel(place);
}

struct later {
    struct place *place;
    int ms;
};

static void *cancel_later(void *arg)
{
    const struct later *later = arg;
    be_deaf(later->ms);
    cancel(later->place);
    return NULL;
}

/* ---- ---- */

static int step(struct place *at, uint64_t *seed, int depth, int hops)
{
    const int what = below(seed, 20);
    if (what < 4) return wh_sleep(at->ctx, WH_MS(below(seed, 6)));
    if (what < 6) {
        be_deaf(below(seed, 6));
        return 0;
    }
    if (what < 11) return depth < DEEPEST ? go_on_inside(at, seed, depth, hops) : 0;
    if (what < 13) return depth < DEEPEST - 1 ? work_as_group(at, seed, depth, hops) : 0;
    if (what < 17) return hops > 0 ? call(at, seed, hops) : wh_sleep(at->ctx, WH_MS(1 + below(seed, 10)));
    if (what < 18) {
        cancel_some_above(at, seed);
        return wh_err(at->ctx);
    }
    return what < 19 ? 0 : fail(at, EIO, "it went wrong");
}

static int work(struct place *at, uint64_t *seed, int depth, int hops)
{
    pthread_t thread;
    struct later later = {at, below(seed, 12)};
    const bool cancels = below(seed, 12) == 0 && at->own && !at->is_value;
    const bool with_thread = cancels && pthread_create(&thread, NULL, cancel_later, &later) == 0;
    int rc = 0;
    for (int steps = 1 + below(seed, 4); steps && !rc; steps--) {
        rc = step(at, seed, depth, hops);
        if (rc && below(seed, 3) == 0) rc = 0; /* it does not mind, or does not listen */
    }
    if (with_thread) pthread_join(thread, NULL);
    return rc;
}

/* ---- serving ---- */

struct request {
    const wh_ctx *root;
    int fd;
    uint64_t seed;
    int hops;
    char text[4096];
    char *names[FIELDS], *values[FIELDS];
    int count;
};

static const char *get_field(void *carrier, const char *name)
{
    const struct request *request = carrier;
    for (int i = 0; i < request->count; i++)
        if (strcmp(request->names[i], name) == 0) return request->values[i];
    return NULL;
}

static bool receive(struct request *request)
{
    size_t len = 0;
    while (!strstr(request->text, "\n\n")) {
        const ssize_t got = recv(request->fd, request->text + len, sizeof request->text - 1 - len, 0);
        if (got <= 0) return false;
        len += (size_t)got;
    }
    char *rest = NULL, *line = strtok_r(request->text, "\n", &rest);
    unsigned long long seed;
    if (!line || sscanf(line, "CALL %llu %d", &seed, &request->hops) != 2) return false;
    request->seed = seed;
    while ((line = strtok_r(NULL, "\n", &rest)) && request->count < FIELDS) {
        char *colon = strchr(line, ':');
        if (!colon) continue;
        *colon = '\0';
        request->names[request->count] = line;
        request->values[request->count++] = colon + 2;
    }
    return true;
}

static void serve(struct request *request)
{
    struct place server;
    uint64_t seed = request->seed;
    wh_ctx *from = wh_extract_at(request->root, get_field, request, site_named("caller"));
    const int64_t timeout = below(&seed, 2) ? 0 : WH_MS(2 + below(&seed, 60));
    const struct wh_site *site = enter(&server, NULL, "", 'x');
    start(&server, (struct wh_start_opts){.name = "serve", .kind = WH_SERVER, .timeout = timeout, .peer_fd = request->fd}, from, site);
    const int rc = work(&server, &seed, 0, request->hops);
    const char *answer = rc || wh_err(server.ctx) ? "FAILED\n" : "OK\n";
    if (send(request->fd, answer, strlen(answer), MSG_NOSIGNAL) < 0) rc ? (void)0 : wh_event(server.ctx, "no answer");
    wh_end(server.own);
    wh_end(from);
}

static void *handle(void *arg)
{
    struct request *request = arg;
    if (receive(request)) serve(request);
    close(request->fd);
    free(request);
    __atomic_fetch_sub(&at_work, 1, __ATOMIC_RELEASE);
    return NULL;
}

int main(int argc, char **argv)
{
    WH_AUTO wh_ctx *root = wh_main(argv[1]);
    const int listening = atoi(argv[2]);
    for (int i = 3; i < argc && port_count < PORTS; i++) ports[port_count++] = (unsigned short)atoi(argv[i]);
    if (puts("ready") < 0 || fflush(stdout)) return 1;
    int fd;
    while (wh_accept(root, listening, NULL, NULL, &fd) == 0) {
        pthread_t thread;
        struct request *request = calloc(1, sizeof *request);
        request->root = root;
        request->fd = fd;
        __atomic_fetch_add(&at_work, 1, __ATOMIC_RELAXED);
        if (pthread_create(&thread, NULL, handle, request)) abort();
        pthread_detach(thread);
    }
    for (int i = 0; i < 1000 && __atomic_load_n(&at_work, __ATOMIC_ACQUIRE); i++) be_deaf(5);
    return 0;
}
