/* Runs scripted cases (README.md says in what words they are written) on Whence, and prints what each line comes to.
 *
 *   cases FILE...               "FILE:LINE<tab>RESULT" for each line that has one
 *   cases --random COUNT SEED   random programs as cases, with what Whence says to them
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include <whence/whence.h>

#include "cases.h"

enum { MOST = 64, WORDS = 8 };

struct context {
    char name[24];
    wh_ctx *ctx;
    struct wh_site site;     /* its function is the name: so the origin of a cause is known by it */
    int holds;
    bool is_mine;
};

struct callback {
    char name[24];
    const struct context *of;
    wh_callback *handle;     /* NULL: given to a stop function */
    uint32_t runs;           /* atomic */
    char saw[64];            /* written before it counts */
};

static struct {
    int64_t begun;
    int context_count, callback_count;
    struct context contexts[MOST];
    struct callback callbacks[MOST];
    uint32_t order_len;      /* atomic */
    const struct callback *order[MOST];
} now;

static const char *place = "?"; /* in the file */
static bool callbacks_look;     /* at their contexts: in a script, which sees to it that these are still there */

__attribute__((noreturn)) static void give_up(const char *what, const char *word)
{
    fprintf(stderr, "%s: %s: %s\n", place, what, word);
    exit(2);
}

/* ---- words ---- */

static const char *const instants[] = {"past2", "past1", "far1", "far2", "far3", "never"};
enum { INSTANTS = sizeof instants / sizeof *instants };

static int64_t instant_of(int i)
{
    static const int64_t offsets[] = {WH_SEC(-2), WH_SEC(-1), WH_SEC(1000), WH_SEC(2000), WH_SEC(3000)};
    return i == INSTANTS - 1 ? WH_NEVER : now.begun + offsets[i];
}

static int64_t instant(const char *word)
{
    for (int i = 0; i < INSTANTS; i++)
        if (strcmp(instants[i], word) == 0) return instant_of(i);
    give_up("no such instant", word);
}

static const char *name_of_instant(int64_t at)
{
    for (int i = 0; i < INSTANTS; i++)
        if (instant_of(i) == at) return instants[i];
    return "soon";
}

WH_REASON(reason_x, "x");
WH_REASON(reason_y, "y");
WH_REASON(reason_z, "z");

static const struct wh_reason *reason(const char *word)
{
    const struct wh_reason *const all[] = {reason_x, reason_y, reason_z};
    for (int i = 0; word && i < 3; i++)
        if (strcmp(all[i]->name, word) == 0) return all[i];
    if (word) give_up("no such reason", word);
    return NULL;
}

/* The value: 0 is nil. Two keys have one name: k and same_name. */
static const struct wh_key keys[] = {
    {.size = sizeof(struct wh_key), .name = "k", .value_size = sizeof(int)},
    {.size = sizeof(struct wh_key), .name = "l", .value_size = sizeof(int)},
    {.size = sizeof(struct wh_key), .name = "m", .value_size = sizeof(int)},
    {.size = sizeof(struct wh_key), .name = "k", .value_size = sizeof(int)},
};

static const struct wh_key *key(const char *word)
{
    if (strcmp(word, "same_name") == 0) return &keys[3];
    for (int i = 0; i < 3; i++)
        if (strcmp(keys[i].name, word) == 0) return &keys[i];
    give_up("no such key", word);
}

static struct context *context(const char *name)
{
    for (int i = 0; i < now.context_count; i++)
        if (strcmp(now.contexts[i].name, name) == 0) return &now.contexts[i];
    give_up("no such context", name);
}

static const wh_ctx *any_context(const char *name)
{
    if (strcmp(name, "bg") == 0) return wh_background();
    if (strcmp(name, "todo") == 0) return wh_todo();
    return context(name)->ctx;
}

static struct callback *callback(const char *name)
{
    for (int i = 0; i < now.callback_count; i++)
        if (strcmp(now.callbacks[i].name, name) == 0) return &now.callbacks[i];
    give_up("no such callback", name);
}

/* ---- what is made ---- */

static wh_ctx *with_value(const wh_ctx *parent, const char *key_word, const char *value_word)
{
    const int value = strcmp(value_word, "nil") == 0 ? 0 : atoi(value_word);
    return wh_with_value(parent, key(key_word), &value);
}

static void make(const char *name, char **words, int count)
{
    if (now.context_count == MOST || count < 2) give_up("too many contexts, or too few words", name);
    struct context *made = &now.contexts[now.context_count];
    const char *kind = words[0], *third = count > 2 ? words[2] : "?";
    const wh_ctx *parent = any_context(words[1]);
    const struct wh_site *site = &made->site;
    snprintf(made->name, sizeof made->name, "%s", name);
    made->site = (struct wh_site){"case", made->name, 1};
    made->is_mine = true;
    if (strcmp(kind, "child") == 0) made->ctx = wh_with_cancel_at(parent, site);
    else if (strcmp(kind, "deadline") == 0) made->ctx = wh_with_deadline_at(parent, instant(third), site);
    else if (strcmp(kind, "timeout") == 0) made->ctx = wh_with_timeout_at(parent, WH_MS(atoll(third)), site);
    else if (strcmp(kind, "value") == 0) made->ctx = with_value(parent, third, count > 3 ? words[3] : "nil");
    else if (strcmp(kind, "detach") == 0 || strcmp(kind, "bare") == 0) made->ctx = wh_detach_at(parent, site);
    else give_up("cannot make", kind);
    now.context_count++;
}

static const char *state_of(const wh_ctx *ctx, char buf[static 64])
{
    const int err = wh_err(ctx);
    const int fd = wh_done_fd(ctx);
    struct pollfd p = {.fd = fd, .events = POLLIN};
    if ((fd >= 0 && poll(&p, 1, 0) > 0) != (wh_err(ctx) != 0) || wh_wait(ctx, 0) != wh_err(ctx)) return "disagrees with itself";
    if (!err) return wh_cause(ctx) ? "a cause, and not done" : "open";
    snprintf(buf, 64, "%s %s", err == ECANCELED ? "canceled" : err == ETIMEDOUT ? "timeout" : "?", wh_cause(ctx)->name);
    return buf;
}

static void run(void *arg)
{
    struct callback *self = arg;
    char buf[64];
    if (callbacks_look) snprintf(self->saw, sizeof self->saw, "%s", state_of(self->of ? self->of->ctx : NULL, buf));
    now.order[__atomic_fetch_add(&now.order_len, 1, __ATOMIC_ACQ_REL) % MOST] = self;
    __atomic_fetch_add(&self->runs, 1, __ATOMIC_ACQ_REL);
}

static void register_callback(const char *name, const char *kind, const char *of)
{
    if (now.callback_count == MOST) give_up("too many callbacks", name);
    struct callback *made = &now.callbacks[now.callback_count++];
    const bool is_root = strcmp(of, "bg") == 0 || strcmp(of, "todo") == 0;
    snprintf(made->name, sizeof made->name, "%s", name);
    made->of = is_root ? NULL : context(of);
    if ((kind[0] == 'i' ? wh_after_inline : wh_after)(any_context(of), run, made, &made->handle)) give_up("no memory", name);
}

/* ---- what is asked ---- */

static void count(void *arg)
{
    __atomic_fetch_add((uint32_t *)arg, 1, __ATOMIC_ACQ_REL);
}

/* Callbacks run one after the other: what was due has run when one that comes later has. */
static void settle(void)
{
    static uint32_t ran;
    const uint32_t before = __atomic_load_n(&ran, __ATOMIC_ACQUIRE);
    wh_ctx *over = wh_with_cancel(NULL);
    wh_cancel(over, NULL, NULL);
    if (wh_after(over, count, &ran, NULL)) give_up("no memory", "settle");
    while (__atomic_load_n(&ran, __ATOMIC_ACQUIRE) == before) wh_wait(NULL, WH_US(50));
    wh_end(over);
}

static const char *whose(const wh_ctx *ctx)
{
    struct wh_cause cause = {.size = sizeof cause};
    return wh_cause_info(ctx, &cause) ? cause.origin->func : "nobody's";
}

static const char *value_of(const wh_ctx *ctx, const char *key_word, char buf[static 64])
{
    const int *value = wh_value(ctx, key(key_word));
    if (!value) return "none";
    if (!*value) return "nil";
    snprintf(buf, 64, "%d", *value);
    return buf;
}

static const char *order(char buf[static 256])
{
    settle();
    buf[0] = '\0';
    for (uint32_t i = 0; i < __atomic_load_n(&now.order_len, __ATOMIC_ACQUIRE); i++)
        snprintf(buf + strlen(buf), 256 - strlen(buf), "%s%s", i ? " " : "", now.order[i]->name);
    return buf;
}

/* Of the contexts that the program still has, in the order in which they were made. */
static const char *all(char buf[static 2048])
{
    buf[0] = '\0';
    for (int i = 0; i < now.context_count; i++) {
        const struct context *c = &now.contexts[i];
        char state[64], value[64];
        if (!c->is_mine && !c->holds) continue;
        snprintf(buf + strlen(buf), 2048 - strlen(buf), "%s%s:%s", *buf ? ", " : "", c->name, state_of(c->ctx, state));
        if (wh_err(c->ctx) && wh_cause(c->ctx) != WH_CANCELED) snprintf(buf + strlen(buf), 2048 - strlen(buf), " by %s", whose(c->ctx));
        snprintf(buf + strlen(buf), 2048 - strlen(buf), " %s", name_of_instant(wh_deadline(c->ctx)));
        for (int k = 0; k < 3; k++)
            snprintf(buf + strlen(buf), 2048 - strlen(buf), " %s", value_of(c->ctx, keys[k].name, value));
    }
    return buf;
}

/* ---- a line ---- */

static const char *truth(bool is_so)
{
    return is_so ? "true" : "false";
}

/* What goes away is not looked at by a callback that is still to run. */
static const char *change(const char *verb, struct context *c, const char *word)
{
    if (now.callback_count && (strcmp(verb, "end") == 0 || strcmp(verb, "release") == 0)) settle();
    if (strcmp(verb, "cancel") == 0) return truth(wh_cancel_at(c->ctx, reason(word), NULL, true, &c->site));
    if (strcmp(verb, "end") == 0) wh_end(c->ctx), c->is_mine = false;
    else if (strcmp(verb, "hold") == 0) wh_hold(c->ctx), c->holds++;
    else if (strcmp(verb, "release") == 0) wh_release(c->ctx), c->holds--;
    else give_up("no such verb", verb);
    return NULL;
}

static const char *do_words(char **words, int count, char *buf)
{
    const char *verb = words[0], *second = count > 1 ? words[1] : "?", *third = count > 2 ? words[2] : NULL;
    if (strcmp(second, "=") == 0 && count == 4 && (strcmp(third, "after") == 0 || strcmp(third, "inline") == 0))
        return register_callback(words[0], third, words[3]), NULL;
    if (strcmp(second, "=") == 0) return make(words[0], words + 2, count - 2), NULL;
    if (strcmp(verb, "see") == 0) return state_of(any_context(second), buf);
    if (strcmp(verb, "await") == 0) return wh_wait(any_context(second), WH_SEC(30)), state_of(any_context(second), buf);
    if (strcmp(verb, "whose") == 0) return whose(any_context(second));
    if (strcmp(verb, "deadline") == 0) return name_of_instant(wh_deadline(any_context(second)));
    if (strcmp(verb, "cancellable") == 0) return truth(wh_cancellable(any_context(second)));
    if (strcmp(verb, "value") == 0) return value_of(any_context(second), third ? third : "?", buf);
    if (strcmp(verb, "order") == 0) return order(buf);
    if (strcmp(verb, "all") == 0) return all(buf);
    if (strcmp(verb, "saw") == 0) return settle(), callback(second)->saw;
    if (strcmp(verb, "ran") == 0) {
        settle();
        snprintf(buf, 64, "%u", __atomic_load_n(&callback(second)->runs, __ATOMIC_ACQUIRE));
        return buf;
    }
    if (strcmp(verb, "stop") == 0) {
        struct callback *c = callback(second);
        settle(); /* what is due and has not begun can still be prevented here; in Go it counts as begun */
        const bool prevented = wh_stop(c->handle);
        c->handle = NULL;
        return truth(prevented);
    }
    return change(verb, context(second), third);
}

const char *case_do(const char *line)
{
    static char buf[2048];
    char copy[256], *words[WORDS + 1], *rest = copy;
    int count = 0;
    snprintf(copy, sizeof copy, "%s", line);
    for (char *word; count < WORDS && (word = strtok_r(rest, " \t\n", &rest)) && strcmp(word, "->") != 0;) words[count++] = word;
    return count ? do_words(words, count, buf) : NULL;
}

void case_begin(void)
{
    memset(&now, 0, sizeof now);
    now.begun = wh_now();
}

/* Afterwards nothing of it is left, and nothing has run twice. */
void case_end(void)
{
    for (int i = now.context_count - 1; i >= 0; i--) {
        struct context *c = &now.contexts[i];
        if (c->is_mine) change("end", c, NULL);
        while (c->holds) change("release", c, NULL);
    }
    if (now.callback_count) settle();
    for (int i = 0; i < now.callback_count; i++) {
        if (now.callbacks[i].handle) wh_stop_wait(now.callbacks[i].handle);
        if (now.callbacks[i].runs > 1) give_up("ran more than once", now.callbacks[i].name);
    }
}

/* ---- files ---- */

static void run_file(const char *path)
{
    char line[512], where[300];
    FILE *file = fopen(path, "r");
    if (!file) give_up(path, strerror(errno));
    place = where;
    case_begin();
    for (int number = 1; fgets(line, sizeof line, file); number++) {
        const size_t indent = strspn(line, " \t");
        snprintf(where, sizeof where, "%s:%d", path, number);
        if (strncmp(line, "case ", 5) == 0) {
            case_end();
            case_begin();
        } else if (indent && line[indent] != '\n' && line[indent] != '#' && strncmp(line + indent, "go ->", 5) != 0) {
            const char *result = case_do(line);
            if (result) printf("%s\t%s\n", where, result);
        }
    }
    case_end();
    fclose(file);
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "--random") == 0) {
        random_cases(atoi(argv[2]), (uint32_t)strtoul(argv[3], NULL, 10));
        return 0;
    }
    callbacks_look = true;
    for (int i = 1; i < argc; i++) run_file(argv[i]);
    return argc > 1 ? 0 : 2;
}
