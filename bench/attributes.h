/* The five HTTP attributes that every span of the benchmark has. The values are read from memory, so that nobody knows
 * their lengths beforehand: as in a program that has parsed a request. */
#ifndef ATTRIBUTES_H
#define ATTRIBUTES_H

struct request {
    const char *method, *path;
    int status;
    const char *server, *agent;
};
extern struct request request;

#define METHOD_KEY "http.request.method"
#define METHOD "GET"
#define PATH_KEY "url.path"
#define PATH "/api/v1/orders/12345"
#define STATUS_KEY "http.response.status_code"
#define STATUS 200
#define SERVER_KEY "server.address"
#define SERVER "orders.internal.example"
#define AGENT_KEY "user_agent.original"
#define AGENT "curl/7.88.1"

#define SET_FIVE(ctx, from) \
    do { \
        wh_set(ctx, METHOD_KEY, (from)->method); \
        wh_set(ctx, PATH_KEY, (from)->path); \
        wh_set(ctx, STATUS_KEY, (from)->status); \
        wh_set(ctx, SERVER_KEY, (from)->server); \
        wh_set(ctx, AGENT_KEY, (from)->agent); \
    } while (0)

#endif
