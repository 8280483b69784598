/* A hedged request: one replica is asked, and if it has not answered after 30 ms, the other one, too. The first answer wins;
 * the slower one is told that nobody waits any more. */
#include "gateway.h"

#include <stdio.h>
#include <string.h>

struct question {
    const char *replica, *words, *way; /* way: how the replica is to behave */
    char answer[128];
};

static int ask_replica(const wh_ctx *ctx, void *arg)
{
    struct question *question = arg;
    char url[512];
    snprintf(url, sizeof url, "%s/search/%s?search=%s", question->replica, question->words, question->way);
    return shop_get(ctx, url, "/search/{words}", 0, question->answer, sizeof question->answer);
}

static int ask_both(const wh_ctx *req, struct question questions[2])
{
    WH_AUTO_GROUP wh_group *group = wh_group_new(req, .policy = WH_FIRST_SUCCESS);
    wh_go(group, ask_replica, &questions[0]);
    if (wh_group_wait_until(group, wh_now() + WH_MS(30)) == 0) return 0;
    wh_event(req, "hedged");
    wh_go(group, ask_replica, &questions[1]);
    return wh_group_wait(group);
}

enum MHD_Result find(const wh_ctx *root, struct MHD_Connection *connection, const char *url, const char *method)
{
    WH_MHD_AUTO wh_ctx *req = wh_mhd_start(root, connection, .method = method, .url = url, .route = "/find/{words}",
        .timeout = shop_limit(connection, "within", WH_MS(300)));
    const char *words = url + strlen("/find/");
    struct question questions[2] = {{upstreams.search[0], words, shop_parameter(connection, "search"), ""},
                                    {upstreams.search[1], words, "", ""}};
    const int rc = ask_both(req, questions);
    return gateway_answer(req, connection, "gateway: GET /find", rc, *questions[0].answer ? questions[0].answer : questions[1].answer);
}
