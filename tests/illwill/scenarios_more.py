"""The kinds of ill will of those who speak gRPC or JSON: see scenarios.py."""

import gzip

import http1
import http2
import otlp
from scenarios import LARGE, NEVER, PATIENT, grpc, json

# ---- OTLP/HTTP in JSON ----

TYPE = {"content_type": "Content-Type: application/json"}

json("well", http1.saying(b"{}", **TYPE), "all", settings=PATIENT)
json("well_gzip", http1.saying(b'{"partialSuccess":{}}', **TYPE), "all", settings=dict(PATIENT, gzip=1))
json("garbage_with_200", http1.saying(b'{"partialSuccess":{"rejectedSpans":"many"', **TYPE), "all", settings=PATIENT)
json("answer_in_protobuf", http1.saying(otlp.partial_success(1, "one of them"), 1), lambda server: 600 - server.requests,
     settings=PATIENT)
json("nested_a_million_deep", http1.saying(b'{"a":' + b"[" * 1000000, **TYPE), "all", settings=PATIENT)
json("object_of_4_mib", http1.saying(b"{" + b'"a":1,' * 690000 + b'"b":2}', **TYPE), "all", settings=PATIENT)
json("partial_success_of_each_1", http1.saying(b'{"partialSuccess":{"rejectedSpans":"1","errorMessage":"x"}}', 1, **TYPE),
     lambda server: 600 - server.requests, settings=PATIENT)
for what, number in (("negative", '"-5"'), ("a_fraction", "0.5"), ("text", '"some"'), ("null", "null"), ("a_list", "[1]")):
    json(f"partial_success_that_is_{what}", http1.saying(b'{"partialSuccess":{"rejectedSpans":%s}}' % number.encode(), **TYPE),
         accepted=">=", settings=PATIENT)
json("partial_success_larger_than_the_batch", http1.saying(b'{"partialSuccess":{"rejectedSpans":"4611686018427387904"}}',
                                                           1 << 62, **TYPE), "none")
json("partial_success_rude", http1.saying(b'{"partialSuccess":{"errorMessage":"\\u001b]0;owned\\u0007\\r\\n"}}', **TYPE), "all",
     settings=PATIENT)
json("status_400_with_rude_words", http1.always("400 Bad Request", b'{"code":3,"message":"\\u001b[2J\\n"}', **TYPE), "none")
json("status_503_then_well", http1.first(1, "503 Service Unavailable"), "all", settings=PATIENT)
json("too_large_above_10_spans", http1.too_large_above(10), "all", settings=PATIENT)
json("never_answers", http1.never_answers, "none", settings=NEVER)

# ---- gRPC: for comparison ----

grpc("well", http2.well, "all", settings=PATIENT)
grpc("well_gzip", http2.well, "all", settings=dict(PATIENT, gzip=1))
grpc("well_large", http2.well, "all", settings=dict(PATIENT, **LARGE))

# ---- connections and streams that end ----

grpc("reset_at_accept", http1.reset_at_accept, "none")
grpc("reset_in_call", http2.reset_in_call, "none")
grpc("goaway_at_once", http2.goaway_at_once, "none")
grpc("goaway_in_mid_stream", http2.goaway_in_mid_stream, "none")
# libcurl 7.88 does not hand on the trailers of the last stream: what was accepted counts as lost then.
grpc("goaway_with_each_answer", http2.goaway_with_the_answer, None, ">=", settings=PATIENT)
for code, what in enumerate(("no_error", "protocol_error", "internal_error", "flow_control_error", "settings_timeout",
                             "stream_closed", "frame_size_error", "refused_stream", "cancel", "compression_error",
                             "connect_error", "enhance_your_calm", "inadequate_security", "http_1_1_required")):
    grpc(f"rst_stream_{what}", http2.rst(code), "none")
grpc("rst_stream_of_no_known_code", http2.rst(0xfedcba98), "none")
grpc("rst_stream_after_the_answer", http2.each(http2.done_and_reset, took=True), "all", settings=PATIENT)

# ---- half open, and slow ----

grpc("never_reads", http1.never_reads, "none", settings=dict(NEVER, **LARGE))
grpc("never_answers_the_preface", http2.never_answers_the_preface, "none", settings=NEVER)
grpc("never_answers", http2.never_answers, "none", settings=NEVER)
grpc("answers_a_byte_a_second", http2.answers_a_byte_a_second, "none", settings=NEVER)
grpc("never_opens_the_window", http2.no_window, "none", settings=NEVER)
grpc("no_streams_allowed", http2.each(http2.accepted, took=True, first=http2.settings(s3=0)), None, ">=", settings=NEVER)
grpc("tls_handshake_never_ends", http1.never_reads, "none", tls=True, settings=NEVER)

# ---- too much ----

grpc("message_of_1_gib", http2.a_gigabyte, "none", settings=NEVER)
grpc("flood_of_settings", http2.flood(http2.settings(s3=100) * 1000), "none", settings=NEVER)
grpc("flood_of_pings", http2.flood(http2.frame(http2.PING, 0, 0, b"12345678") * 1000), "none", settings=NEVER)
grpc("flood_of_unknown_frames", http2.flood(http2.frame(0x42, 0, 0, b"x" * 1000) * 16), "none", settings=NEVER)
grpc("flood_of_empty_data", http2.endless_empty_data, "none", settings=NEVER)
grpc("flood_of_empty_data_that_times_out", http2.endless_empty_data, "none",
     settings={"timeout": 500, "export_timeout": 1000, "flush": 60000, "shutdown": 60000})
grpc("flood_of_continuations", http2.endless_continuation, "none", settings=NEVER)
grpc("flood_of_trailers", http2.trailers_without_end, "none", settings=NEVER)
grpc("flood_of_103_early_hints", http2.interim_without_end, "none", settings=NEVER)
grpc("header_that_unfolds_to_48_mb", http2.each(http2.hpack_bomb), "none", settings=NEVER)
grpc("gzip_bomb", http2.gzip_bomb, None, ">=", settings=PATIENT)

# ---- frames that are none ----

grpc("speaks_http_1", http2.speaks_http_1, "none")
grpc("frame_of_1_mib", http2.each(lambda stream: http2.frame(http2.DATA, 0, stream, b"x" * (1 << 20))), "none")
grpc("data_before_headers", http2.each(http2.data_first), "none")
grpc("headers_of_rubbish", http2.each(lambda stream: http2.frame(http2.HEADERS, 4, stream, b"\xff" * 50)), "none")
grpc("answer_on_another_stream", http2.each(lambda stream: http2.accepted(stream + 100)), "none")
grpc("window_that_overflows", http2.each(lambda stream: http2.frame(http2.WINDOW_UPDATE, 0, 0, b"\x7f\xff\xff\xff") * 2), "none")
grpc("settings_out_of_range", http2.each(http2.accepted, took=True, first=http2.settings(s5=1)), "none", ">=")
grpc("settings_at_the_edge", http2.each(http2.accepted, took=True, first=http2.settings(
    s1=0xffffffff, s4=0x7fffffff, s5=0xffffff, s6=0xffffffff, s99=1)), "all", settings=PATIENT)
grpc("push_promise", http2.each(http2.push), "none")

# ---- messages that are none ----

grpc("no_trailers", http2.each(lambda stream: http2.head(stream) + http2.frame(
    http2.DATA, http2.END_STREAM, stream, http2.message(b""))), "none")
grpc("no_message", http2.each(lambda stream: http2.trailers_only(stream, 0), took=True), None, ">=", settings=PATIENT)
for what, data in (("longer_than_it_says", http2.message(b"\x0a\0", length=1)),
                   ("of_4_gib_it_says", http2.message(b"", length=0xffffffff)),
                   ("shorter_than_it_says", http2.message(b"\x0a\0", length=9)), ("of_half_a_head", b"\0\0"),
                   ("with_a_strange_flag", http2.message(b"", flag=7)), ("twice", http2.message(b"") * 2),
                   ("of_garbage", http2.message(b"\xff" * 1000)),
                   ("compressed_and_not_said_how", http2.message(gzip.compress(b""), flag=1))):
    grpc(f"message_{what}", http2.each(lambda stream, data=data: http2.head(stream) + http2.frame(http2.DATA, 0, stream, data) +
                                       http2.trailers(stream), took=True), None, ">=", settings=PATIENT)
grpc("answer_is_html", http2.each(lambda stream: http2.head(stream, "text/html") + http2.frame(
    http2.DATA, http2.END_STREAM, stream, b"<html>welcome</html>")), "none")

# ---- statuses ----

for what, text in (("banana", "banana"), ("minus_1", "-1"), ("huge", "9" * 50), ("empty", ""), ("17", "17"), ("a_float", "0.0")):
    grpc(f"status_{what}", http2.each(lambda stream, text=text: http2.trailers_only(stream, text)), "none")
grpc("status_with_rude_words", http2.each(lambda stream: http2.trailers_only(stream, 3, "%1b]0;owned%07%0d%0a%zz%")), "none")
grpc("status_with_a_message_of_15_kb", http2.each(lambda stream: http2.trailers_only(stream, 3, "%25" * 5000)), "none")
grpc("status_details_of_rubbish", http2.each(lambda stream: http2.trailers_only(
    stream, 8, "no", ("grpc-status-details-bin", "!" * 1000))), "none")
grpc("unavailable_for_ever", http2.each(lambda stream: http2.trailers_only(stream, 14)), "none", most_requests=60)
for code in (1, 4, 10, 11, 14, 15):
    grpc(f"status_{code}_then_well", http2.first(1, lambda stream, code=code: http2.trailers_only(stream, code)), "all",
         settings=PATIENT)
for status in (429, 502, 503, 504):
    grpc(f"http_{status}_then_well", http2.first(1, lambda stream, status=status: http2.headers(
        stream, (":status", str(status)), ("content-type", "text/html"), end=True)), "all", settings=PATIENT)
for what, delay in (("of_0_s", (0, 0)), ("of_1_s", (1, 0)), ("negative", (-5, 0)), ("of_two_minds", (1, -999999999)),
                    ("of_a_century", (3153600000, 0))):
    grpc(f"retry_info_{what}_then_well", http2.first(1, lambda stream, delay=delay: http2.trailers_only(
        stream, 8, "wait", http2.details(8, "wait", delay))), "all", settings=PATIENT)
grpc("retry_info_of_0_s_for_ever", http2.each(lambda stream: http2.trailers_only(
    stream, 8, "wait", http2.details(8, "wait", (0, 0)))), "none", most_requests=100)
grpc("too_large_above_10_spans", http2.too_large_above(10), "all", settings=PATIENT)
grpc("too_large_whatever", http2.too_large_above(0), "none", most_requests=300)
grpc("partial_success_of_each_1", http2.saying(otlp.partial_success(1, "one of them"), 1),
     lambda server: 600 - server.requests, settings=PATIENT)
grpc("partial_success_negative", http2.saying(otlp.partial_success(-5, "minus five")), "all", settings=PATIENT)
grpc("partial_success_larger_than_the_batch", http2.saying(otlp.partial_success(1 << 62, "more"), 1 << 62), "none")
