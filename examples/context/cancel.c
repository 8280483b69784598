/* Stop what is no longer needed: patterns 3 and 10. Four threads look for the same number; the one that finds it cancels
 * the search, and the others see it in their next round: asking is one load and one branch. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <whence/whence.h>

enum { THREADS = 4 };
#define PRODUCT UINT64_C(4294049777) /* of two primes: 65521 * 65537 */
WH_REASON(found, "found");

struct search {
    wh_ctx *ctx; /* the owner's handle: who has it may cancel. The threads that only look need no more than a const one */
    uint64_t factor;
};
struct part {
    struct search *search;
    uint64_t first;
};

static int look(const wh_ctx *ctx, void *arg)
{
    const struct part *part = arg;
    for (uint64_t n = part->first;; n += 2 * THREADS) {
        if (wh_err(ctx)) return 0; /* somebody else has it: no failure */
        if (PRODUCT % n) continue;
        part->search->factor = n;
        wh_cancel(part->search->ctx, found, "no need to look further");
        return 0;
    }
}

int main(void)
{
    WH_AUTO wh_ctx *ctx = wh_with_timeout(NULL, WH_SEC(60));
    struct search search = {.ctx = ctx};
    struct part parts[THREADS];
    WH_AUTO_GROUP wh_group *group = wh_group_new(ctx);
    for (uint64_t i = 0; i < THREADS; i++) {
        parts[i] = (struct part){&search, 3 + 2 * i};
        wh_go(group, look, &parts[i]);
    }
    const int rc = wh_group_wait(group); /* nobody is left running, so search.factor may be read */
    /* The one who was too late to be started is refused with ECANCELED: the search was over already. */
    if (rc && rc != ECANCELED) return 1;
    printf("%llu = %llu * ...; the search ended: %s\n", (unsigned long long)PRODUCT, (unsigned long long)search.factor,
           wh_cause(ctx)->name);
    return 0;
}
