#include "otlp/post.h"

#include <unistd.h>

#include "otlp/mem.h"

/* The parents', in forked processes: reachable for ever, and never used. */
static struct wh__otlp_post *left_behind; /* atomic */

static void leave_behind(struct wh__otlp_post *post)
{
    wh__otlp_http_abandon(post->http);
    post->next = __atomic_load_n(&left_behind, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(&left_behind, &post->next, post, true, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
        continue;
}

struct wh__otlp_post *wh__otlp_post_new(const struct wh__otlp_target *target, const uint32_t *given_up)
{
    struct wh__otlp_post *post = wh__otlp_mem_zero(sizeof *post);
    if (!post) return NULL;
    post->pid = getpid();
    post->http = wh__otlp_http_new(target, given_up);
    if (post->http) return post;
    wh__otlp_mem_free(post);
    return NULL;
}

void wh__otlp_post_free(struct wh__otlp_post *post)
{
    if (post->pid != getpid()) {
        leave_behind(post);
        return;
    }
    wh__otlp_http_free(post->http);
    wh__otlp_request_free(&post->request);
    wh__otlp_room_free(&post->answer);
    wh__otlp_mem_free(post);
}
