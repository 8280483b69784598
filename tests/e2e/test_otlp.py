"""OTLP to a real Jaeger: every protocol, plain and compressed, without TLS, with it, and with client certificates, over TCP and
over Unix domain sockets; what is too large; and who is not to be trusted.

Usage: test_otlp.py PROGRAM [unittest's arguments]        PROGRAM: otlp_send
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.request
import uuid

HERE = os.path.dirname(os.path.abspath(__file__))
JAEGER_SH = os.path.join(HERE, "..", "jaeger", "jaeger.sh")
sys.path.insert(0, os.path.join(HERE, "..", "jaeger"))

from query import Jaeger, flatten  # noqa: E402

PROGRAM = None
PORTS = ("query", "query_grpc", "health", "grpc", "http", "grpc_tls", "http_tls", "grpc_mtls", "http_mtls", "grpc_small",
         "http_small", "grpc_aging")

CONFIG = """
service:
  extensions: [jaeger_storage, jaeger_query, healthcheckv2]
  pipelines:
    traces: {{receivers: [otlp, otlp/tls, otlp/mtls, otlp/small, otlp/unix, otlp/aging], exporters: [jaeger_storage_exporter]}}
  telemetry: {{metrics: {{level: none}}, logs: {{level: warn}}}}
extensions:
  healthcheckv2: {{use_v2: true, http: {{endpoint: "127.0.0.1:{health}", status: {{enabled: true, path: "/status"}}}}}}
  jaeger_storage: {{backends: {{mem: {{memory: {{max_traces: 1000}}}}}}}}
  jaeger_query:
    storage: {{traces: mem}}
    enable_tracing: false
    http: {{endpoint: "127.0.0.1:{query}"}}
    grpc: {{endpoint: "127.0.0.1:{query_grpc}"}}
receivers:
  otlp:
    protocols:
      grpc: {{endpoint: "127.0.0.1:{grpc}"}}
      http: {{endpoint: "127.0.0.1:{http}"}}
  otlp/tls:
    protocols:
      grpc: {{endpoint: "127.0.0.1:{grpc_tls}", tls: &tls {{cert_file: server.pem, key_file: server.key}}}}
      http: {{endpoint: "127.0.0.1:{http_tls}", tls: *tls}}
  otlp/mtls:
    protocols:
      grpc: {{endpoint: "127.0.0.1:{grpc_mtls}", tls: &mtls {{cert_file: server.pem, key_file: server.key, client_ca_file: ca.pem}}}}
      http: {{endpoint: "127.0.0.1:{http_mtls}", tls: *mtls}}
  otlp/small:
    protocols:
      grpc: {{endpoint: "127.0.0.1:{grpc_small}", max_recv_msg_size_mib: 1}}
      http: {{endpoint: "127.0.0.1:{http_small}", max_request_body_size: 1048576}}
  otlp/aging:
    protocols:
      grpc:
        endpoint: "127.0.0.1:{grpc_aging}"
        keepalive: {{server_parameters: {{max_connection_age: 200ms, max_connection_age_grace: 10s}}}}
  otlp/unix:
    protocols:
      grpc: {{endpoint: "{folder}/grpc.sock", transport: unix}}
exporters:
  jaeger_storage_exporter: {{trace_storage: mem}}
"""


# ---- certificates ----

def openssl(folder, *arguments):
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)


def make_authority(folder, name):
    openssl(folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", f"/CN={name}",
            "-keyout", f"{name}.key", "-out", f"{name}.pem")


def make_certificate(folder, name, authority, days=2):
    """For 127.0.0.1 and localhost, and for clients; days less than 1: it has expired."""
    with open(os.path.join(folder, "extensions"), "w", encoding="ascii") as file:
        file.write("subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth,clientAuth\n")
    openssl(folder, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
            "-keyout", f"{name}.key", "-out", f"{name}.csr")
    openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-CA", f"{authority}.pem", "-CAkey", f"{authority}.key", "-CAcreateserial",
            "-days", str(days), "-extfile", "extensions", "-out", f"{name}.pem")


# ---- Jaeger ----

def free_ports():
    sockets = [socket.socket() for _ in PORTS]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    numbers = {name: each.getsockname()[1] for name, each in zip(PORTS, sockets)}
    for each in sockets:
        each.close()
    return numbers


class Server:
    """A Jaeger of our own in `folder`, where its certificates are."""

    def __init__(self, binary, folder):
        self.log = os.path.join(folder, "jaeger.log")
        for _ in range(5):  # another program may take one of the ports just before
            self.ports = free_ports()
            with open(os.path.join(folder, "jaeger.yaml"), "w", encoding="ascii") as file:
                file.write(CONFIG.format(folder=folder, **self.ports))
            with open(self.log, "wb") as log:
                self.process = subprocess.Popen([binary, "--config", "file:jaeger.yaml"], cwd=folder, stdin=subprocess.DEVNULL, stdout=log,
                                                stderr=log)
            if self.becomes_healthy():
                return
            self.stop()
        with open(self.log, encoding="utf-8", errors="replace") as log:
            raise RuntimeError(f"Jaeger does not start: {log.read()[-2000:]}")

    def becomes_healthy(self):
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                with opener.open(f"http://127.0.0.1:{self.ports['health']}/status", timeout=2):
                    return True
            except OSError:
                time.sleep(0.1)
        return False

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class UnixProxy:
    """Takes connections at a Unix domain socket and passes their bytes on to a port."""

    def __init__(self, path, port):
        self.port = port
        self.connections = 0
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            far = socket.create_connection(("127.0.0.1", self.port))
            threading.Thread(target=self.relay, args=(near, far), daemon=True).start()

    @staticmethod
    def copy(source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # the other direction has ended it

    def relay(self, near, far):
        with near, far:
            other = threading.Thread(target=self.copy, args=(far, near), daemon=True)
            other.start()
            self.copy(near, far)
            other.join()

    def stop(self):
        self.listener.close()


# ---- the tests ----

class Otlp(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="whence-otlp-")
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        make_authority(cls.folder, "ca")
        make_authority(cls.folder, "stranger")
        make_certificate(cls.folder, "server", "ca")
        make_certificate(cls.folder, "client", "ca")
        make_certificate(cls.folder, "expired", "ca", days=-1)
        make_certificate(cls.folder, "impostor", "stranger")
        binary = subprocess.run(["bash", JAEGER_SH, "path"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
        cls.server = Server(binary, cls.folder)
        cls.addClassCleanup(cls.server.stop)
        cls.jaeger = Jaeger(f"http://127.0.0.1:{cls.server.ports['query']}")

    def send(self, count, **options):
        """Runs the program; returns the service's name, what it has counted, and what it has said."""
        service = f"otlp-{uuid.uuid4().hex[:12]}"
        env = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        command = [PROGRAM, service, str(count), *(f"{name}={value}" for name, value in options.items())]
        done = subprocess.run(command, env=env, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, timeout=120, check=True)
        return service, done.stdout.strip(), done.stderr

    def stored(self, service, count, timeout=20):
        """The service's spans, once there are so many."""
        deadline = time.monotonic() + timeout
        while True:
            found = self.jaeger.search(service)
            spans = flatten(self.jaeger.trace_v3(found[0]["traceID"])) if found else []
            if len(spans) >= count or time.monotonic() > deadline:
                return spans
            time.sleep(0.1)

    def check(self, count, **options):
        service, counted, said = self.send(count, **options)
        self.assertEqual(counted, f"{count} {count} 0", said)
        self.assertEqual(said, "")
        spans = self.stored(service, count)
        self.assertEqual(len(spans), count)
        items = sorted((span for span in spans if span["name"] == "item"), key=lambda span: span["attributes"]["number"])
        self.assertEqual([span["attributes"]["number"] for span in items], list(range(1, count)))
        batch = next(span for span in spans if span["name"] == "batch")
        for span in items:
            self.assertEqual(span["attributes"]["text"], "grüß dich")
            self.assertEqual(span["parent_span_id"], batch["span_id"])
            self.assertEqual(span["events"][0]["attributes"]["half"], span["attributes"]["number"] / 2)

    def ways(self):
        """Name, and options, of every way to get there but Unix domain sockets."""
        clear = {"plain": {}, "tls": {"certificate": "ca.pem"},
                 "mtls": {"certificate": "ca.pem", "client_certificate": "client.pem", "client_key": "client.key"}}
        for protocol, kind in (("grpc", "grpc"), ("http/protobuf", "http"), ("http/json", "http")):
            for way, options in clear.items():
                port = self.server.ports[kind if way == "plain" else f"{kind}_{way}"]
                scheme = "http" if way == "plain" else "https"
                yield f"{protocol} {way}", dict(options, protocol=protocol, endpoint=f"{scheme}://127.0.0.1:{port}")

    def test_every_protocol_arrives_plain_and_with_tls_and_with_client_certificates(self):
        for name, options in self.ways():
            for gzip in ({}, {"gzip": 1}):
                with self.subTest(way=name, **gzip):
                    self.check(40, **options, **gzip)

    def test_several_requests_over_one_connection(self):
        for protocol, port in (("grpc", "grpc"), ("http/json", "http"), ("http/protobuf", "http")):
            with self.subTest(protocol=protocol):
                self.check(2000, protocol=protocol, endpoint=f"http://127.0.0.1:{self.server.ports[port]}")

    def test_a_server_that_ends_connections_of_an_age_loses_nothing(self):
        """It says GOAWAY about every 200 ms, while calls are under way and while there are none."""
        port = self.server.ports["grpc_aging"]
        self.check(400, protocol="grpc", endpoint=f"http://127.0.0.1:{port}", pause=20)
        self.check(100, protocol="grpc", endpoint=f"http://127.0.0.1:{port}", pause=200)

    def test_unix_domain_sockets(self):
        path = os.path.join(self.folder, "http.sock")
        proxy = UnixProxy(path, self.server.ports["http"])
        self.addCleanup(proxy.stop)
        for protocol in ("http/protobuf", "http/json"):
            self.check(40, protocol=protocol, endpoint=f"unix://{path}", gzip=1)
            self.check(40, protocol=protocol, endpoint="http://collector.invalid", unix_socket=path)
        self.assertEqual(proxy.connections, 4)
        self.check(40, protocol="grpc", endpoint=f"unix://{self.folder}/grpc.sock")
        self.check(40, protocol="grpc", endpoint="http://localhost", unix_socket=f"{self.folder}/grpc.sock", gzip=1)

    def test_grpc_without_a_scheme_is_secure_unless_told_otherwise(self):
        self.check(10, protocol="grpc", endpoint=f"localhost:{self.server.ports['grpc']}", insecure=1)
        self.check(10, protocol="grpc", endpoint=f"localhost:{self.server.ports['grpc_tls']}", certificate="ca.pem")

    def test_a_batch_that_is_too_large_for_the_collector_arrives_in_parts(self):
        """A message of more than a megabyte is refused: RESOURCE_EXHAUSTED over gRPC, 400 over HTTP."""
        for protocol, port in (("grpc", "grpc_small"), ("http/protobuf", "http_small"), ("http/json", "http_small")):
            with self.subTest(protocol=protocol):
                self.check(300, protocol=protocol, endpoint=f"http://127.0.0.1:{self.server.ports[port]}", bytes=10000)

    def test_one_span_too_large_for_the_collector_costs_no_other(self):
        for protocol, port in (("grpc", "grpc_small"), ("http/protobuf", "http_small"), ("http/json", "http_small")):
            with self.subTest(protocol=protocol):
                service, counted, said = self.send(200, protocol=protocol, endpoint=f"http://127.0.0.1:{self.server.ports[port]}",
                                                   huge=1500000)
                self.assertEqual(counted, "200 199 1", said)
                self.assertIn("a span is too large to be exported", said)
                self.assertEqual(len(self.stored(service, 199)), 199)

    def test_our_own_limit_splits_a_batch_before_it_is_sent(self):
        for protocol, port in (("grpc", "grpc"), ("http/protobuf", "http"), ("http/json", "http")):
            with self.subTest(protocol=protocol):
                self.check(300, protocol=protocol, endpoint=f"http://127.0.0.1:{self.server.ports[port]}", max_request=10000)

    def refused(self, expected, **options):
        """Nothing is sent, and the one line that is said has one of the expected in it."""
        for protocol in ("grpc", "http/protobuf"):
            with self.subTest(protocol=protocol):
                port = self.server.ports[("grpc" if protocol == "grpc" else "http") + ("_mtls" if options.get("mtls") else "_tls")]
                given = {name: value for name, value in options.items() if name != "mtls"}
                service, counted, said = self.send(10, protocol=protocol, endpoint=f"https://127.0.0.1:{port}", **given)
                self.assertEqual(counted, "10 0 10", said)
                self.assertTrue(any(text in said for text in expected), said)
                self.assertEqual(self.jaeger.search(service), [])

    def test_a_server_that_nobody_vouches_for_gets_nothing(self):
        self.refused(["certificate"])
        self.refused(["certificate"], certificate="stranger.pem")

    def test_a_server_wants_a_client_certificate_that_it_can_verify(self):
        self.refused(["certificate required", "client certificate"], certificate="ca.pem", mtls=True)
        for name in ("expired", "impostor"):
            self.refused(["certificate"], certificate="ca.pem", mtls=True, client_certificate=f"{name}.pem", client_key=f"{name}.key")

    def test_a_certificate_is_for_its_host(self):
        service, counted, said = self.send(10, protocol="http/protobuf", certificate="ca.pem",
                                           endpoint=f"https://127.0.0.2:{self.server.ports['http_tls']}")
        self.assertEqual(counted.split()[1], "0", said)
        self.assertEqual(self.jaeger.search(service), [])

    def test_files_that_are_not_what_they_should_be_are_found_at_once(self):
        endpoint = f"https://127.0.0.1:{self.server.ports['http_tls']}"
        for options, expected in (({"certificate": "missing.pem"}, "missing.pem cannot be read: No such file"),
                                  ({"certificate": "server.key"}, "holds no CERTIFICATE"),
                                  ({"client_certificate": "client.pem"}, "client key client.pem holds no PRIVATE KEY"),
                                  ({"client_key": "client.key"}, "without a client certificate")):
            with self.subTest(**options):
                _, counted, said = self.send(1, endpoint=endpoint, **options)
                self.assertEqual(counted, "not made")
                self.assertIn(expected, said)
                self.assertEqual(len(said.splitlines()), 1)


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
