"""Ways to be ill over HTTP/1.1: each is a behaviour for a server.Server."""

import gzip
import time

import otlp

TYPE = "Content-Type: application/x-protobuf"
MEGABYTE = b"\0" * (1 << 20)


def answer(status="200 OK", body=b"", *lines, content_type=TYPE, version="1.1"):
    head = [f"HTTP/{version} {status}", *([content_type] if content_type else ()), f"Content-Length: {len(body)}", *lines, "", ""]
    return "\r\n".join(head).encode() + body


def always(status, body=b"", *lines, **more):
    """The same answer to every request."""
    def behave(c):
        for _ in c.requests():
            c.send(answer(status, body, *lines, **more))
    return behave


def well(c, body=b"", rejected=0, **more):
    for request in c.requests():
        c.server.took(request.spans, rejected if rejected >= 0 else 0)
        c.send(answer("200 OK", body, **more))


def saying(body, rejected=0, **more):
    """Success, with this in it; `rejected`: of each request, so many, by what OTLP says of such an answer."""
    return lambda c: well(c, body, rejected, **more)


def first(times, status, *lines):
    """Refuses so many requests and then is well."""
    def behave(c):
        for request in c.requests():
            if c.server.requests <= times:
                c.send(answer(status, b"", *lines))
            else:
                c.server.took(request.spans)
                c.send(answer())
    return behave


# ---- connections that end ----

def reset_at_accept(c):
    c.reset()


def close_at_accept(c):
    pass


def reset_after_headers(c):
    c.head()
    c.reset()


def reset_in_body(c):
    _, headers = c.head()
    c.exactly(int(headers["content-length"]) // 2)
    c.reset()


def reset_instead_of_answer(c):
    c.request()
    c.reset()


def reset_in_answer_head(c):
    c.request()
    c.send(b"HTTP/1.1 200 OK\r\nContent-Ty")
    c.pause(0.1)
    c.reset()


def close_in_answer_head(c):
    c.request()
    c.send(b"HTTP/1.1 200 OK\r\nContent-Ty")


def reset_in_answer_body(c):
    """It has taken the spans, and nobody will ever know."""
    c.server.took(c.request().spans)
    c.send(b"HTTP/1.1 200 OK\r\n" + TYPE.encode() + b"\r\nContent-Length: 100\r\n\r\n" + b"\x0a")
    c.pause(0.1)
    c.reset()


def reset_every_second_request(c):
    for request in c.requests():
        if c.server.requests % 2 == 0:
            c.reset()
        c.server.took(request.spans)
        c.send(answer())


def http_1_0(c):
    c.server.took(c.request().spans)
    c.send(b"HTTP/1.0 200 OK\r\n" + TYPE.encode() + b"\r\n\r\n")


def http_0_9(c):
    c.request()
    c.send(b"thank you")


# ---- half open, and slow ----

def never_reads(c):
    c.hold()


def never_answers(c):
    for _ in c.requests():
        pass


def reads_a_byte_a_second(c):
    while True:
        c.exactly(1)
        c.pause(1)


def answers_a_byte_a_second(c):
    for _ in c.requests():
        c.drip(answer("200 OK", otlp.partial_success(0, "x" * 300)))


def body_a_byte_a_second(c):
    for _ in c.requests():
        c.send(b"HTTP/1.1 200 OK\r\n" + TYPE.encode() + b"\r\nContent-Length: 300\r\n\r\n")
        c.drip(otlp.partial_success(0, "x" * 294))


def held_until_released(c):
    """The first connection gets its first answer when the test says so; all others are served at once."""
    for request in c.requests():
        if c.number == 1 and not c.server.released.is_set():
            c.server.holding.set()
            c.server.released.wait(60)
        c.server.took(request.spans)
        c.send(answer())


# ---- too much ----

def a_gigabyte(c):
    for _ in c.requests():
        c.send(b"HTTP/1.1 200 OK\r\n" + TYPE.encode() + b"\r\nContent-Length: 1073741824\r\n\r\n")
        c.flood(MEGABYTE, 1024)


def a_gigabyte_of_refusal(c):
    for _ in c.requests():
        c.send(b"HTTP/1.1 400 Bad Request\r\n" + TYPE.encode() + b"\r\nContent-Length: 1073741824\r\n\r\n")
        c.flood(MEGABYTE, 1024)


BOMB = gzip.compress(otlp.field(2, b"\0" * (256 << 20)), 9)  # 256 MiB in 256 KiB


def gzip_bomb(c):
    for request in c.requests():
        c.server.took(request.spans)
        c.send(answer("200 OK", BOMB, "Content-Encoding: gzip"))


def bomb_of_fields(c):
    """Four million unknown fields of a byte: the decoder needs far more memory for them than they take on the wire."""
    for request in c.requests():
        c.server.took(request.spans)
        c.send(answer("200 OK", b"\x78\x01" * ((4 << 20) // 2 - 64)))


def header_of_a_megabyte(c):
    for _ in c.requests():
        c.send(b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * (1 << 20) + b"\r\nContent-Length: 0\r\n\r\n")


def endless_headers(c):
    for _ in c.requests():
        c.send(b"HTTP/1.1 200 OK\r\n")
        c.flood((b"X-Another: " + b"x" * 1000 + b"\r\n") * 1000, 1024)


def endless_continue(c):
    for _ in c.requests():
        c.flood(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)


def endless_early_hints(c):
    for _ in c.requests():
        c.flood((b"HTTP/1.1 103 Early Hints\r\nLink: </" + b"x" * 900 + b">\r\n\r\n") * 100)


def continue_then_nothing(c):
    """Says to go on before anybody has asked, and after, and then nothing at all."""
    c.send(b"HTTP/1.1 100 Continue\r\n\r\n")
    for _ in c.requests():
        c.send(b"HTTP/1.1 100 Continue\r\n\r\n" * 3)


def expectation_failed(c):
    c.head()
    c.send(answer("417 Expectation Failed", b"", "Connection: close"))


def answers_before_the_body(c):
    """A whole refusal while the body is still on its way, and the connection is shut."""
    c.head()
    c.send(answer("503 Service Unavailable", b"", "Connection: close"))
    c.pause(0.1)


# ---- chunks ----

CHUNKED = b"HTTP/1.1 200 OK\r\n" + TYPE.encode() + b"\r\nTransfer-Encoding: chunked\r\n"


def chunks(data, took=False, then_close=False):
    def behave(c):
        for request in c.requests():
            if took:
                c.server.took(request.spans)
            c.send(CHUNKED + b"\r\n" + data)
            if then_close:
                return
    return behave


def endless_chunks(c):
    for _ in c.requests():
        c.send(CHUNKED + b"\r\n")
        c.flood(b"1\r\n\0\r\n" * 10000)


def endless_trailers(c):
    for _ in c.requests():
        c.send(CHUNKED + b"Trailer: X-Another\r\n\r\n0\r\n")
        c.flood((b"X-Another: " + b"x" * 1000 + b"\r\n") * 1000, 1024)


# ---- refusals ----

def redirect(status):
    """To where the server itself listens: it would go on for ever."""
    def behave(c):
        for request in c.requests():
            c.send(answer(status, b"", f"Location: http://127.0.0.1:{c.server.port}/v1/traces"))
    return behave


def elsewhere(c):
    """To another server, which must see neither spans nor header fields."""
    for _ in c.requests():
        c.send(answer("307 Temporary Redirect", b"", f"Location: http://127.0.0.1:{c.server.trap.port}/v1/traces"))


def too_large_above(most, status="413 Content Too Large"):
    def behave(c):
        for request in c.requests():
            if len(request.spans) > most:
                c.send(answer(status))
            else:
                c.server.took(request.spans)
                c.send(answer())
    return behave


def date(seconds):
    """An HTTP date so far from now."""
    return time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + seconds))
