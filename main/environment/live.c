/* What the environment says of the live view. */
#include <ctype.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "main/environment.h"

static void read_track(void)
{
    static const struct { const char *name; unsigned what; } known[] = {
        {"live", WH_TRACK_LIVE}, {"latency", WH_TRACK_LATENCY}, {"leaks", WH_TRACK_LEAKS}};
    const char *value = getenv("WHENCE_TRACK");
    unsigned what = 0;
    for (const char *word = value ? value : ""; *word;) {
        const size_t len = strcspn(word, ", ");
        size_t i = 0;
        while (i < 3 && !(strlen(known[i].name) == len && strncasecmp(word, known[i].name, len) == 0)) i++;
        if (i < 3) what |= known[i].what;
        if (i == 3 && len)
            wh_report(WH_WARNING, "WHENCE_TRACK=%.100s: %.*s is not understood, and ignored", value,
                (int)(len < 100 ? len : 100), word);
        word += len + (word[len] != '\0');
    }
    if (what) wh_track(what);
}

/* By number, or by name with or without SIG. */
static int signal_of(const char *value)
{
    static const struct { const char *name; int number; } known[] = {
        {"HUP", SIGHUP}, {"QUIT", SIGQUIT}, {"USR1", SIGUSR1}, {"USR2", SIGUSR2}, {"WINCH", SIGWINCH}};
    if (strncasecmp(value, "SIG", 3) == 0) value += 3;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcasecmp(value, known[i].name) == 0) return known[i].number;
    return isdigit((unsigned char)*value) && strlen(value) < 3 ? atoi(value) : 0;
}

static void read_dump_signal(void)
{
    const char *value = getenv("WHENCE_DUMP_SIGNAL");
    if (!value || !*value) return;
    const int number = signal_of(value);
    if (!number || wh_dump_on(number))
        wh_report(WH_WARNING, "WHENCE_DUMP_SIGNAL=%.100s cannot be had, and is ignored", value);
}

void wh__env_live(void)
{
    read_track();
    read_dump_signal();
}
