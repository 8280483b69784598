/* whence-bench: what Whence costs, beside the floor of this machine and beside its peers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "measure.h"

static const char usage[] =
    "usage: whence-bench [--json FILE] [--quick] [--rounds N] [--only TEXT] [--peer NAME=PROGRAM]...\n"
    "       whence-bench --instructions N     (under callgrind: see bench/instructions.sh)\n";

static void show_progress(unsigned round, unsigned rounds)
{
    if (!isatty(STDERR_FILENO)) return;
    fprintf(stderr, "\rround %u of %u ", round + 1, rounds);
    if (round + 1 == rounds) fputs("\r                        \r", stderr);
}

static const char *value_of(int argc, char **argv, int *i)
{
    if (*i + 1 == argc) bench_die("%s wants a value\n%s", argv[*i], usage);
    return argv[++*i];
}

static unsigned number_of(const char *text, unsigned most)
{
    const unsigned long n = strtoul(text, NULL, 10);
    if (n == 0 || n > most) bench_die("\"%s\" is no number from 1 to %u", text, most);
    return (unsigned)n;
}

int main(int argc, char **argv)
{
    struct settings settings = {.rounds = 60, .heavy_rounds = 4, .sample_ns = 3000000};
    const char *json = NULL;
    for (int i = 1; i < argc; i++) {
        const char *option = argv[i];
        if (strcmp(option, "--json") == 0) {
            json = value_of(argc, argv, &i);
        } else if (strcmp(option, "--quick") == 0) {
            settings.rounds = 8, settings.heavy_rounds = 1, settings.sample_ns = 1500000;
        } else if (strcmp(option, "--rounds") == 0) {
            settings.rounds = number_of(value_of(argc, argv, &i), MOST_SAMPLES);
            if (settings.heavy_rounds > settings.rounds) settings.heavy_rounds = settings.rounds;
        } else if (strcmp(option, "--only") == 0) {
            settings.only = value_of(argc, argv, &i);
        } else if (strcmp(option, "--peer") == 0) {
            peer_add(value_of(argc, argv, &i));
        } else if (strcmp(option, "--instructions") == 0) {
            count_instructions(number_of(value_of(argc, argv, &i), 1000000));
            return 0;
        } else {
            bench_die("unknown option %s\n%s", option, usage);
        }
    }
    report_begin(&settings);
    measure_begin(&settings);
    peers_begin();
    for (unsigned round = 0; round < settings.rounds; round++) {
        show_progress(round, settings.rounds);
        measure_round(round);
        peers_round();
    }
    peers_end();
    measure_end();
    report_table();
    const int rc = json ? report_json(json) : 0;
    if (rc) bench_die("%s: %s", json, strerror(rc));
    return 0;
}
