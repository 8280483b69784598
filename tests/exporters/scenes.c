#include "scenes.h"

static const struct span well[] = {
    {.service = "stock", .id = 6, .parent = 5, .name = "SELECT stock", .kind = WH_CLIENT, .start = 4.1, .end = 22.9},
    {.service = "stock", .id = 5, .parent = 2, .name = "GET /stock", .kind = WH_SERVER, .start = 3.2, .end = 23.4,
     .remote = true, .budget = 1998, .left = 1974},
    {.service = "price", .id = 8, .parent = 7, .name = "GET rates", .kind = WH_CLIENT, .start = 4.4, .end = 10.8},
    {.service = "price", .id = 7, .parent = 3, .name = "GET /price", .kind = WH_SERVER, .start = 3.4, .end = 11.9,
     .remote = true, .budget = 1998, .left = 1988},
    {.service = "gateway", .id = 2, .parent = 1, .name = "GET stock", .kind = WH_CLIENT, .start = 1.2, .end = 24.3},
    {.service = "gateway", .id = 3, .parent = 1, .name = "GET price", .kind = WH_CLIENT, .start = 1.3, .end = 12.6},
    {.service = "gateway", .id = 4, .parent = 1, .name = "render", .start = 24.5, .end = 24.6},
    {.service = "gateway", .id = 1, .name = "GET /order", .kind = WH_SERVER, .start = 0, .end = 25.1, .asked = 2000,
     .budget = 2000, .left = 1974.9},
};

#define RESET .reason = "client_gone", .message = "connection reset"
static const struct span client_gone[] = {
    {.service = "gateway", .id = 3, .parent = 1, .name = "GET price", .kind = WH_CLIENT, .start = 1.5, .end = 14.8},
    {.service = "gateway", .id = 2, .parent = 1, .name = "GET stock", .kind = WH_CLIENT, .start = 1.4, .end = 80.4,
     RESET, .cancelled = 80.2, .origin = 1, .origin_name = "GET /order", .site = "peer.c:96 hung_up"},
    {.service = "gateway", .id = 1, .name = "GET /order", .kind = WH_SERVER, .start = 0, .end = 80.9, RESET,
     .cancelled = 80.2,
     .origin = 1, .origin_name = "GET /order", .site = "peer.c:96 hung_up", .asked = 2000, .budget = 2000,
     .left = 1919.1},
    {.service = "price", .id = 8, .parent = 7, .name = "GET rates", .kind = WH_CLIENT, .start = 4.4, .end = 12.8},
    {.service = "price", .id = 7, .parent = 3, .name = "GET /price", .kind = WH_SERVER, .start = 3.4, .end = 13.9,
     .remote = true, .budget = 1998, .left = 1988},
    {.service = "stock", .id = 6, .parent = 5, .name = "SELECT stock", .start = 4.1, .end = 122.3, RESET,
     .cancelled = 81.0, .origin = 2, .site = "peer.c:96 hung_up"},
    {.service = "stock", .id = 5, .parent = 2, .name = "GET /stock", .kind = WH_SERVER, .start = 3.2, .end = 123.4,
     RESET,
     .cancelled = 81.0, .origin = 2, .site = "peer.c:96 hung_up", .remote = true, .budget = 1998, .left = 1874.6},
};

#define FIRED .reason = "deadline_exceeded", .cancelled = 300.1, .origin = 1, .origin_name = "GET /order", \
    .site = "order.c:41 handle"
static const struct span deadline[] = {
    {.id = 4, .parent = 3, .name = "read page", .start = 210, .end = 300.6, FIRED, .budget = 90, .left = -.6},
    {.id = 3, .parent = 2, .name = "scan shelves", .start = 6, .end = 301.2, FIRED, .asked = 500, .budget = 294,
     .left = -1.2},
    {.id = 2, .parent = 1, .name = "reserve stock", .start = 5, .end = 301.9, FIRED, .budget = 295, .left = -1.9},
    {.id = 1, .name = "GET /order", .kind = WH_SERVER, .start = 0, .end = 302.4, FIRED, .asked = 300, .budget = 300,
     .left = -2.4, .status = WH_STATUS_ERROR, .status_text = "deadline of 300 ms exceeded", .error_type = "timeout"},
};

#define PRICE_FAILED .reason = "sibling_failed", .message = "connect to 127.0.0.1:9", .cancelled = 30.3, .origin = 2, \
    .origin_name = "GET price", .site = "order.c:77 fetch_price"
static const struct span sibling[] = {
    {.id = 4, .parent = 3, .name = "SELECT stock", .start = 2.1, .end = 30.4, PRICE_FAILED},
    {.id = 3, .parent = 1, .name = "GET stock", .kind = WH_CLIENT, .start = 1.9, .end = 42.6, PRICE_FAILED},
    {.id = 2, .parent = 1, .name = "GET price", .kind = WH_CLIENT, .start = 1.8, .end = 30.2, .status = WH_STATUS_ERROR,
     .status_text = "connect to 127.0.0.1:9", .error_type = "ECONNREFUSED", .asked = 200, .budget = 200, .left = 171.6},
    {.id = 1, .name = "GET /order", .kind = WH_SERVER, .start = 0, .end = 43.1},
};

static const struct span overrun[] = {
    {.id = 2, .parent = 1, .name = "rebuild index", .start = .4, .end = 900, .reason = "shutdown",
     .message = "SIGTERM from process 4711", .site = "main.c:12 main", .cancelled = 110},
    {.id = 1, .name = "nightly job", .start = 0, .end = 900.2, .reason = "shutdown",
     .message = "SIGTERM from process 4711", .site = "main.c:12 main", .cancelled = 110},
};

static const struct span remote_origin[] = {
    {.service = "stock", .id = 6, .parent = 5, .name = "SELECT stock", .start = 1.1, .end = 41.2,
     .reason = "deadline_exceeded",
     .site = "server.c:88 handle", .cancelled = 40.1, .origin = 2, .budget = 39, .left = -1.1},
    {.service = "stock", .id = 5, .parent = 2, .name = "GET /stock", .kind = WH_SERVER, .start = 0, .end = 41.4,
     .reason = "deadline_exceeded", .site = "server.c:88 handle", .cancelled = 40.1, .origin = 2, .remote = true,
     .budget = 40, .left = -1.4},
};

static const struct span orphans[] = {
    {.id = 4, .parent = 3, .name = "write audit log", .start = 12, .end = 19},
    {.id = 6, .parent = 99, .name = "send mail", .kind = WH_PRODUCER, .start = 5, .end = 11},
    {.id = 3, .parent = 98, .name = "after the answer", .start = 2, .end = 20, .status = WH_STATUS_ERROR},
};

static const struct span hostile[] = {
    {.service = "evil\033]0;pwned\007", .id = 1, .name = "\033[2J\033[31mred\r\n\tnew line\x7f\b", .start = 0,
     .end = 10,
     .status = WH_STATUS_ERROR, .status_text = "\xc2\x9b" "31m csi \xe2\x80\xae" "backwards \xff\xfe\xc0\x80 broken",
     .error_type = "\033c"},
    {.service = "evil\033]0;pwned\007", .id = 2, .parent = 1, .name = "価格を取得する ｖａｌｕｅ a\xcc\x81\xcc\x81\xcc\x81 ünïcödé",
     .start = 2, .end = 9, .reason = "\033[5mblink", .message = "\"quoted\"\nsecond line", .site = "\x1b\x1b.c:1 f",
     .cancelled = 8, .origin = 77, .origin_name = "\033[1A"},
    {.service = "evil\033]0;pwned\007", .id = 3, .parent = 1, .start = 3, .end = 3, .kind = WH_CLIENT, .name =
     "an endless name an endless name an endless name an endless name an endless name an endless name an endless name "
     "an endless name an endless name an endless name an endless name an endless name an endless name"},
};

static const struct span inner_deadline[] = {
    {.service = "price", .id = 8, .parent = 7, .name = "GET rates", .kind = WH_CLIENT, .start = 1, .end = 201.3,
     .asked = 200, .budget = 200, .left = -.3, .reason = "deadline_exceeded", .cancelled = 201, .origin = 8,
     .origin_name = "GET rates",
     .site = "price.c:60 ask_rates", .status = WH_STATUS_ERROR, .status_text = "deadline of 200 ms exceeded",
     .error_type = "timeout"},
    {.service = "price", .id = 7, .name = "GET /price", .kind = WH_SERVER, .start = 0, .end = 202, .asked = 5000,
     .budget = 1900, .left = 1698},
};

static const struct span bad_gateway[] = {
    {.id = 2, .parent = 1, .name = "GET /price", .kind = WH_CLIENT, .start = 1, .end = 4, .status = WH_STATUS_ERROR,
     .error_type = "502", .status_text = "status 502"},
    {.id = 3, .parent = 1, .name = "INSERT", .kind = WH_CLIENT, .start = 4, .end = 5, .status = WH_STATUS_ERROR,
     .error_type = "23505", .status_text = "duplicate key"},
    {.id = 1, .name = "GET /order", .kind = WH_SERVER, .start = 0, .end = 6, .status = WH_STATUS_ERROR,
     .error_type = "502", .status_text = "no price"},
};

#define SCENE(list) {.name = #list, .spans = list, .count = sizeof list / sizeof *list}

const struct scene scene_well = SCENE(well), scene_client_gone = SCENE(client_gone), scene_deadline = SCENE(deadline),
                   scene_inner_deadline = SCENE(inner_deadline), scene_sibling = SCENE(sibling),
                   scene_bad_gateway = SCENE(bad_gateway), scene_overrun = SCENE(overrun),
                   scene_remote_origin = SCENE(remote_origin), scene_orphans = SCENE(orphans),
                   scene_hostile = SCENE(hostile);

const struct span child_and_root[2] = {
    {.id = 2, .parent = 1, .name = "child", .start = 1, .end = 2},
    {.id = 1, .name = "root", .start = 0, .end = 3},
};
const struct span from_elsewhere[1] = {
    {.id = 1, .parent = 9, .name = "entry", .start = 0, .end = 3, .remote = true, .kind = WH_SERVER},
};
