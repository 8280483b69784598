/* whence: reads traces, and says why they stopped. */
#include <stdio.h>
#include <string.h>

#include "commands.h"

static const struct command {
    const char *name;
    int (*run)(const struct options *options, const struct model *model);
    const char *arguments, *what;
} commands[] = {
    {"tree", command_tree, "[TRACE...]", "draws them"},
    {"why", command_why, "[TRACE...]", "says in a few sentences who stopped it, where, and why; who was hit, and who ran on"},
    {"top", command_top, "[--by KEY]", "what stopped many of them, by reason, site and operation; KEY: one of these, service, root"},
    {"html", command_html, "[TRACE...]", "writes a page that shows them in a browser"},
};
enum { COMMANDS = sizeof commands / sizeof *commands };

static const char about[] =
    "\n"
    "Traces are read from files of OTLP JSON, as Whence's file exporter and the OpenTelemetry Collector write them, one document a\n"
    "line or one a file; from what a Jaeger has saved; from standard input (-, or no file); or from a Jaeger itself.\n"
    "TRACE is the beginning of a trace id, for a Jaeger all of it; none: all of them. What is the name of a file is a file.\n"
    "\n"
    "  --jaeger URL       ask this Jaeger, as http://localhost:16686; without a TRACE, for what was cancelled\n"
    "  --service NAME     only of this service\n"
    "  --since TIME       so far back: 90s, 15m, 1h (this is the default), 2d\n"
    "  --limit N          at most so many traces of each service: 100\n"
    "  --json             as JSON: why, top\n"
    "  --width N          columns, instead of the terminal's\n"
    "  -o FILE            writes there: html\n"
    "  --title TEXT       of the page: html\n"
    "  --color, --no-color, --ascii, --utf8\n"
    "\n"
    "Exit status: 0 found, 1 nothing found, 2 wrong usage, or something could not be read.\n";

static int help(FILE *out)
{
    fputs("usage: whence COMMAND [OPTION...] [FILE...] [TRACE...]\n\n", out);
    for (size_t i = 0; i < COMMANDS; i++) fprintf(out, "  %-5s %-11s  %s\n", commands[i].name, commands[i].arguments, commands[i].what);
    fputs(about, out);
    return out == stdout ? FOUND : TROUBLE;
}

static int run(const struct command *command, int argc, char **argv)
{
    struct options options;
    struct model *model = NULL;
    int status = TROUBLE;
    if (options_read(&options, argc, argv) && (model = options_load(&options))) {
        status = command->run(&options, model);
        model_free(model);
    }
    options_free(&options);
    if (fflush(stdout) == 0 && !ferror(stdout)) return status;
    perror("whence: standard output");
    return TROUBLE;
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp(name, commands[i].name) == 0) return run(&commands[i], argc - 2, argv + 2);
    if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) return help(stdout);
    if (strcmp(name, "--version") == 0 || strcmp(name, "version") == 0) {
        puts("whence " WHENCE_VERSION);
        return FOUND;
    }
    if (*name) fprintf(stderr, "whence: there is no command \"%s\"\n", name);
    return help(stderr);
}
