/* demo: starts the shop, lets eight things happen to it, and shows for each what the trace says.
 *
 *   client -> gateway -> stock (SQLite)
 *                    \-> price -> rates
 */
#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "collector.h"
#include "jaeger.h"
#include "process.h"
#include "tool.h"

static struct process rates, price, stock, gateway;
static char folder[] = "/tmp/whence-demo-XXXXXX", database[64], file[64];

/* ---- the shop ---- */

static void url_of(char *url, const struct process *process)
{
    snprintf(url, 64, "http://127.0.0.1:%u", process->port);
}

static int start_gateway(void)
{
    char stock_url[64], price_url[64];
    url_of(stock_url, &stock);
    url_of(price_url, &price);
    return process_start(&gateway, "gateway", (const char *const[]){"0", stock_url, price_url, NULL});
}

static int open_shop(void)
{
    char rates_url[64];
    int rc = process_start(&rates, "rates", (const char *const[]){"0", NULL});
    url_of(rates_url, &rates);
    if (rc == 0) rc = process_start(&price, "price", (const char *const[]){"0", rates_url, NULL});
    if (rc == 0) rc = process_start(&stock, "stock", (const char *const[]){"0", database, NULL});
    return rc ? rc : start_gateway();
}

static void close_shop(void)
{
    process_stop(&gateway, SIGTERM);
    process_stop(&stock, SIGTERM);
    process_stop(&price, SIGTERM);
    process_stop(&rates, SIGTERM);
}

/* ---- the client: it knows nothing of Whence ---- */

static size_t ignore(char *data, size_t one, size_t count, void *arg)
{
    (void)data, (void)arg;
    return one * count;
}

/* The status, or 0 if the client gave up after give_up_ms. */
static long order(const char *query, long give_up_ms, const char *header)
{
    char url[256];
    long status = 0;
    CURL *easy = curl_easy_init();
    struct curl_slist *headers = header ? curl_slist_append(NULL, header) : NULL;
    snprintf(url, sizeof url, "http://127.0.0.1:%u/order/sku42?%s", gateway.port, query);
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, ignore);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, give_up_ms ? give_up_ms : 5000);
    curl_easy_perform(easy);
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    curl_slist_free_all(headers);
    curl_easy_cleanup(easy);
    return status;
}

/* ---- what happens ---- */

static const struct incident {
    const char *title, *sentence, *query;
    long give_up_ms;
    const char *header;
    bool shutdown;
} incidents[] = {
    {.title = "All is well",
     .sentence = "One trace over three services; nobody was stopped.",
     .query = ""},
    {.title = "The client hangs up after 80 ms",
     .sentence = "The gateway sees it go, and both calls are given up; stock's query stops in the middle and is rolled back.",
     .query = "stock=slow&rates=slow", .give_up_ms = 80},
    {.title = "The gateway's 300 ms are over while stock is slow",
     .sentence = "The gateway owns the deadline, so it is its error; those whom it stopped are not to blame.",
     .query = "stock=slow"},
    {.title = "price fails at once",
     .sentence = "Its sibling, the call to stock, is stopped because of it: nobody would use the answer.",
     .query = "stock=slow&rates=fail"},
    {.title = "rates accepts, and never answers",
     .sentence = "price gives it 200 ms, and that is what ends: not the 300 ms of the gateway.",
     .query = "rates=hole"},
    {.title = "SIGTERM in the middle of a request",
     .sentence = "The gateway answers 503, exports what it has, and leaves.",
     .query = "stock=slow", .shutdown = true},
    {.title = "The client's traceparent says: not sampled",
     .sentence = "Nothing is exported. The ids go on all the same, and the 300 ms hold all the same.",
     .query = "stock=slow", .header = "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"},
    {.title = "A job that does not look at its context",
     .sentence = "The request is over after 300 ms; the job runs on for nobody, and the trace says for how long.",
     .query = "stock=stubborn"},
};

static pid_t terminate_soon(pid_t pid)
{
    const pid_t child = fork();
    if (child) return child;
    poll(NULL, 0, 150);
    kill(pid, SIGTERM);
    _exit(0);
}

static void say_explanations(bool shown)
{
    process_print_errors(&gateway, shown ? "  gateway | " : NULL);
    process_print_errors(&price, NULL);
    process_print_errors(&stock, shown ? "  stock   | " : NULL);
}

static void play(size_t i, bool jaeger)
{
    const struct incident *incident = &incidents[i];
    char trace_id[33];
    printf("\n%zu. %s\n   %s\n\n", i + 1, incident->title, incident->sentence);
    fflush(stdout);
    const pid_t terminator = incident->shutdown ? terminate_soon(gateway.pid) : 0;
    const long status = order(incident->query, incident->give_up_ms, incident->header);
    const bool any = collector_show(400, 3000, trace_id);
    if (!any) printf("   (no spans)\n");
    if (status) printf("\n   the client got %ld; the services say:\n", status);
    else printf("\n   the client is gone; the services say:\n");
    say_explanations(true);
    if (any && jaeger) jaeger_print_trace(trace_id);
    if (incident->shutdown) {
        waitpid(terminator, NULL, 0);
        printf("   the gateway has left with status %d\n", process_stop(&gateway, 0));
        start_gateway();
    }
}

/* ---- all of it ---- */

static int prepare(const char *jaeger)
{
    char endpoint[64];
    if (!mkdtemp(folder)) return errno;
    snprintf(database, sizeof database, "%s/stock.db", folder);
    snprintf(file, sizeof file, "%s/traces.jsonl", folder);
    const unsigned short port = collector_start(file, jaeger);
    if (port == 0) return EADDRNOTAVAIL;
    snprintf(endpoint, sizeof endpoint, "http://127.0.0.1:%u", port);
    static const char *const others[] = {"OTEL_SDK_DISABLED", "OTEL_TRACES_EXPORTER", "OTEL_TRACES_SAMPLER", "OTEL_SERVICE_NAME",
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_COMPRESSION"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) unsetenv(others[i]);
    setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint, 1);
    setenv("OTEL_BSP_SCHEDULE_DELAY", "50", 1);
    return open_shop();
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    signal(SIGCHLD, SIG_DFL);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    const char *jaeger = jaeger_find();
    const int rc = prepare(jaeger);
    if (rc) {
        fprintf(stderr, "the shop does not open: %s\n", strerror(rc));
        close_shop();
        return 1;
    }
    printf("Three services: gateway asks stock and price, price asks rates. Eight things happen to them.\n");
    for (size_t i = 0; i < sizeof incidents / sizeof *incidents; i++) play(i, jaeger != NULL);
    close_shop();
    collector_stop();
    printf("\nThe spans, as OTLP JSON lines: %s\n", file);
    if (jaeger)
        jaeger_print_cancelled();
    else
        printf("With a Jaeger on port 4318 they would be there too: ./run demo --jaeger starts one.\n");
    tool_say_why(file);
    return 0;
}
