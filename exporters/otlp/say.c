#include <stdio.h>

#include "otlp/otlp.h"

/* ---- why nothing was accepted ---- */

int wh__otlp_fail(struct wh__otlp *otlp, int error, const char *why)
{
    snprintf(otlp->error, sizeof otlp->error, "%.200s: %.240s", otlp->target.url.shown, why);
    return error;
}

int wh__otlp_fail_with(struct wh__otlp *otlp, const struct wh__otlp_verdict *verdict, unsigned tries)
{
    char why[300], times[32] = "";
    const bool both = verdict->label[0] && verdict->words[0];
    if (tries > 1) snprintf(times, sizeof times, " (tried %u times)", tries);
    snprintf(why, sizeof why, "%s%s%.199s%s", verdict->label, both ? ": " : "", verdict->words, times);
    return wh__otlp_fail(otlp, verdict->error, why);
}

/* ---- what is reported, once each ---- */

/* Whether this is the first time. */
static bool tell(bool *told)
{
    const bool before = *told;
    *told = true;
    return !before;
}

void wh__otlp_note_accepted(struct wh__otlp *otlp, const struct wh__otlp_verdict *verdict, size_t count)
{
    const char *shown = otlp->target.url.shown;
    if (verdict->is_nonsense && tell(&otlp->told_nonsense))
        wh_report(WH_WARNING, "%.200s says that all is well, but not in OTLP: is it a collector?", shown);
    if (verdict->rejected && tell(&otlp->told_rejection))
        wh_report(WH_WARNING, "%.200s rejected %zu of %zu spans: %s", shown, verdict->rejected, count, verdict->words);
    if (!verdict->rejected && verdict->words[0] && tell(&otlp->told_warning))
        wh_report(WH_WARNING, "%.200s took the spans, and says: %s", shown, verdict->words);
}

void wh__otlp_note_large(struct wh__otlp *otlp)
{
    if (tell(&otlp->told_large)) wh_report(WH_WARNING, "a span is too large to be exported, and dropped: %s", otlp->error);
}

void wh__otlp_note_part(struct wh__otlp *otlp, size_t lost, size_t count)
{
    if (tell(&otlp->told_part)) wh_report(WH_WARNING, "%zu of %zu spans were not exported: %s", lost, count, otlp->error);
}
