#include <errno.h>
#include <string.h>

#include "main/environment.h"
#include "main/values.h"

/* In the library whence-otlp: there if the program is linked with it. */
__attribute__((weak)) struct wh_exporter *wh_otlp_exporter_new_at(const struct wh_otlp_opts *opts);

enum word { OTLP, CONSOLE, STDOUT, NONE };
static const char *const words[] = {"otlp", "console", "otlp/stdout", "none", NULL};

/* ---- making ---- */

static struct wh_exporter *new_otlp(void)
{
    const struct wh_otlp_opts opts = wh__env_otlp();
    const char *to = opts.traces_endpoint ? opts.traces_endpoint : opts.endpoint ? opts.endpoint : "http://localhost:4318";
    if (!wh_otlp_exporter_new_at) {
        wh_report(WH_WARNING, "spans would go to %s, but this program is not linked with whence-otlp (pkg-config --libs whence-otlp)",
                  to);
        return NULL;
    }
    struct wh_exporter *otlp = wh_otlp_exporter_new_at(&opts);
    if (!otlp && errno != EINVAL) /* what is wrong with the options, the exporter has said */
        wh_report(WH_ERROR, "cannot export to %s (%s): nothing is exported there", to, strerror(errno));
    return otlp;
}

static struct wh_exporter *new_file(const struct wh_file_opts *opts)
{
    struct wh_exporter *file = wh_file_exporter_new_at(opts);
    if (!file) wh_report(WH_ERROR, "cannot write spans to %s (%s)", opts->path, strerror(errno));
    return file;
}

static struct wh_exporter *new_named(enum word which)
{
    switch (which) {
    case OTLP: return new_otlp();
    case CONSOLE: return wh_console_exporter_new(stderr);
    case STDOUT: return new_file(&(struct wh_file_opts){.size = sizeof(struct wh_file_opts), .path = "-"});
    case NONE: break;
    }
    return NULL;
}

static void add(struct wh__exporters *exporters, struct wh_exporter *exporter)
{
    if (exporter) exporters->list[exporters->count++] = exporter;
}

/* ---- reading ---- */

static void read_file(struct wh__exporters *exporters)
{
    struct wh_file_opts opts = {.size = sizeof opts, .path = wh__env("WHENCE_TRACES_FILE")};
    uint64_t bytes;
    if (!opts.path) return;
    if (wh__env_number("WHENCE_TRACES_FILE_MAX_BYTES", 1, INT64_MAX, &bytes)) opts.max_bytes = (int64_t)bytes;
    wh__env_size("WHENCE_TRACES_FILE_MAX_FILES", 1, &opts.max_files);
    add(exporters, new_file(&opts));
}

static bool is_word(const char *name, size_t len, int which)
{
    char word[32];
    if (len >= sizeof word) return false;
    memcpy(word, name, len);
    word[len] = '\0';
    return wh__parse_word(word, words) == which;
}

/* The exporters that are asked for, each once, as a set of bits. A list of which nothing is understood counts as unset. */
static unsigned read_list(const char *list)
{
    unsigned asked = 0;
    for (const char *name = list; *name;) {
        const size_t len = strcspn(name, ",");
        int which = 0;
        while (words[which] && !is_word(name, len, which)) which++;
        if (words[which])
            asked |= 1u << which;
        else if (strspn(name, " \t") < len)
            wh_report(WH_WARNING, "OTEL_TRACES_EXPORTER=%.*s is not understood, and ignored", (int)(len < 100 ? len : 100), name);
        name += len + (name[len] != '\0');
    }
    return asked ? asked : 1u << OTLP;
}

void wh__env_exporters(struct wh__exporters *exporters)
{
    const char *list = wh__env("OTEL_TRACES_EXPORTER");
    const unsigned asked = list ? read_list(list) : 1u << OTLP;
    read_file(exporters);
    for (unsigned which = 0; words[which]; which++)
        if (asked & 1u << which) add(exporters, new_named((enum word)which));
}
