/* What the code in docs/context.md takes for granted: an application. test_pages.py compiles every piece of it after this. */
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>
#include <whence/whence.h>

struct page { char text[4096]; };
struct entry { char text[100]; };
struct client { int fd; };
struct request { const char *tenant; int cents; };

int64_t now_ms(void);
int send_query_within(struct client *client, const char *name, int timeout_ms);
int send_query(const wh_ctx *ctx, struct client *client, const char *name);
int lookup_within(struct client *client, const char *name, struct entry *entry, int timeout_ms);
int lookup(const wh_ctx *ctx, struct client *client, const char *name, struct entry *entry);
int fetch_price(const wh_ctx *ctx, void *page);
int fetch_stock(const wh_ctx *ctx, void *page);
int fetch_stars(const wh_ctx *ctx, void *page);
int ask_for_rates(const wh_ctx *ctx, void *page);
int book(const char *tenant, int cents);
int open_listener(void);
int serve(const wh_ctx *ctx, void *request);
struct request *new_request(int connection);
void drop_request(struct request *request);
int append_record(const wh_ctx *ctx);
wh_ctx *begin_lookup(const wh_ctx *ctx);
