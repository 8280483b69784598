"""HTTP/2 by hand (RFC 9113), as far as a gRPC server needs it, and ways to be ill over it.

Of what comes, only DATA and the end of a stream are looked at: there is one method to call. What goes out is HPACK without
Huffman and without a dynamic table (RFC 7541, 6.2.2).
"""

import base64
import collections
import struct

import otlp
from http1 import BOMB
from server import Over

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 0, 1, 3, 4, 5, 6, 7, 8, 9
END_STREAM, ACK, END_HEADERS, PADDED = 1, 1, 4, 8

Call = collections.namedtuple("Call", "stream spans")


# ---- frames ----

def frame(kind, flags=0, stream=0, payload=b""):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def settings(**values):
    """By number: settings(s4=0) says that the window is 0 at first."""
    return frame(SETTINGS, 0, 0, b"".join(struct.pack(">HI", int(name[1:]), value) for name, value in values.items()))


def _text(text):
    text = text.encode() if isinstance(text, str) else text
    if len(text) < 127:
        return bytes([len(text)]) + text
    return b"\x7f" + otlp.varint(len(text) - 127) + text


def fields(*pairs):
    """A header block: each field a literal that is not indexed, with a name of its own."""
    return b"".join(b"\0" + _text(name) + _text(value) for name, value in pairs)


def headers(stream, *pairs, end=False):
    return frame(HEADERS, END_HEADERS | (END_STREAM if end else 0), stream, fields(*pairs))


def head(stream, content_type="application/grpc", status="200"):
    return headers(stream, (":status", status), ("content-type", content_type))


def message(body, flag=0, length=None):
    """A length-prefixed message of gRPC."""
    return bytes([flag]) + struct.pack(">I", len(body) if length is None else length) + body


def trailers(stream, status="0", text=None, *more):
    pairs = [("grpc-status", str(status))] + ([("grpc-message", text)] if text else [])
    return headers(stream, *pairs, *more, end=True)


def trailers_only(stream, status, text=None, *more):
    pairs = [(":status", "200"), ("content-type", "application/grpc"), ("grpc-status", str(status))]
    return headers(stream, *pairs, *([("grpc-message", text)] if text else []), *more, end=True)


def details(code, text, retry_delay=None):
    """grpc-status-details-bin: base64 without padding."""
    return "grpc-status-details-bin", base64.b64encode(otlp.status(code, text, retry_delay)).rstrip(b"=")


def accepted(stream, body=b""):
    return head(stream) + frame(DATA, 0, stream, message(body)) + trailers(stream)


# ---- a server's side of a connection ----

class Http2:
    def __init__(self, connection, first=settings(), silent=False):
        """first: what is sent as soon as the preface has come. silent: it acknowledges nothing and opens no window."""
        self.c, self.silent = connection, silent
        self.bodies = {}
        connection.exactly(len(PREFACE))
        connection.send(first)

    def next_frame(self):
        start = self.c.exactly(9)
        size, kind, flags = int.from_bytes(start[:3], "big"), start[3], start[4]
        return kind, flags, int.from_bytes(start[5:], "big") & 0x7fffffff, self.c.exactly(size)

    def _take_data(self, stream, flags, payload):
        if payload and not self.silent:  # what was taken may come again
            size = struct.pack(">I", len(payload))
            self.c.send(frame(WINDOW_UPDATE, 0, 0, size) + frame(WINDOW_UPDATE, 0, stream, size))
        if flags & PADDED:
            payload = payload[1:len(payload) - payload[0]]
        self.bodies.setdefault(stream, bytearray()).extend(payload)

    def _call(self, stream):
        body = bytes(self.bodies.pop(stream, b""))
        flag, size = struct.unpack(">BI", body[:5])
        assert size == len(body) - 5, "the client's message has another length than it says"
        return Call(stream, self.c.note(body[5:], "application/grpc", "gzip" if flag else ""))

    def calls(self):
        """The calls, as each of them is whole."""
        while True:
            kind, flags, stream, payload = self.next_frame()
            if kind == DATA:
                self._take_data(stream, flags, payload)
            elif kind in (SETTINGS, PING) and not flags & ACK and not self.silent:
                self.c.send(frame(kind, ACK, 0, payload if kind == PING else b""))
            elif kind == RST_STREAM:
                self.bodies.pop(stream, None)
            elif kind == GOAWAY:
                raise Over
            if kind in (DATA, HEADERS) and flags & END_STREAM:
                yield self._call(stream)


# ---- behaviours ----

def each(answer, took=False, first=settings()):
    """Every call gets the frames answer(stream); took: which say that the spans were taken."""
    def behave(c):
        for call in Http2(c, first).calls():
            if took:
                c.server.took(call.spans)
            c.send(answer(call.stream))
    return behave


well = each(accepted, took=True)


def saying(body, rejected=0):
    def behave(c):
        for call in Http2(c).calls():
            c.server.took(call.spans, rejected)
            c.send(accepted(call.stream, body))
    return behave


def first(times, answer):
    """Answers so many calls like that, and then is well."""
    def behave(c):
        for call in Http2(c).calls():
            if c.server.requests <= times:
                c.send(answer(call.stream))
            else:
                c.server.took(call.spans)
                c.send(accepted(call.stream))
    return behave


def too_large_above(most):
    def behave(c):
        for call in Http2(c).calls():
            if len(call.spans) > most:
                c.send(trailers_only(call.stream, 8, "too large"))
            else:
                c.server.took(call.spans)
                c.send(accepted(call.stream))
    return behave


def goaway(last, code=0):
    return frame(GOAWAY, 0, 0, struct.pack(">II", last, code))


def goaway_at_once(c):
    c.exactly(len(PREFACE))
    c.send(settings() + goaway(0))
    c.hold()


def goaway_in_mid_stream(c):
    """The call is none of those that it will still look at, and the connection ends."""
    for call in Http2(c).calls():
        c.send(goaway(0, 11))
        c.pause(0.1)
        return


def goaway_with_the_answer(c):
    """As servers do that want their clients to connect anew: each connection takes one call."""
    for call in Http2(c).calls():
        c.server.took(call.spans)
        c.send(goaway(call.stream) + accepted(call.stream))
        c.pause(0.1)
        return


def rst(code):
    return each(lambda stream: frame(RST_STREAM, 0, stream, struct.pack(">I", code)))


def reset_in_call(c):
    for _ in Http2(c).calls():
        c.reset()


def never_answers_the_preface(c):
    c.hold()


def never_answers(c):
    for _ in Http2(c).calls():
        pass


def answers_a_byte_a_second(c):
    for call in Http2(c).calls():
        c.drip(accepted(call.stream))


def no_window(c):
    """The body may never be sent."""
    for _ in Http2(c, settings(s4=0), silent=True).calls():
        pass


def speaks_http_1(c):
    c.exactly(len(PREFACE))
    c.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    c.pause(0.1)


def flood(data):
    def behave(c):
        for _ in Http2(c).calls():
            c.flood(data)
    return behave


def endless_continuation(c):
    for call in Http2(c).calls():
        c.send(frame(HEADERS, 0, call.stream, fields((":status", "200"))))
        c.flood(frame(CONTINUATION, 0, call.stream, fields(("x-another", "x" * 1000)) * 16))


def a_gigabyte(c):
    for call in Http2(c).calls():
        c.send(head(call.stream) + frame(DATA, 0, call.stream, message(b"", length=1 << 30)))
        c.flood(frame(DATA, 0, call.stream, b"\0" * 16384), 65536)


def gzip_bomb(c):
    """Compressed, and it says so; and it is 256 MiB."""
    data = message(BOMB, flag=1)
    for call in Http2(c).calls():
        c.server.took(call.spans)
        c.send(headers(call.stream, (":status", "200"), ("content-type", "application/grpc"), ("grpc-encoding", "gzip")))
        for at in range(0, len(data), 16384):
            c.send(frame(DATA, 0, call.stream, data[at:at + 16384]))
        c.send(trailers(call.stream))


def trailers_without_end(c):
    """Trailers, and more trailers, and the block is never done."""
    for call in Http2(c).calls():
        c.send(head(call.stream) + frame(DATA, 0, call.stream, message(b"")))
        c.send(frame(HEADERS, END_STREAM, call.stream, fields(("grpc-status", "0"))))
        c.flood(frame(CONTINUATION, 0, call.stream, fields(("x-another", "x" * 1000)) * 16))


def interim_without_end(c):
    for call in Http2(c).calls():
        c.flood(headers(call.stream, (":status", "103"), ("link", "x" * 900)) * 16)


def hpack_bomb(stream):
    """A field of 4 KB goes into the dynamic table and is then named 16,000 times by a byte: 64 MB of header from 20 KB."""
    bomb = b"\x40" + _text("x-bomb") + _text("x" * 4000) + b"\xbe" * 12000
    return frame(HEADERS, END_HEADERS, stream, fields((":status", "200")) + bomb)


def data_first(stream):
    return frame(DATA, 0, stream, message(b"")) + trailers(stream)


def push(stream):
    """A promise that nobody has allowed."""
    return frame(PUSH_PROMISE, END_HEADERS, stream, struct.pack(">I", 2) + fields((":method", "GET"), (":path", "/"))) + \
        accepted(stream)


def done_and_reset(stream):
    """The answer is whole, and then the stream is reset without an error, as servers do (RFC 9113, section 8.1)."""
    return accepted(stream) + frame(RST_STREAM, 0, stream, struct.pack(">I", 0))
