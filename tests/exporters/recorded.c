#include "recorded.h"

#include <fcntl.h>

#include "drawing.h"
#include "tools.h"

/* ---- spans ---- */

void record(struct recorded *recorded, const char *root_name, size_t children)
{
    char name[48];
    struct wh_span_view view;
    assert_true(children < MOST_RECORDED);
    recorded->spans = spans_begin();
    wh_ctx *root = wh_start(recorded->spans.root, root_name);
    for (size_t i = 0; i < children; i++) {
        snprintf(name, sizeof name, "child %zu of them", i);
        wh_end(wh_start(root, name));
    }
    wh_end(root);
    assert_int_equal(wh_provider_flush(recorded->spans.provider, WH_SEC(30)), 0);
    recorded->count = wh_memory_count(recorded->spans.memory);
    assert_int_equal(recorded->count, children + 1);
    for (size_t i = 0; i < recorded->count; i++) {
        assert_true(wh_memory_span(recorded->spans.memory, i, &view));
        recorded->list[i] = view.raw;
    }
}

void forget(struct recorded *recorded)
{
    spans_end(&recorded->spans);
}

size_t export_recorded(struct wh_exporter *console, const struct recorded *recorded, int64_t deadline)
{
    size_t refused = 0, rejected;
    for (size_t i = 0; i < recorded->count; i += 100, refused += rejected) {
        const size_t left = recorded->count - i;
        const struct wh_batch batch = {.size = sizeof batch, ONE_SCOPE(recorded->list + i, left < 100 ? left : 100)};
        rejected = 0;
        assert_int_equal(console->export_batch(console, &batch, deadline, &rejected), 0);
    }
    return refused;
}

/* ---- pipes ---- */

struct channel channel_open(int flags)
{
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(fcntl(ends[1], F_SETFL, flags), 0);
    struct channel channel = {.reader = ends[0], .out = fdopen(ends[1], "w")};
    channel.console = wh_console_exporter_new(channel.out);
    assert_non_null(channel.console);
    return channel;
}

void channel_close_ends(struct channel *channel)
{
    fclose(channel->out);
    close(channel->reader);
}

void channel_close(struct channel *channel)
{
    wh_exporter_free(channel->console);
    channel_close_ends(channel);
}

size_t channel_read(const struct channel *channel)
{
    return read_now(channel->reader, drawn, sizeof drawn);
}

void channel_fill(const struct channel *channel)
{
    static const char noise[4096];
    const int fd = fileno(channel->out), flags = fcntl(fd, F_GETFL);
    fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    while (write(fd, noise, sizeof noise) > 0) continue;
    fcntl(fd, F_SETFL, flags);
}

void channel_resize(const struct channel *channel, int bytes)
{
    assert_int_equal(fcntl(channel->reader, F_SETPIPE_SZ, bytes), bytes);
}
