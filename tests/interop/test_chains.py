#!/usr/bin/env python3
"""A Whence service calls, and is called by, services with OpenTelemetry for Python, Go and JavaScript: README.md, here. Of each
chain of calls one whole trace must result in a real Jaeger, and all that travels must arrive as it was sent.

Usage: test_chains.py PROGRAM [unittest's arguments]      PROGRAM: c/service.c
"""

import itertools
import json
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest
import urllib.parse
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", folder) for folder in ("jaeger", "e2e", "support")]

import packages  # noqa: E402
from query import Jaeger, flatten  # noqa: E402
from shop import start_jaeger, stop_jaeger  # noqa: E402

PROGRAM = None
JAEGER_SH = os.path.join(HERE, "..", "jaeger", "jaeger.sh")
LEAST_GO, LEAST_NODE = 26, (18, 19)  # as go.mod and package.json say
COMMANDS = {}  # of the services that can be had: name to (command, environment)
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
TRACESTATE = "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7"

# Name, value, metadata; then who does not hand on such a member, or not unharmed, and why.
BAGGAGE = [
    ("plain", "value", "", ()),
    ("equals", "a=b==", "", ()),
    ("separators", "a,b;c", "", ()),
    ("percent", "100%25", "", ()),
    ("quoted", "\"'\\", "", ()),
    ("controls", "a\r\nb\tc", "", ()),
    ("utf-8", "gr\u00fcn,\u65e5\u672c,\U0001f680", "", ()),
    ("Case", "upper", "", ()),
    ("case", "lower", "", ()),
    ("a-z_A.Z", "token", "", ()),
    ("to!ken#n$a&m'e*s.^_`|~", "token", "", ("python", "js")),  # these encode the name as well
    ("long", "x" * 3000, "", ()),
    ("space", "a b", "", ("python",)),      # Python writes a space as +, which only forms read so
    ("plus", "a+b", "", ("python",)),       # and reads + as a space
    ("empty", "", "", ("js",)),             # JavaScript leaves out what has no value
    ("noted", "v", "sealed", ("python",)),  # Python does not know metadata
]
# As header names and URL-encoded values: no upper case, no odd names, nothing that is empty, no metadata.
IN_HEADERS = ("plain", "equals", "separators", "percent", "quoted", "utf-8", "case", "long")


def tracecontext(trace, span, sampled):
    return {"traceparent": f"00-{trace}-{span}-0{int(sampled)}", "tracestate": TRACESTATE}


def b3(trace, span, sampled):
    return {"b3": f"{trace}-{span}-{int(sampled)}"}


def b3multi(trace, span, sampled):
    return {"X-B3-TraceId": trace, "X-B3-SpanId": span, "X-B3-Sampled": str(int(sampled))}


def short_b3(trace, span, sampled):
    return b3(trace[16:], span, sampled)  # of 64 bits, as those of older clients are


def jaeger(trace, span, sampled):
    return {"uber-trace-id": f"{trace}:{span}:0:{int(sampled)}"}


class Service:
    """One of them, on a free port of the loopback interface."""

    def __init__(self, name, propagators, endpoint):
        command, more = COMMANDS[name]
        env = {key: value for key, value in os.environ.items() if not key.startswith("OTEL_") and key.lower() != "http_proxy"}
        env.update(more, OTEL_SERVICE_NAME=name, OTEL_PROPAGATORS=propagators, OTEL_EXPORTER_OTLP_ENDPOINT=endpoint,
                   OTEL_EXPORTER_OTLP_PROTOCOL="http/protobuf", PYTHONDONTWRITEBYTECODE="1")
        self.name, self.log = name, tempfile.TemporaryFile()
        self.process = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.log)

    def await_port(self):
        ready, _, _ = select.select([self.process.stdout], [], [], 60)
        line = self.process.stdout.readline().decode() if ready else ""
        if not line.startswith("listening on "):
            self.process.kill()
            self.stop()
            raise AssertionError(f"{self.name} does not listen: {line!r} {self.logged()}")
        self.url = f"http://127.0.0.1:{line.split()[-1]}/hop"

    def logged(self):
        self.log.seek(0)
        return self.log.read().decode("utf-8", "replace")

    def stop(self):
        """All that it has recorded is exported when this returns."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()
        finally:
            self.process.stdout.close()


class Chain:
    """A chain of calls, and what came of it."""

    def __init__(self, names, headers, sampled, baggage):
        self.names, self.headers, self.sampled, self.baggage = names, headers, sampled, baggage
        self.trace = self.span = None

    def call(self, services):
        urls = [services[name].url for name in self.names]
        body = json.dumps({"next": urls[1:], "baggage": [member[:3] for member in self.baggage]}).encode()
        headers = {"Content-Type": "application/json"}
        if self.headers:
            self.trace, self.span = os.urandom(16).hex(), os.urandom(8).hex()
            if self.headers is short_b3:
                self.trace = "0" * 16 + self.trace[16:]
            headers.update(self.headers(self.trace, self.span, self.sampled))
        with OPENER.open(urllib.request.Request(urls[0], data=body, headers=headers), timeout=120) as response:
            self.seen = json.load(response)

    def __str__(self):
        start = f"from {self.headers.__name__} headers" if self.headers else "from nothing"
        return f"{' > '.join(self.names)} {start}, {'' if self.sampled else 'not '}sampled"


# ---- looking: what is wrong, as lines ----

def wrongly_seen(chain):
    first, names = chain.seen[0], [seen["service"] for seen in chain.seen]
    if names != chain.names:
        yield f"came by {names}"
    want = {"trace_id": chain.trace or first["trace_id"], "sampled": chain.sampled,
            "tracestate": TRACESTATE if chain.headers is tracecontext else ""}
    for i, seen in enumerate(chain.seen):
        where = f"at hop {i}, {seen['service']}"
        for what, value in want.items():
            if seen[what] != value:
                yield f"{where}: {what} {seen[what]!r}, not {value!r}"
        yield from (f"{where}: baggage {line}" for line in wrong_baggage(chain, i, seen["baggage"]))


def wrong_baggage(chain, hop, got):
    if hop == 0:
        return
    for name, value, metadata, losers in chain.baggage:
        if not set(losers) & set(chain.names[:hop + 1]) and got.get(name) != [value, metadata]:
            yield f"{name!r}: {str(got.get(name)):.100}, not {str([value, metadata]):.100}"
    known = {member[0].lower() for member in chain.baggage}  # as Jaeger's propagator sends them
    for name in got:
        if urllib.parse.unquote(urllib.parse.unquote(name)).lower() not in known:  # who encodes names encodes an encoded one again
            yield f"{name!r} was never set"


def wrongly_stored(chain, trace):
    """Each service's span below the call of the one before, that below its span, and nothing else."""
    if not chain.sampled:
        if trace:
            yield f"{len(trace)} spans are stored"
        return
    by_id = {span["span_id"]: span for span in trace}
    if not len(by_id) == len(trace) == 2 * len(chain.names) - 1:
        yield f"{len(trace)} spans of {len(by_id)} ids"
    orphans = [span["service"] for span in trace if span["parent_span_id"] not in by_id]
    if orphans != chain.names[:1]:
        yield f"without a parent: {orphans}"
    above = chain.span or ""
    for i, seen in enumerate(chain.seen):
        yield from wrong_span(by_id.get(seen["span_id"]), chain.names[i], "SERVER", above, seen["tracestate"])
        calls = [span for span in trace if span["parent_span_id"] == seen["span_id"]]
        if len(calls) != (i + 1 < len(chain.names)):
            yield f"hop {i} has made {len(calls)} calls"
        for call in calls:
            yield from wrong_span(call, chain.names[i], "CLIENT", seen["span_id"], seen["tracestate"])
            above = call["span_id"]


def wrong_span(span, service, kind, parent, tracestate):
    if span is None:
        yield f"the {kind} span of {service} is not stored"
        return
    remote = 0x200 if parent and kind == "SERVER" else 0
    sampled = 0 if service == "python" else 1  # Python's exporter leaves out the flags of W3C
    want = {"service": service, "kind": kind, "parent_span_id": parent, "trace_state": tracestate, "flags": 0x100 | remote | sampled}
    got = {**span, "flags": span["flags"] & (0x300 | sampled)}
    for what, value in want.items():
        if got[what] != value:
            yield f"{kind} span of {service}: {what} {got[what]!r}, not {value!r}"


class Chains(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.process = start_jaeger(JAEGER_SH)
        cls.addClassCleanup(shutil.rmtree, cls.process["DIR"], ignore_errors=True)
        cls.addClassCleanup(stop_jaeger, JAEGER_SH, cls.process)
        cls.jaeger = Jaeger(cls.process["QUERY"])

    # ---- playing ----

    def chains(self, headers, others, baggage):
        """Whence before and behind each of the others, these in every order; from nothing, and continuing what came, sampled or not."""
        for order in itertools.permutations(others):
            for names in ([*itertools.chain(*(("whence", name) for name in order)), "whence"],
                          list(itertools.chain(*((name, "whence") for name in order)))):
                yield Chain(names, None, True, baggage)
                yield Chain(names, headers, True, baggage)
                yield Chain(names, headers, False, baggage)

    def play(self, propagators, headers, without=(), members=None):
        others = [name for name in COMMANDS if name != "whence" and name not in without]
        baggage = [member for member in BAGGAGE if members is None or member[0] in members]
        chains = list(self.chains(headers, others, baggage))
        services = {name: Service(name, propagators, self.process["OTLP_HTTP"]) for name in ["whence", *others]}
        try:
            for service in services.values():
                service.await_port()
            for chain in chains:
                chain.call(services)
        except Exception as error:
            raise AssertionError("\n".join([str(error), *(s.name + ": " + s.logged() for s in services.values())])) from error
        finally:
            statuses = {name: service.stop() for name, service in services.items()}
            for service in services.values():
                service.log.close()
        self.assertEqual(set(statuses.values()), {0}, statuses)
        wrong, spans = [], 0
        for chain in chains:
            stored = flatten(self.jaeger.trace_v3(chain.seen[0]["trace_id"]))
            spans += len(stored)
            wrong += [f"{chain}: {line}" for line in itertools.chain(wrongly_seen(chain), wrongly_stored(chain, stored))]
        print(f"\n{len(chains)} chains of up to {max(len(chain.names) for chain in chains)} services, {spans} spans", end=" ")
        if wrong:
            self.fail("\n".join([f"{len(wrong)} things are wrong:", *wrong[:20]]))

    # ---- by propagator ----

    def test_w3c_trace_context_and_baggage(self):
        self.play("tracecontext,baggage", tracecontext)

    def test_b3_in_one_header(self):
        self.play("b3,baggage", b3)

    def test_b3_with_a_short_trace_id(self):
        self.play("b3,baggage", short_b3)

    def test_b3_in_several_headers(self):
        self.play("b3multi,baggage", b3multi)

    def test_jaeger(self):
        self.play("jaeger,baggage", jaeger)

    def test_jaeger_with_baggage_in_headers_of_its_own(self):
        self.play("jaeger", jaeger, without=("go",), members=IN_HEADERS)  # Go's does not know baggage

    def test_several_at_once(self):
        self.play("b3multi,jaeger,tracecontext,baggage", tracecontext)


class Pinned(unittest.TestCase):
    """That the same is compared everywhere, and that no host is named where a registry's client knows one."""

    def read(self, *path):
        with open(os.path.join(HERE, *path), encoding="utf-8") as file:
            return file.read()

    def test_every_package_of_python_has_its_version(self):
        for line in self.read("python", "requirements.txt").splitlines():
            self.assertRegex(line, r"^[a-z0-9-]+==[0-9a-z.]+$")

    def test_every_module_of_go_has_its_sum(self):
        sums = self.read("go", "go.sum")
        for module, version in re.findall(r"^\t(\S+) (v\S+)", self.read("go", "go.mod"), re.MULTILINE):
            self.assertIn(f"{module} {version}/go.mod h1:", sums)

    def test_every_package_of_javascript_has_its_hash(self):
        locked = json.loads(self.read("js", "package-lock.json"))["packages"]
        for name, package in locked.items():
            self.assertNotIn("resolved", package)
            self.assertTrue(not name or package["integrity"].startswith("sha512-"), name)


def find_services():
    """Fills COMMANDS; says what is left out, and why."""
    COMMANDS["whence"] = ([PROGRAM], {})
    makers = {
        "python": lambda: ([sys.executable, os.path.join(HERE, "python", "service.py")],
                           {"PYTHONPATH": packages.python(os.path.join(HERE, "python", "requirements.txt"))}),
        "go": lambda: ([packages.go_program(os.path.join(HERE, "go"), LEAST_GO)], {}),
        "js": lambda: javascript(*packages.node_project(os.path.join(HERE, "js"), LEAST_NODE)),
    }
    for name, make in makers.items():
        try:
            COMMANDS[name] = make()
        except packages.Unavailable as error:
            print(f"left out: chains with OpenTelemetry for {name}: {error}", flush=True)
    return len(COMMANDS) > 1


def javascript(node, folder):
    """A module finds others in folders above its own: so it is put where they are."""
    path = os.path.join(folder, f"service-{os.getpid()}.mjs")
    shutil.copy(os.path.join(HERE, "js", "service.mjs"), path)
    unittest.addModuleCleanup(os.remove, path)
    return [*node, path], {}


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    if not find_services():
        del Chains
    unittest.main(verbosity=2)
