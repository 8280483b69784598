#include "environment.h"

#include <ctype.h>
#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

/* In the library whence-otlp: there if the program is linked with it. */
__attribute__((weak)) struct wh_exporter *wh_otlp_exporter_new_at(const struct wh_otlp_opts *opts);

/* ---- values ---- */

static const char *get(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

static void ignored(const char *name, const char *value)
{
    wh_report(WH_WARNING, "%s=%.100s is not understood, and ignored", name, value);
}

static long get_number(const char *name, long least, long most, long otherwise)
{
    const char *value = get(name);
    if (!value) return otherwise;
    char *end;
    errno = 0;
    const long number = strtol(value, &end, 10);
    if (errno == 0 && *end == '\0' && number >= least && number <= most) return number;
    ignored(name, value);
    return otherwise;
}

/* Milliseconds; 0 is no limit, as for every timeout there. */
static int64_t get_timeout(const char *name)
{
    const long ms = get_number(name, 0, INT32_MAX, -1);
    return ms < 0 ? 0 : ms == 0 ? WH_NEVER : WH_MS(ms);
}

static bool is_true(const char *name)
{
    const char *value = get(name);
    if (!value) return false;
    if (strcasecmp(value, "true") == 0) return true;
    if (strcasecmp(value, "false")) ignored(name, value);
    return false;
}

/* ---- the resource ---- */

enum { MOST_ATTRIBUTES = 128 };

struct resource {
    char *text;                    /* what the attributes point into */
    struct wh_attr attrs[MOST_ATTRIBUTES];
    size_t count;
    const char *service;
};

static int hex_digit(char c)
{
    return isdigit((unsigned char)c) ? c - '0' : isxdigit((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10 : -1;
}

/* Undoes percent-encoding in place. */
static bool decode(char *text)
{
    char *out = text;
    for (; *text; text++) {
        if (*text == '%') {
            const int high = hex_digit(text[1]), low = high < 0 ? -1 : hex_digit(text[2]);
            if (low < 0 || (high | low) == 0) return false;
            *out++ = (char)(high << 4 | low);
            text += 2;
        } else {
            *out++ = *text;
        }
    }
    *out = '\0';
    return true;
}

static char *trimmed(char *text)
{
    while (*text == ' ' || *text == '\t') text++;
    size_t len = strlen(text);
    while (len && (text[len - 1] == ' ' || text[len - 1] == '\t')) text[--len] = '\0';
    return text;
}

static bool read_pair(struct resource *resource, char *pair)
{
    char *equals = strchr(pair, '=');
    if (!equals || resource->count == MOST_ATTRIBUTES) return false;
    *equals = '\0';
    char *key = trimmed(pair), *value = trimmed(equals + 1);
    if (!*key || !decode(key) || !decode(value)) return false;
    resource->attrs[resource->count++] = wh_attr(key, (const char *)value);
    return true;
}

/* resource/sdk.md: one error, and the whole variable is discarded. */
static void read_attributes(struct resource *resource)
{
    const char *name = "OTEL_RESOURCE_ATTRIBUTES", *value = get(name);
    if (!value) return;
    const size_t before = resource->count, size = strlen(value) + 1;
    resource->text = wh__mem_get(size);
    if (!resource->text) return;
    memcpy(resource->text, value, size);
    char *rest = resource->text;
    for (char *pair; (pair = strsep(&rest, ","));) {
        if (*trimmed(pair) == '\0' || read_pair(resource, pair)) continue;
        ignored(name, value);
        resource->count = before;
        return;
    }
}

/* What the program says is more than what the environment says, the name of the service excepted. */
static void read_resource(struct resource *resource, const char *service, const char *version)
{
    *resource = (struct resource){.service = service};
    read_attributes(resource);
    if (version && resource->count < MOST_ATTRIBUTES) resource->attrs[resource->count++] = wh_attr("service.version", version);
    const char *name = get("OTEL_SERVICE_NAME");
    if (!name) name = service;
    if (name && resource->count < MOST_ATTRIBUTES) resource->attrs[resource->count++] = wh_attr("service.name", name);
}

/* ---- the sampler ---- */

/* With a decimal point, whatever the locale of the program writes. */
static double number(const char *text, char **end)
{
    const locale_t c = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0);
    const locale_t before = c ? uselocale(c) : (locale_t)0;
    const double value = strtod(text, end);
    if (c) {
        uselocale(before);
        freelocale(c);
    }
    return value;
}

static struct wh_sampler read_sampler(void)
{
    static const struct { const char *name; struct wh_sampler sampler; bool takes_ratio; } known[] = {
        {"parentbased_always_on", {.kind = WH_SAMPLER_ALWAYS_ON}, false},
        {"parentbased_always_off", {.kind = WH_SAMPLER_ALWAYS_OFF}, false},
        {"parentbased_traceidratio", {.kind = WH_SAMPLER_RATIO, .ratio = 1}, true},
        {"always_on", {.kind = WH_SAMPLER_ALWAYS_ON, .ignore_parent = true}, false},
        {"always_off", {.kind = WH_SAMPLER_ALWAYS_OFF, .ignore_parent = true}, false},
        {"traceidratio", {.kind = WH_SAMPLER_RATIO, .ratio = 1, .ignore_parent = true}, true},
    };
    const char *name = get("OTEL_TRACES_SAMPLER"), *arg = get("OTEL_TRACES_SAMPLER_ARG");
    struct wh_sampler sampler = known[0].sampler;
    size_t i = 0;
    if (!name) return sampler;
    while (i < sizeof known / sizeof *known && strcasecmp(name, known[i].name)) i++;
    if (i == sizeof known / sizeof *known) {
        ignored("OTEL_TRACES_SAMPLER", name);
        return sampler;
    }
    sampler = known[i].sampler;
    if (arg && known[i].takes_ratio) {
        char *end;
        const double ratio = number(arg, &end);
        if (*end == '\0' && ratio >= 0 && ratio <= 1)
            sampler.ratio = ratio;
        else
            ignored("OTEL_TRACES_SAMPLER_ARG", arg);
    }
    return sampler;
}

/* ---- the exporters ---- */

enum { MOST_EXPORTERS = 4 };

struct exporters {
    struct wh_exporter *list[MOST_EXPORTERS];
    size_t count;
};

static const char *get_either(const char *first, const char *second)
{
    const char *value = get(first);
    return value ? value : get(second);
}

static struct wh_exporter *new_otlp(void)
{
    const char *endpoint = get("OTEL_EXPORTER_OTLP_ENDPOINT"), *traces = get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
    if (!wh_otlp_exporter_new_at) {
        wh_report(WH_WARNING, "spans would go to %s, but this program is not linked with whence-otlp (pkg-config --libs whence-otlp)",
            traces ? traces : endpoint ? endpoint : "http://localhost:4318");
        return NULL;
    }
    int64_t timeout = get_timeout("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT");
    if (!timeout) timeout = get_timeout("OTEL_EXPORTER_OTLP_TIMEOUT");
    const char *compression = get_either("OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "OTEL_EXPORTER_OTLP_COMPRESSION");
    if (compression && strcasecmp(compression, "gzip") && strcasecmp(compression, "none"))
        ignored("OTEL_EXPORTER_OTLP_COMPRESSION", compression);
    struct wh_exporter *otlp = wh_otlp_exporter_new(endpoint, .traces_endpoint = traces,
        .headers = get_either("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS"), .timeout = timeout,
        .gzip = compression && strcasecmp(compression, "gzip") == 0);
    if (!otlp && errno != EINVAL) /* what is wrong with the options, the exporter has said */
        wh_report(WH_ERROR, "cannot export to %s (%s): nothing is exported there",
            traces ? traces : endpoint ? endpoint : "http://localhost:4318", strerror(errno));
    return otlp;
}

static struct wh_exporter *new_file(const char *path)
{
    struct wh_exporter *file = wh_file_exporter_new(path);
    if (!file) wh_report(WH_ERROR, "cannot write spans to %s (%s)", path, strerror(errno));
    return file;
}

static void add(struct exporters *exporters, struct wh_exporter *exporter)
{
    if (exporter) exporters->list[exporters->count++] = exporter;
}

static void read_exporters(struct exporters *exporters)
{
    char names[256];
    const char *value = get("OTEL_TRACES_EXPORTER"), *file = get("WHENCE_TRACES_FILE");
    snprintf(names, sizeof names, "%s", value ? value : "otlp");
    if (file) add(exporters, new_file(file));
    char *rest = names;
    for (char *name; (name = strsep(&rest, ",")) && exporters->count < MOST_EXPORTERS;) {
        name = trimmed(name);
        if (strcasecmp(name, "otlp") == 0)
            add(exporters, new_otlp());
        else if (strcasecmp(name, "console") == 0)
            add(exporters, wh_console_exporter_new(stderr));
        else if (strcasecmp(name, "otlp/stdout") == 0)
            add(exporters, new_file("-"));
        else if (*name && strcasecmp(name, "none"))
            ignored("OTEL_TRACES_EXPORTER", name);
    }
}

wh_provider *wh__provider_from_environment(const char *service, const char *version)
{
    if (is_true("OTEL_SDK_DISABLED")) return NULL;
    struct exporters exporters = {0};
    struct resource resource;
    read_exporters(&exporters);
    if (exporters.count == 0) return NULL;
    read_resource(&resource, service, version);
    wh_provider *provider = wh_provider_new(
        .service = resource.service,
        .resource = {resource.attrs, resource.count},
        .sampler = read_sampler(),
        .exporters = exporters.list,
        .exporter_count = exporters.count,
        .max_queue = (uint32_t)get_number("OTEL_BSP_MAX_QUEUE_SIZE", 1, INT32_MAX, 0),
        .max_batch = (uint32_t)get_number("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 1, INT32_MAX, 0),
        .schedule_delay = get_timeout("OTEL_BSP_SCHEDULE_DELAY"),
        .export_timeout = get_timeout("OTEL_BSP_EXPORT_TIMEOUT"),
        .cancelled_is_error = is_true("WHENCE_CANCELLED_IS_ERROR"));
    wh__mem_free(resource.text);
    if (!provider) wh_report(WH_ERROR, "no memory for tracing: nothing is recorded");
    return provider;
}
