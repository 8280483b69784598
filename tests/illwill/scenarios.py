"""The kinds of ill will: what the server does, what the driver is asked for, and what must come of it."""

import dataclasses

import http1
import http2
import otlp


# For those that end well: time enough for a machine that has much else to do.
PATIENT = {"timeout": 20000, "export_timeout": 60000, "flush": 60000, "shutdown": 60000}
# For those that never answer: only the limits of flush and shutdown can end it in time.
NEVER = {"timeout": 60000, "export_timeout": 60000}
LARGE = {"bytes": 16384, "spans": 450, "pace": 0}


@dataclasses.dataclass
class Scenario:
    name: str
    behave: object
    exported: object = None    # "all", "none", a function of the server, or None: whatever adds up
    accepted: str = "=="       # the server's count against that of the exporter; ">=": an acknowledgement may be lost
    settings: dict = dataclasses.field(default_factory=dict)
    tls: bool = False
    most_requests: int = None  # beyond that it is the exporter who floods
    spans: int = 600

    def __post_init__(self):
        self.settings = dict(self.settings)
        self.spans = self.settings.setdefault("spans", self.spans)


ALL = []


def http(name, behave, exported=None, accepted="==", **more):
    ALL.append(Scenario(f"http_{name}", behave, exported, accepted, **more))


def json(name, behave, exported=None, accepted="==", settings=None, **more):
    ALL.append(Scenario(f"json_{name}", behave, exported, accepted, dict(settings or {}, protocol="http/json"), **more))


def grpc(name, behave, exported=None, accepted="==", settings=None, **more):
    ALL.append(Scenario(f"grpc_{name}", behave, exported, accepted, dict(settings or {}, protocol="grpc"), **more))


# ---- for comparison ----

http("well", http1.well, "all", settings=PATIENT)
http("well_gzip", http1.well, "all", settings=dict(PATIENT, gzip=1))
http("well_large", http1.well, "all", settings=dict(PATIENT, **LARGE))

# ---- connections that end ----

http("reset_at_accept", http1.reset_at_accept, "none")
http("close_at_accept", http1.close_at_accept, "none")
http("reset_after_headers", http1.reset_after_headers, "none")
http("reset_in_body", http1.reset_in_body, "none", settings=LARGE)
http("reset_instead_of_answer", http1.reset_instead_of_answer, "none")
http("reset_in_answer_head", http1.reset_in_answer_head, "none")
http("reset_in_answer_body", http1.reset_in_answer_body, accepted=">=")
http("reset_every_second_request", http1.reset_every_second_request, settings=PATIENT)
http("http_1_0_and_close", http1.http_1_0, "all", settings=PATIENT)
http("http_0_9", http1.http_0_9, "none")

# ---- half open, and slow ----

http("never_reads", http1.never_reads, "none", settings=dict(NEVER, **LARGE))
http("never_answers", http1.never_answers, "none", settings=NEVER)
http("never_answers_queue_full", http1.never_answers, "none", settings=dict(NEVER, queue=64, spans=3000))
http("never_answers_and_times_out", http1.never_answers, "none", settings={"timeout": 300, "export_timeout": 1500})
http("tls_handshake_never_ends", http1.never_reads, "none", tls=True, settings=NEVER)
http("tls_handshake_of_rubbish", lambda c: c.flood(b"\x16\x03\x03\x40\x00" + b"x" * 16384), "none", tls=True)
http("reads_a_byte_a_second", http1.reads_a_byte_a_second, "none", settings=dict(NEVER, **LARGE))
http("answers_a_byte_a_second", http1.answers_a_byte_a_second, "none", settings=NEVER)
http("body_a_byte_a_second", http1.body_a_byte_a_second, "none", settings=NEVER)

# ---- too much ----

http("body_of_1_gib", http1.a_gigabyte, "none", settings=NEVER)
http("refusal_of_1_gib", http1.a_gigabyte_of_refusal, "none", settings=NEVER)
http("gzip_bomb", http1.gzip_bomb, accepted=">=")
http("bomb_of_fields", http1.bomb_of_fields, settings=PATIENT)
http("header_of_1_mib", http1.header_of_a_megabyte, "none")
http("endless_headers", http1.endless_headers, "none", settings=NEVER)
http("endless_100_continue", http1.endless_continue, "none", settings=NEVER)
http("endless_103_early_hints", http1.endless_early_hints, "none", settings=NEVER)
http("continue_then_nothing", http1.continue_then_nothing, "none", settings=dict(NEVER, **LARGE))
http("expectation_failed", http1.expectation_failed, "none", settings=LARGE)
http("answers_before_the_body", http1.answers_before_the_body, "none", settings=LARGE)

# ---- chunks ----

http("chunks_well", http1.chunks(b"4\r\n" + otlp.field(1, b"\x08\0") + b"\r\n0\r\n\r\n", took=True), "all", settings=PATIENT)
http("chunks_with_trailers", http1.chunks(b"0\r\nX-Trailer: a\r\nContent-Length: 7\r\n\r\n", took=True), "all",
     settings=PATIENT)
http("chunk_size_is_no_number", http1.chunks(b"zz\r\n\r\n"), "none")
http("chunk_size_is_negative", http1.chunks(b"-1\r\n\r\n"), "none")
http("chunk_size_overflows", http1.chunks(b"fffffffffffffffff\r\nx\r\n0\r\n\r\n"), "none")
http("chunk_without_line_end", http1.chunks(b"1\r\nxy0\r\n\r\n"), "none")
http("chunks_without_end", http1.chunks(b"1\r\nx\r\n", then_close=True), "none")
http("endless_chunks", http1.endless_chunks, "none", settings=NEVER)
http("endless_trailers", http1.endless_trailers, "none", settings=NEVER)

# ---- successes that are none, or strange ones ----

http("wrong_content_type", http1.saying(b"<html>welcome</html>", content_type="Content-Type: text/html"), "all",
     settings=PATIENT)
http("no_content_type", http1.saying(b"", content_type=""), "all", settings=PATIENT)
http("garbage_with_200", http1.saying(b"\xff" * 1000), "all", settings=PATIENT)
http("partial_success_of_each_1", http1.saying(otlp.partial_success(1, "one of them"), 1),
     lambda server: 600 - server.requests, settings=PATIENT)
http("partial_success_negative", http1.saying(otlp.partial_success(-5, "minus five"), -5), "all", settings=PATIENT)
http("partial_success_larger_than_the_batch", http1.saying(otlp.partial_success(1 << 62, "more"), 1 << 62), "none")
http("partial_success_message_of_3_mib", http1.saying(otlp.partial_success(0, "\x1b[2J" * (3 << 18))), "all",
     settings=PATIENT)
http("partial_success_twice", http1.saying(otlp.partial_success(7, "a") + otlp.partial_success(0, "b")),
     settings=PATIENT)

# ---- refusals ----

http("status_400_with_rude_words", http1.always("400 Bad Request", otlp.status(3, "\x1b]0;owned\x07\r\nno")), "none")
http("status_999", http1.always("999 What"), "none")
http("status_000", http1.always("000 What"), "none")
http("status_204", http1.saying(b"", 0), "all", settings=PATIENT)
http("status_429_for_ever", http1.always("429 Too Many Requests"), "none", most_requests=60)
http("status_503_for_ever_asking_for_0_s", http1.always("503 Service Unavailable", b"", "Retry-After: 0"), "none",
     most_requests=100)
http("status_503_then_well", http1.first(1, "503 Service Unavailable"), "all", settings=PATIENT)
for what, value in (("negative", "-7"), ("garbage", "soon, I hope"), ("a_past_date", http1.date(-86400)), ("1_second", "1"),
                    ("a_date_in_1_second", http1.date(1)), ("a_fraction", "0.5"), ("huge", "9" * 60), ("empty", "")):
    http(f"retry_after_{what}", http1.first(1, "503 Service Unavailable", f"Retry-After: {value}"), "all", settings=PATIENT)
http("retry_after_a_century", http1.always("503 Service Unavailable", b"", "Retry-After: 3153600000"), "none", most_requests=60)
http("retry_after_an_hour", http1.always("503 Service Unavailable", b"", "Retry-After: 3600"), "none", most_requests=60)
http("retry_after_a_date_in_a_century", http1.always("503 Service Unavailable", b"",
                                                     "Retry-After: Fri, 31 Dec 2126 23:59:59 GMT"), "none", most_requests=60)
for status in ("301 Moved Permanently", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent Redirect"):
    http(f"redirect_{status[:3]}_to_itself", http1.redirect(status), "none", most_requests=60)
http("redirect_to_another_host", http1.elsewhere, "none", most_requests=60)
http("too_large_above_10_spans", http1.too_large_above(10), settings=PATIENT)
http("too_large_whatever", http1.too_large_above(0), "none")
