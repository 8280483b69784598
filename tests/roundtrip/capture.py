"""A collector that keeps what it is sent: the bodies of requests, as they came and unpacked."""

import gzip
import http.server
import threading


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with self.server.lock:
            self.server.requests.append((self.path, dict(self.headers.items()), body))
        answer = b"{}" if self.headers["Content-Type"] == "application/json" else b""
        self.send_response(200)
        self.send_header("Content-Type", self.headers["Content-Type"])
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


class Capture:
    """Listens on a free port of the loopback interface, until close()."""

    def __init__(self):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self.server.lock, self.server.requests = threading.Lock(), []
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def close(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def bodies(self, content_type, gzipped):
        """Those of that kind, unpacked; anything else that came is an error."""
        bodies = []
        for path, headers, body in self.server.requests:
            assert path == "/v1/traces", path
            assert headers["Content-Type"] == content_type, headers
            assert headers.get("Content-Encoding") == ("gzip" if gzipped else None), headers
            bodies.append(gzip.decompress(body) if gzipped else body)
        return bodies
