/* whence html: traces as one page that needs nothing else. */
#include "html.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "ids.h"
#include "page_text.h"

static void write_title(FILE *out, const struct options *options, struct trace **traces, size_t count)
{
    char hex[TRACE_HEX];
    if (options->title) write_html_text(out, options->title);
    else if (count == 1) fprintf(out, "trace %.8s", id_hex(hex, traces[0]->id, 16));
    else fprintf(out, "%zu traces", count);
}

static void write_page(FILE *out, const struct options *options, struct trace **traces, size_t count)
{
    fwrite(page_before_title, 1, page_before_title_len, out);
    write_title(out, options, traces, count);
    fwrite(page_before_data, 1, page_before_data_len, out);
    write_data(out, traces, count);
    fwrite(page_behind, 1, page_behind_len, out);
}

static int trouble(const char *path)
{
    fprintf(stderr, "whence: %s: %s\n", path, strerror(errno));
    return TROUBLE;
}

static int write_file(const struct options *options, struct trace **traces, size_t count)
{
    FILE *out = fopen(options->output, "we");
    if (!out) return trouble(options->output);
    write_page(out, options, traces, count);
    const bool failed = ferror(out);
    if (fclose(out) || failed) return trouble(options->output);
    return FOUND;
}

int command_html(const struct options *options, const struct model *model)
{
    size_t count;
    struct trace **traces = options_traces(options, model, &count);
    if (!traces) return NOTHING;
    int status = FOUND;
    if (options->output) status = write_file(options, traces, count);
    else write_page(stdout, options, traces, count);
    free(traces);
    return status;
}
