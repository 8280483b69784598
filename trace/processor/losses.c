/* What a pipe says when spans are lost: once when it begins, once when it is over, once at the end. */
#include "base/clock.h"
#include "base/text.h"
#include "trace/pipe.h"
#include "trace/provider.h"

/* Losses that come and go within a few seconds are one outage. */
enum { OUTAGE_ENDS_AFTER_S = 5 };

static void put_count(struct wh__text *text, uint64_t count, const char *why)
{
    if (count) wh__put(text, "%s%llu %s", text->len ? ", " : "", (unsigned long long)count, why);
}

static void say(struct wh__text *text, const struct wh__pipe *pipe, const struct wh_processor_stats *s)
{
    struct wh_exporter *exporter = pipe->exporter;
    put_count(text, s->dropped_queue, "found the queue full");
    put_count(text, s->dropped_memory, "found no memory");
    put_count(text, s->dropped_shutdown, "were left at the shutdown");
    put_count(text, s->dropped_export, "could not be exported");
    const char *error = s->dropped_export && exporter && exporter->last_error ? exporter->last_error(exporter) : NULL;
    if (error) wh__put(text, ": %s", error);
}

/* With what was lost before it came to any pipe: the first one of a provider says that. */
static struct wh_processor_stats losses_of(const struct wh__pipe *pipe)
{
    struct wh_processor_stats s = {.size = sizeof s};
    wh__pipe_stats(pipe, &s);
    if (!pipe->provider || !pipe->is_first) return s;
    struct wh_provider_stats all = {.size = sizeof all};
    wh__provider_losses(pipe->provider, &all);
    s.dropped_memory += all.dropped_memory;
    s.dropped_shutdown += all.dropped_shutdown;
    return s;
}

static void report(const struct wh__pipe *pipe, const struct wh_processor_stats *s, enum wh_severity severity, const char *what)
{
    char buf[400] = "";
    struct wh__text text = {.buf = buf, .size = sizeof buf};
    say(&text, pipe, s);
    const char *name = pipe->is_one_of_many && pipe->exporter ? pipe->exporter->name : NULL;
    wh_report(severity, "%s%s%s: %s", what, name ? " on the way to " : "", name ? name : "", buf);
}

void wh__pipe_report(struct wh__pipe *pipe, bool at_the_end)
{
    const struct wh_processor_stats s = losses_of(pipe);
    const uint64_t losses = s.dropped_queue + s.dropped_memory + s.dropped_export + s.dropped_shutdown;
    const bool losing = losses > pipe->losses_seen, recovered = s.exported > pipe->exported_seen;
    const int64_t now = losing || pipe->in_outage ? wh__now() : 0;
    if (losing && !pipe->in_outage) {
        report(pipe, &s, WH_WARNING, "spans are being lost");
        pipe->in_outage = true;
        pipe->losses_said = losses;
    } else if (pipe->in_outage && at_the_end) {
        if (losses > pipe->losses_said) report(pipe, &s, WH_WARNING, "spans were lost in all");
    } else if (pipe->in_outage && !losing && recovered && now - pipe->last_loss > WH_SEC(OUTAGE_ENDS_AFTER_S)) {
        report(pipe, &s, WH_INFO, "spans are exported again; lost in all");
        pipe->in_outage = false;
    }
    if (losing) pipe->last_loss = now;
    pipe->losses_seen = losses;
    pipe->exported_seen = s.exported;
}
