"""wh_main() as the environment configures it: real processes, what they print, what they export, how long they take.

Usage: test_environment.py PROGRAM [unittest's arguments]
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

PROGRAM = None


def closed_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def run(*arguments, **env):
    """(stdout, list of lines on stderr, exit status, seconds)"""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "WHENCE_"))}
    clean.update(env)
    begun = time.monotonic()
    done = subprocess.run([PROGRAM, *arguments], env=clean, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=60)
    return done.stdout.decode(), done.stderr.decode().splitlines(), done.returncode, time.monotonic() - begun


def exported(stdout):
    """Resource attributes and spans of what "otlp/stdout" has printed."""
    resources, spans = [], []
    for line in stdout.splitlines():
        if not line.startswith("{"):
            continue
        for resource_spans in json.loads(line)["resourceSpans"]:
            resources.append({a["key"]: a["value"].get("stringValue") for a in resource_spans["resource"]["attributes"]})
            for scope_spans in resource_spans["scopeSpans"]:
                spans += scope_spans["spans"]
    return resources, spans


class Environment(unittest.TestCase):
    def stdout_exporter(self, *arguments, **env):
        stdout, stderr, status, _ = run(*arguments, OTEL_TRACES_EXPORTER="otlp/stdout", **env)
        self.assertEqual(status, 0, stderr)
        resources, spans = exported(stdout)
        return resources, spans, stderr

    def assertWarns(self, stderr, *words):
        self.assertEqual(len(stderr), 1, stderr)
        self.assertTrue(stderr[0].startswith("whence: "))
        for word in words:
            self.assertIn(word, stderr[0])

    # ---- where to ----

    def test_no_collector_is_one_line_and_no_wait(self):
        port = closed_port()
        stdout, stderr, status, seconds = run(OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{port}")
        self.assertEqual((stdout, status), ("ran\n", 0))
        self.assertWarns(stderr, f"http://127.0.0.1:{port}/v1/traces", "1 could not be exported", "refused")
        self.assertLess(seconds, 1.5)

    def test_a_collector_that_hangs_is_waited_for_no_longer_than_asked(self):
        with socket.socket() as listening:
            listening.bind(("127.0.0.1", 0))
            listening.listen()
            stdout, stderr, status, seconds = run(OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{listening.getsockname()[1]}")
        self.assertEqual((stdout, status), ("ran\n", 0))
        self.assertLess(seconds, 4)  # it asks for two seconds

    def test_an_endpoint_that_is_no_url(self):
        for endpoint in ("nonsense", "localhost:4318", "ftp://localhost/", "http://", "http://[::1", "http:///v1/traces"):
            stdout, stderr, status, _ = run(OTEL_EXPORTER_OTLP_ENDPOINT=endpoint)
            self.assertEqual((stdout, status), ("ran\n", 0))
            self.assertWarns(stderr, endpoint, "not an http or https URL")

    def test_disabled_or_none_is_silent(self):
        for env in ({"OTEL_SDK_DISABLED": "true"}, {"OTEL_SDK_DISABLED": "TRUE"}, {"OTEL_TRACES_EXPORTER": "none"}):
            self.assertEqual(run(**env)[:3], ("ran\n", [], 0))

    def test_console(self):
        stdout, stderr, status, _ = run(OTEL_TRACES_EXPORTER="console")
        self.assertEqual((stdout, status), ("ran\n", 0))
        self.assertIn("work", "\n".join(stderr))

    def test_stdout_and_a_file_at_once(self):
        with tempfile.NamedTemporaryFile() as file:
            _, spans, stderr = self.stdout_exporter(WHENCE_TRACES_FILE=file.name)
            _, in_file = exported(file.read().decode())
        self.assertEqual(stderr, [])
        self.assertEqual([s["name"] for s in spans], ["work"])
        self.assertEqual(spans, in_file)
        self.assertEqual(spans[0]["kind"], 5)
        self.assertEqual(spans[0]["attributes"], [{"key": "answer", "value": {"intValue": "42"}}])

    def test_a_file_that_cannot_be_opened(self):
        _, spans, stderr = self.stdout_exporter(WHENCE_TRACES_FILE="/nowhere/at/all")
        self.assertWarns(stderr, "/nowhere/at/all", "No such file")
        self.assertEqual(len(spans), 1)

    def test_an_unknown_exporter(self):
        stdout, stderr, status, _ = run(OTEL_TRACES_EXPORTER="zipkin")
        self.assertEqual((stdout, status), ("ran\n", 0))
        self.assertWarns(stderr[:1], "OTEL_TRACES_EXPORTER=zipkin", "ignored")
        self.assertWarns(stderr[1:], "4318")  # the default holds, and there is no collector

    # ---- who ----

    def test_the_resource(self):
        (resource,), _, _ = self.stdout_exporter()
        self.assertEqual(resource["service.name"], "program")
        self.assertEqual(resource["service.version"], "2.1")
        self.assertEqual(resource["telemetry.sdk.name"], "whence")
        self.assertEqual(resource["telemetry.sdk.language"], "c")
        self.assertEqual(resource["host.name"], socket.gethostname())

    def test_the_service_is_named_from_outside(self):
        (resource,), _, _ = self.stdout_exporter(OTEL_SERVICE_NAME="other", OTEL_RESOURCE_ATTRIBUTES="service.name=third")
        self.assertEqual(resource["service.name"], "other")
        (resource,), _, _ = self.stdout_exporter(OTEL_SERVICE_NAME="", OTEL_RESOURCE_ATTRIBUTES="service.name=third")
        self.assertEqual(resource["service.name"], "program")  # what the program says is more than the variable for attributes

    def test_resource_attributes(self):
        (resource,), _, stderr = self.stdout_exporter(OTEL_RESOURCE_ATTRIBUTES="a=1, b = x%2Cy%3D%C3%A4 ,c=,,d=e=f")
        self.assertEqual(stderr, [])
        self.assertEqual({k: resource.get(k) for k in "abcd"}, {"a": "1", "b": "x,y=ä", "c": "", "d": "e=f"})

    def test_one_bad_resource_attribute_discards_all(self):
        for bad in ("a=1,b", "a=1,=2", "a=1,b=%2", "a=1,b=%zz", "a=1,b=%00"):
            (resource,), _, stderr = self.stdout_exporter(OTEL_RESOURCE_ATTRIBUTES=bad)
            self.assertWarns(stderr, "OTEL_RESOURCE_ATTRIBUTES", bad)
            self.assertNotIn("a", resource)

    def test_the_resource_is_detected(self):
        (resource,), _, _ = self.stdout_exporter()
        self.assertRegex(resource["service.instance.id"], "^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")
        self.assertEqual(resource["os.type"], "linux")
        self.assertEqual(resource["process.executable.path"], os.path.realpath(PROGRAM))
        self.assertNotIn("process.command_line", resource)
        (other,), _, _ = self.stdout_exporter()
        self.assertNotEqual(resource["service.instance.id"], other["service.instance.id"])

    def test_detectors_can_be_chosen(self):
        (resource,), _, stderr = self.stdout_exporter(WHENCE_RESOURCE_DETECTORS="none")
        self.assertEqual(stderr, [])
        self.assertEqual(set(resource), {"telemetry.sdk.name", "telemetry.sdk.language", "telemetry.sdk.version", "service.name",
                                         "service.version", "host.name"})
        (resource,), _, _ = self.stdout_exporter(WHENCE_RESOURCE_DETECTORS="command")
        self.assertEqual(resource["process.command_line"], PROGRAM)
        (resource,), _, stderr = self.stdout_exporter(WHENCE_RESOURCE_DETECTORS="host,cloud")
        self.assertWarns(stderr, "WHENCE_RESOURCE_DETECTORS=cloud")
        self.assertIn("os.type", resource)

    def test_the_children_of_a_fork_are_instances_of_their_own(self):
        stdout, stderr, status, _ = run("fork", OTEL_TRACES_EXPORTER="otlp/stdout", ASAN_OPTIONS="detect_leaks=0")
        self.assertEqual((status, stderr), (0, []))
        ids = {}
        for line in stdout.splitlines():
            for resource_spans in json.loads(line)["resourceSpans"]:
                attributes = {a["key"]: a["value"] for a in resource_spans["resource"]["attributes"]}
                for span in resource_spans["scopeSpans"][0]["spans"]:
                    ids[span["name"]] = (attributes["service.instance.id"]["stringValue"], attributes["process.pid"]["intValue"],
                                         attributes["process.parent_pid"]["intValue"])
        self.assertEqual(ids["before"], ids["after"])
        self.assertNotEqual(ids["before"][0], ids["in the child"][0])
        self.assertEqual(ids["in the child"][2], ids["before"][1])

    def test_the_process_context_is_shown_when_asked_for(self):
        for asked, shown in (("", False), ("false", False), ("true", True)):
            process = self.wait_and_signal(0, WHENCE_PROCESS_CONTEXT=asked)
            with open(f"/proc/{process.pid}/maps", encoding="utf-8") as maps:
                self.assertEqual(bool(re.search(r"(/memfd:|\[anon_shmem:|\[anon:)OTEL_CTX", maps.read())), shown, asked)
            process.send_signal(signal.SIGTERM)
            self.assertEqual(process.communicate(timeout=30)[1], b"")

    # ---- what it says ----

    def test_the_log_level(self):
        for level, lines in (("", 1), ("warn", 1), ("ERROR", 0), ("none", 0)):
            _, spans, stderr = self.stdout_exporter(OTEL_LOG_LEVEL=level, OTEL_BSP_MAX_QUEUE_SIZE="many")
            self.assertEqual((len(spans), len(stderr)), (1, lines), level)
        _, spans, stderr = self.stdout_exporter(OTEL_LOG_LEVEL="loud")
        self.assertWarns(stderr, "OTEL_LOG_LEVEL=loud")
        self.assertEqual(len(spans), 1)

    def test_a_configuration_file_is_said_to_be_no_support(self):
        _, spans, stderr = self.stdout_exporter(OTEL_CONFIG_FILE="/etc/otel.yaml")
        self.assertWarns(stderr, "OTEL_CONFIG_FILE=/etc/otel.yaml", "not supported")
        self.assertEqual(len(spans), 1)

    # ---- how much ----

    def test_a_file_of_traces_rotates(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "spans.jsonl")
            for _ in range(4):
                _, spans, stderr = self.stdout_exporter(WHENCE_TRACES_FILE=path, WHENCE_TRACES_FILE_MAX_BYTES="1000",
                                                        WHENCE_TRACES_FILE_MAX_FILES="3")
                self.assertEqual((len(spans), stderr), (1, []))
            self.assertEqual(sorted(os.listdir(folder)), ["spans.1.jsonl", "spans.2.jsonl", "spans.jsonl"])

    def test_limits_of_attributes(self):
        for general, specific, kept in (("", "", 1), ("1", "", 1), ("0", "", 0), ("5", "0", 0), ("0", "1", 1), ("-1", "", 1)):
            _, (span,), stderr = self.stdout_exporter(OTEL_ATTRIBUTE_COUNT_LIMIT=general, OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT=specific)
            self.assertEqual((len(span.get("attributes", [])), span.get("droppedAttributesCount", 0)), (kept, 1 - kept))
            self.assertEqual(len(stderr), int(general == "-1"))

    def test_samplers(self):
        for sampler, arg, kept in (("always_on", "", 1), ("always_off", "", 0), ("ALWAYS_OFF", "", 0), ("traceidratio", "0", 0),
                                   ("traceidratio", "1", 1), ("traceidratio", "", 1), ("parentbased_always_off", "", 0),
                                   ("parentbased_traceidratio", "0.0", 0), ("parentbased_always_on", "0", 1), ("", "0", 1)):
            _, spans, stderr = self.stdout_exporter(OTEL_TRACES_SAMPLER=sampler, OTEL_TRACES_SAMPLER_ARG=arg)
            self.assertEqual((len(spans), stderr), (kept, []), (sampler, arg))

    def test_bad_values_warn_and_count_as_unset(self):
        for name, value in (("OTEL_TRACES_SAMPLER", "sometimes"), ("OTEL_BSP_MAX_QUEUE_SIZE", "many"), ("OTEL_BSP_MAX_QUEUE_SIZE", "0"),
                            ("OTEL_BSP_MAX_QUEUE_SIZE", "-1"), ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "99999999999999999999"),
                            ("OTEL_BSP_SCHEDULE_DELAY", "1.5"), ("OTEL_BSP_EXPORT_TIMEOUT", "10s"), ("OTEL_SDK_DISABLED", "yes")):
            _, spans, stderr = self.stdout_exporter(**{name: value})
            self.assertWarns(stderr, f"{name}={value}")
            self.assertEqual(len(spans), 1)
        _, spans, stderr = self.stdout_exporter(OTEL_TRACES_SAMPLER="traceidratio", OTEL_TRACES_SAMPLER_ARG="1.1")
        self.assertWarns(stderr, "OTEL_TRACES_SAMPLER_ARG=1.1")
        self.assertEqual(len(spans), 1)

    # ---- who is alive ----

    def live(self, kind, **env):
        stdout, stderr, status, _ = run("live", kind, OTEL_TRACES_EXPORTER="otlp/stdout", OTEL_TRACES_SAMPLER="always_off",
                                        ASAN_OPTIONS="detect_leaks=0", **env)
        self.assertEqual(status, 5)
        return stdout, stderr

    def test_the_dump_in_json_is_json(self):
        stdout, stderr = self.live("json", WHENCE_TRACK="live")
        self.assertEqual(stderr, [])
        dump = json.loads(stdout)
        contexts = {c["id"]: c for c in dump["contexts"]}
        self.assertEqual([c["kind"] for c in dump["contexts"]],
                         ["signals", "root", "value", "detached", "span", "deadline", "cancel", "deadline"])
        signals, root, value, detached, span, inner, done, expired = dump["contexts"]
        for parent, child in ((signals, root), (root, value), (value, detached), (value, span), (span, inner), (inner, expired)):
            self.assertEqual(contexts[child["parent"]], parent)
            self.assertEqual(child["parent_address"], parent["address"])
        self.assertEqual({len(c) for c in dump["contexts"]}, {len(signals)})
        self.assertEqual((value["name"], value["value_size"], value["site"]), ('name "of" \\a\n\t\x1b\ufffd stranger', 4, None))
        self.assertEqual(detached["detached_from"], value["id"])
        self.assertEqual((span["name"], span["asked_ns"], span["children"]), ("span", 100 * 10**9, 1))
        self.assertLess(inner["left_ns"], 100 * 10**9)
        self.assertEqual(inner["asked_ns"], 1000 * 10**9)
        self.assertRegex(span["span"]["span_id"], "^[0-9a-f]{16}$")
        self.assertEqual((done["parent"], done["parent_address"], done["state"]), (None, None, "done"))
        self.assertEqual(done["cause"]["text"], '"\r\ufffd\u2028\\')
        self.assertEqual((done["cause"]["reason"], done["cause"]["error"], done["cause"]["origin"]), ("client_gone", "ECANCELED", done["id"]))
        self.assertEqual(done["cause"]["site"]["function"], "show")
        self.assertEqual((expired["cause"]["reason"], expired["left_ns"] <= 0), ("deadline_exceeded", True))
        self.assertEqual([(t["site"]["function"], t["calls"]) for t in dump["todo"]], [("show", 1)])

    def test_the_dump_for_graphviz(self):
        stdout, _ = self.live("dot", WHENCE_TRACK="live")
        for line in stdout.splitlines()[3:-1]:
            self.assertRegex(line, r'^  n\d+ (\[label="([^"\\]|\\.)*"(, color=\w+)?\]|-> n\d+( \[style=dashed\])?);$')
        if shutil.which("dot"):
            subprocess.run(["dot", "-Tsvg"], input=stdout.encode(), stdout=subprocess.DEVNULL, check=True)

    def test_leaks_are_said_at_exit(self):
        _, stderr = self.live("text", WHENCE_TRACK="leaks")
        self.assertRegex(stderr[0], r"^\d contexts are alive, by the place where they were made, the oldest first$")
        self.assertTrue(any(re.match(r"  1 made at program.c:\d+ show, .* old: 1 open$", line) for line in stderr), stderr)
        self.assertEqual(self.live("text", WHENCE_TRACK="live,latency")[1], [])
        self.assertEqual(self.live("text")[1], [])
        self.assertIn("nothing is tracked", self.live("text")[0])

    def test_a_signal_prints_who_is_alive(self):
        for name in ("USR1", "SIGUSR1", "usr1", str(int(signal.SIGUSR1))):
            process = self.wait_and_signal(signal.SIGUSR1, WHENCE_DUMP_SIGNAL=name, WHENCE_TRACK=" live ")
            lines = [process.stderr.readline().decode() for _ in range(3)]
            self.assertRegex(lines[0], r"^\d contexts are alive\n$")
            self.assertRegex(lines[1], r"^#1 signals program.c:\d+ main, ")
            self.assertRegex(lines[2], r"^  #2 root program.c:\d+ main, ")
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=30)
            self.assertEqual(process.returncode, 0)

    def test_words_that_are_not_known(self):
        self.assertWarns(self.live("text", WHENCE_TRACK="live,dead")[1], "WHENCE_TRACK=live,dead", "dead is not understood")
        for name in ("KILL", "9", "nonsense", "-1", "USR12"):
            self.assertWarns(self.live("text", WHENCE_DUMP_SIGNAL=name)[1], f"WHENCE_DUMP_SIGNAL={name}")

    # ---- the end ----

    def test_leaving_by_exit_flushes_too(self):
        stdout, stderr, status, _ = run("exit", OTEL_TRACES_EXPORTER="otlp/stdout")
        self.assertEqual((status, stderr), (3, []))
        self.assertEqual([s["name"] for s in exported(stdout)[1]], ["work"])

    def test_children_of_a_fork_export_their_own_spans_once(self):
        # LeakSanitizer speaks of threads that it looks for in the child and that only the parent has.
        _, spans, stderr = self.stdout_exporter("fork", ASAN_OPTIONS="detect_leaks=0")
        self.assertEqual(stderr, [])
        self.assertEqual(sorted(s["name"] for s in spans), ["after", "before", "in the child"])
        self.assertEqual(len({s["spanId"] for s in spans}), 3)

    def wait_and_signal(self, number, **env):
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "WHENCE_"))}
        clean.update(OTEL_TRACES_EXPORTER="otlp/stdout", **env)
        process = subprocess.Popen([PROGRAM, "wait"], env=clean, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertEqual(process.stdout.readline(), b"ready\n")
        time.sleep(0.05)
        process.send_signal(number)
        return process

    def test_a_signal_cancels_the_root(self):
        for number, name in ((signal.SIGTERM, "SIGTERM"), (signal.SIGINT, "SIGINT")):
            process = self.wait_and_signal(number)
            stdout, stderr = process.communicate(timeout=30)
            self.assertEqual((process.returncode, stderr), (0, b""))
            self.assertIn(f'canceled: shutdown "{name} from process {os.getpid()}"', stdout.decode())
            _, (span,) = exported(stdout.decode())
            attributes = {a["key"]: a["value"] for a in span["attributes"]}
            self.assertEqual(attributes["whence.cancel.reason"], {"stringValue": "shutdown"})

    def test_a_trace_that_nobody_sampled_is_kept_if_it_is_cancelled(self):
        for keep, kept in (("true", 1), ("false", 0)):
            process = self.wait_and_signal(signal.SIGTERM, OTEL_TRACES_SAMPLER="parentbased_always_off", WHENCE_KEEP=keep)
            stdout, stderr = process.communicate(timeout=30)
            self.assertEqual((process.returncode, stderr), (0, b""))
            _, spans = exported(stdout.decode())
            self.assertEqual(len(spans), kept)
            for span in spans:
                attributes = {a["key"]: a["value"] for a in span["attributes"]}
                self.assertEqual(attributes["whence.kept.because"], {"stringValue": "cancelled"})
                self.assertEqual(span["flags"] & 1, 0)

    def test_a_second_signal_ends_the_process(self):
        process = self.wait_and_signal(signal.SIGTERM, STUBBORN="1")
        self.assertIn(b"shutdown", process.stdout.readline())
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
        self.assertEqual(process.returncode, -signal.SIGTERM)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main(verbosity=2)
