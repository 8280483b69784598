/* A program that exports to a collector of ill will, and says what has become of its spans, of its producers and of its
 * time. test_illwill.py starts it, once for each kind of ill will. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "driver.h"

/* ---- what was asked for ---- */

static bool set_text(struct settings *s, const char *name, const char *value)
{
    const struct { const char *name; const char **to; } texts[] = {{"endpoint", &s->endpoint}, {"second", &s->second},
        {"protocol", &s->protocol}, {"name", &s->name}, {"fork", &s->fork}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (strcmp(name, texts[i].name)) continue;
        *texts[i].to = value;
        return true;
    }
    return false;
}

static bool set_number(struct settings *s, const char *name, long value)
{
    const struct { const char *name; long *to; } numbers[] = {{"threads", &s->threads}, {"spans", &s->spans},
        {"bytes", &s->bytes}, {"phases", &s->phases}, {"batch", &s->batch}, {"queue", &s->queue}, {"pace", &s->pace}};
    const struct { const char *name; int64_t *to; } times[] = {{"timeout", &s->timeout}, {"delay", &s->delay},
        {"export_timeout", &s->export_timeout}, {"flush", &s->flush}, {"shutdown", &s->shutdown},
        {"blocked", &s->blocked}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (strcmp(name, numbers[i].name) == 0) return *numbers[i].to = value, true;
    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        if (strcmp(name, times[i].name) == 0) return *times[i].to = WH_MS(value), true;
    if (strcmp(name, "gzip")) return false;
    s->gzip = value != 0;
    return true;
}

static void read_settings(struct settings *settings, char **args)
{
    for (; *args; args++) {
        char *value = strchr(*args, '=');
        if (value) *value++ = '\0';
        if (value && set_text(settings, *args, value)) continue;
        if (value && set_number(settings, *args, strtol(value, NULL, 10))) continue;
        fprintf(stderr, "what is %s?\n", *args);
        exit(2);
    }
}

/* ---- the provider ---- */

static struct wh_exporter *exporter_for(const struct settings *s, const char *endpoint)
{
    struct wh_otlp_opts opts = {.size = sizeof opts, .endpoint = endpoint, .timeout = s->timeout, .gzip = s->gzip};
    if (endpoint == s->endpoint && strcmp(s->protocol, "grpc") == 0) opts.protocol = WH_OTLP_GRPC;
    if (endpoint == s->endpoint && strcmp(s->protocol, "http/json") == 0) opts.protocol = WH_OTLP_HTTP_JSON;
    struct wh_exporter *exporter = wh_otlp_exporter_new_at(&opts);
    if (exporter) return exporter;
    fprintf(stderr, "no exporter for %s: %s\n", endpoint, strerror(errno));
    exit(2);
}

static wh_provider *provider_for(const struct settings *s)
{
    struct wh_exporter *exporters[] = {exporter_for(s, s->endpoint), s->second ? exporter_for(s, s->second) : NULL};
    wh_provider *provider = wh_provider_new(.service = "illwill", .exporters = exporters,
        .exporter_count = s->second ? 2 : 1, .max_batch = (uint32_t)s->batch, .max_queue = (uint32_t)s->queue,
        .schedule_delay = s->delay, .export_timeout = s->export_timeout);
    if (provider) return provider;
    fprintf(stderr, "no provider: %s\n", strerror(errno));
    exit(2);
}

/* ---- the course of it ---- */

static void wait_for_line(void)
{
    for (char c = 0; c != '\n';)
        if (read(STDIN_FILENO, &c, 1) != 1) exit(3);
}

/* Spans come, and a flush sees to them. */
static int phase(const struct settings *s, wh_provider *provider, const wh_ctx *root, struct strain *strain)
{
    char more[100];
    if (s->phases > 1) wait_for_line();
    producers_start(s, root);
    producers_wait(strain);
    const int64_t begun = wh_now();
    const int rc = wh_provider_flush(provider, s->flush);
    snprintf(more, sizeof more, ", \"rc\": %d, \"ms\": %" PRId64, rc, (wh_now() - begun) / 1000000);
    print_stats("flush", provider, strain, more);
    return rc;
}

/* An exporter that did not come back in time is still counting what it had. */
static bool settle(wh_provider *provider, uint64_t exporters)
{
    const int64_t until = wh_now() + WH_SEC(60);
    while (!adds_up(provider, exporters)) {
        if (wh_now() > until) return false;
        usleep(1000);
    }
    return true;
}

static void finish(const char *side, const struct settings *s, wh_provider *provider, const struct strain *strain)
{
    char more[160];
    const int64_t begun = wh_now();
    const int rc = wh_provider_shutdown(provider, s->shutdown);
    const int64_t back = wh_now();
    const bool settled = settle(provider, s->second ? 2 : 1);
    snprintf(more, sizeof more, ", \"rc\": %d, \"ms\": %" PRId64 ", \"settled\": %s, \"settled_ms\": %" PRId64, rc,
        (back - begun) / 1000000, settled ? "true" : "false", (wh_now() - back) / 1000000);
    print_stats(side, provider, strain, more);
}

/* ---- forks ---- */

static void be_child(const struct settings *s, wh_provider *provider, const wh_ctx *root)
{
    struct settings own = *s;
    struct strain strain = {0};
    alarm(60); /* nobody else would end it */
    if (strcmp(s->fork, "exec") == 0) execl("/bin/true", "true", (char *)NULL);
    if (strcmp(s->fork, "record") == 0) {
        own.name = "child";
        produce(&own, root, own.spans / 2, &strain);
        finish("child", &own, provider, &strain);
    }
    exit(0);
}

/* While threads end spans and the export thread waits for an answer. */
static void fork_in_mid_export(const struct settings *s, wh_provider *provider, const wh_ctx *root,
                               struct strain *strain)
{
    int status = -1;
    producers_start(s, root);
    wait_for_line();
    const pid_t child = fork();
    if (child == 0) be_child(s, provider, root);
    if (child < 0 || waitpid(child, &status, 0) != child) abort();
    printf("{\"side\": \"forked\", \"status\": %d}\n", status);
    fflush(stdout);
    producers_wait(strain);
}

int main(int argc, char **argv)
{
    struct settings settings = {.protocol = "http/protobuf", .name = "span", .threads = 3, .spans = 600, .bytes = 100,
        .phases = 1, .batch = 128, .queue = 2048, .pace = 500, .timeout = WH_SEC(1), .export_timeout = WH_SEC(5),
        .delay = WH_MS(50), .flush = WH_MS(1500), .shutdown = WH_SEC(2), .blocked = WH_SEC(5)};
    struct strain strain = {0};
    (void)argc;
    read_settings(&settings, argv + 1);
    settings.text = malloc((size_t)settings.bytes + 1);
    if (!settings.text) abort();
    memset(settings.text, 'x', (size_t)settings.bytes);
    reports_count();
    wh_provider *provider = provider_for(&settings);
    wh_ctx *root = wh_provider_root(provider);
    if (settings.fork) fork_in_mid_export(&settings, provider, root, &strain);
    for (long i = 0; !settings.fork && i < settings.phases; i++) phase(&settings, provider, root, &strain);
    finish("end", &settings, provider, &strain); /* the exporter may still be closing: exit() waits for it */
    wh_end(root);
    free(settings.text);
    return 0;
}
