/* demo: opens the shop, lets things happen to it, and shows for each what the trace says.
 *
 *   demo                        the first eight incidents
 *   demo [--file FILE] NAME...  these; the spans are kept in FILE, as OTLP JSON lines
 *   demo --list                 what there is
 */
#include <curl/curl.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "collector.h"
#include "incidents.h"
#include "jaeger.h"
#include "tool.h"

enum { SHOWN = 8 };
static char folder[] = "/tmp/whence-demo-XXXXXX", database[64], file[256];

/* ---- one of them: in a shop of its own, so that all that was recorded is here when it is shown ---- */

static void say(long status, bool any, const char *trace_id)
{
    if (!any) printf("   (no spans)\n");
    if (status) printf("\n   the client got %ld; the services say:\n", status);
    else printf("\n   the client is gone; the services say:\n");
    for (int i = GATEWAY; i <= MAIL; i++) process_print_said(&market[i]);
    if (any) printf("   trace %s\n", trace_id);
}

static int open_with(const struct incident *incident)
{
    for (int i = 0; i < 2; i++)
        if (incident->settings[i].name) setenv(incident->settings[i].name, incident->settings[i].value, 1);
    const int rc = market_open(database);
    for (int i = 0; i < 2; i++)
        if (incident->settings[i].name) unsetenv(incident->settings[i].name);
    return rc;
}

static int play(const struct incident *incident, bool jaeger)
{
    char trace_id[33];
    printf("\n%td. %s\n   %s\n\n", incident - incidents + 1, incident->title, incident->sentence);
    fflush(stdout);
    const int rc = open_with(incident);
    const long status = rc ? 0 : client_play(incident);
    const int left = market_close(incident->then == TERMINATE ? 0 : SIGTERM);
    const bool any = collector_show(trace_id);
    say(status, any, trace_id);
    if (incident->then == TERMINATE) printf("   the gateway has left with status %d\n", left);
    if (any && jaeger) jaeger_print_trace(trace_id);
    for (int i = 0; i < SERVICES; i++) process_forget(&market[i]);
    return rc;
}

/* ---- those that were asked for ---- */

static const struct incident *named(const char *name)
{
    for (int i = 0; i < incident_count; i++)
        if (strcmp(incidents[i].name, name) == 0) return &incidents[i];
    return NULL;
}

static int play_all(char *const *names, bool jaeger)
{
    int rc = 0;
    for (int i = 0; !*names && i < SHOWN && rc == 0; i++) rc = play(&incidents[i], jaeger);
    for (; *names && rc == 0; names++) {
        const struct incident *incident = named(*names);
        if (!incident) fprintf(stderr, "no incident is called %s\n", *names);
        rc = incident ? play(incident, jaeger) : EINVAL;
    }
    return rc;
}

static int list(void)
{
    for (int i = 0; i < incident_count; i++) printf("%2d  %-16s %s\n", i + 1, incidents[i].name, incidents[i].title);
    return 0;
}

/* ---- the place for it ---- */

static int prepare(const char *jaeger)
{
    char endpoint[64];
    if (!mkdtemp(folder)) return errno;
    snprintf(database, sizeof database, "%s/stock.db", folder);
    if (!*file) snprintf(file, sizeof file, "%s/traces.jsonl", folder);
    const unsigned short port = collector_start(file, jaeger);
    if (port == 0) return EADDRNOTAVAIL;
    snprintf(endpoint, sizeof endpoint, "http://127.0.0.1:%u", port);
    static const char *const others[] = {"OTEL_SDK_DISABLED", "OTEL_TRACES_EXPORTER", "OTEL_TRACES_SAMPLER", "OTEL_SERVICE_NAME",
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_COMPRESSION"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) unsetenv(others[i]);
    setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint, 1);
    setenv("OTEL_BSP_SCHEDULE_DELAY", "50", 1);
    return 0;
}

int main(int argc, char **argv)
{
    char *const *names = argv + 1;
    if (argc > 1 && strcmp(argv[1], "--list") == 0) return list();
    if (argc > 2 && strcmp(argv[1], "--file") == 0) {
        snprintf(file, sizeof file, "%s", argv[2]);
        names += 2;
    }
    signal(SIGPIPE, SIG_IGN);
    signal(SIGCHLD, SIG_DFL);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    const char *jaeger = jaeger_find();
    int rc = prepare(jaeger);
    if (rc == 0) rc = play_all(names, jaeger != NULL);
    collector_stop();
    if (rc) {
        fprintf(stderr, "it could not be played: %s\n", strerror(rc));
        return 1;
    }
    printf("\nThe spans, as OTLP JSON lines: %s\n", file);
    if (jaeger)
        jaeger_print_cancelled();
    else
        printf("With a Jaeger on port 4318 they would be there too: ./run demo --jaeger starts one.\n");
    tool_say_why(file);
    return 0;
}
