#include "client.h"

#include <curl/curl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <whence/base.h>

static size_t ignore(char *data, size_t one, size_t count, void *arg)
{
    (void)data, (void)arg;
    return one * count;
}

static bool is_time(const struct incident *incident, int64_t begun)
{
    if (incident->once.words) return process_said(&market[incident->once.service], incident->once.words) >= incident->once.times;
    return wh_now() - begun >= WH_MS(incident->after_ms);
}

/* Drives the request until it is answered, or the client hangs up. */
static void drive(const struct incident *incident, CURLM *multi)
{
    const int64_t begun = wh_now();
    bool acted = incident->then == WAIT;
    for (int running = 1; curl_multi_perform(multi, &running) == CURLM_OK && running && wh_now() - begun < WH_SEC(30);) {
        if (!acted && is_time(incident, begun)) {
            if (incident->then == HANG_UP) return;
            kill(market[GATEWAY].pid, SIGTERM);
            acted = true;
        }
        curl_multi_poll(multi, NULL, 0, 5, NULL);
    }
}

static long ask(const struct incident *incident)
{
    char url[256];
    long status = 0;
    CURL *easy = curl_easy_init();
    CURLM *multi = curl_multi_init();
    struct curl_slist *headers = incident->header ? curl_slist_append(NULL, incident->header) : NULL;
    snprintf(url, sizeof url, "http://127.0.0.1:%u%s", market[GATEWAY].port, incident->path);
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, ignore);
    curl_multi_add_handle(multi, easy);
    drive(incident, multi);
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    curl_multi_remove_handle(multi, easy); /* closes the connection if the answer is not here */
    curl_easy_cleanup(easy);
    curl_multi_cleanup(multi);
    curl_slist_free_all(headers);
    return status;
}

static bool is_over(const struct incident *incident)
{
    for (int i = 0; i <= MAIL; i++)
        if (process_said(&market[i], " request=") < incident->requests[i]) return false; /* as shop_log() does at the end of each */
    return true;
}

long client_play(const struct incident *incident)
{
    const int64_t begun = wh_now();
    const long status = ask(incident);
    while (!is_over(incident) && wh_now() - begun < WH_SEC(30)) poll(NULL, 0, 5);
    return status;
}
