"""The book of incidents: each played once by the shop's own program, and read back from a real Jaeger."""

import os
import re
import shutil
import subprocess
import tempfile

from query import Jaeger
from reading import Reading
from shop import start_jaeger, stop_jaeger

HERE = os.path.dirname(os.path.abspath(__file__))
JAEGER_SH = os.path.join(HERE, "..", "jaeger", "jaeger.sh")


class Book(Reading):
    """For a unittest.TestCase with NAMES, the incidents that it wants played, and `programs`, the folder of the shop's."""

    NAMES = ()
    programs = tool = None

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="whence-book-")
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.jaeger_process = start_jaeger(JAEGER_SH)
        cls.addClassCleanup(shutil.rmtree, cls.jaeger_process["DIR"], ignore_errors=True)
        cls.addClassCleanup(stop_jaeger, JAEGER_SH, cls.jaeger_process)
        cls.jaeger = Jaeger(cls.jaeger_process["QUERY"], cls.jaeger_process["OTLP_HTTP"])
        cls.said, cls.trace_ids = {}, {}
        for name in cls.NAMES:
            cls.play(name)

    @classmethod
    def play(cls, name):
        """All services are gone when it returns, so all their spans are in Jaeger."""
        env = {key: value for key, value in os.environ.items() if not key.startswith(("OTEL_", "WHENCE_"))}
        env["SHOP_JAEGER"] = cls.jaeger_process["OTLP_HTTP"]
        command = [os.path.join(cls.programs, "demo"), "--file", os.path.join(cls.folder, name + ".jsonl"), name]
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120)
        if done.returncode:
            raise RuntimeError(f"{name}: {done.stdout} {done.stderr}")
        cls.said[name] = done.stdout
        found = re.findall(r"^ +trace ([0-9a-f]{32})$", done.stdout, re.M)
        cls.trace_ids[name] = found[0] if found else None

    def trace(self, name, spans):
        return self.read_trace(self.trace_ids[name], spans)

    def status(self, name):
        """What the client got; None: it was gone."""
        found = re.search(r"the client got (\d+)", self.said[name])
        return int(found[1]) if found else None

    def why(self, name):
        """What `whence why` says of it, asking Jaeger."""
        command = [self.tool, "why", "--jaeger", self.jaeger_process["QUERY"], self.trace_ids[name]]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout
