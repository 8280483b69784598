"""The shop's services as processes, and a client for them. Python 3, standard library only."""

import os
import select
import shlex
import signal
import socket
import subprocess
import tempfile
import threading
import time
import uuid


class Service:
    """One program on a free port of the loopback interface; `before` that in its arguments stands something else."""

    def __init__(self, programs, name, *arguments, env, before=()):
        self.name = name
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen([os.path.join(programs, name), *before, "0", *arguments], env=env, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=self.log)
        ready, _, _ = select.select([self.process.stdout], [], [], 30)
        line = self.process.stdout.readline().decode() if ready else ""
        if not line.startswith("listening on "):
            self.stop()
            raise RuntimeError(f"{name} does not listen: {line!r} {self.logged()}")
        self.port = int(line.split()[-1])
        self.url = f"http://127.0.0.1:{self.port}"

    def logged(self):
        self.log.seek(0)
        return self.log.read().decode("utf-8", "replace")

    def stop(self, number=signal.SIGTERM, timeout=15):
        """Ends it: its exit status, and how long it took; it is killed, and that is an error, if it takes longer than `timeout`."""
        begun = time.monotonic()
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            status = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise RuntimeError(f"{self.name} did not stop: {self.logged()}") from None
        finally:
            if self.process.stdout:
                self.process.stdout.close()
        return status, time.monotonic() - begun


class Shop:
    """gateway, stock, price and rates, exporting to an OTLP endpoint."""

    def __init__(self, programs, endpoint, folder):
        self.programs = programs
        self.env = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
        self.env.update(OTEL_EXPORTER_OTLP_ENDPOINT=endpoint, OTEL_BSP_SCHEDULE_DELAY="50")
        self.database = os.path.join(folder, "stock.db")
        self.rates = Service(programs, "rates", env=self.env)
        self.price = Service(programs, "price", self.rates.url, env=self.env)
        self.stock = Service(programs, "stock", self.database, env=self.env)
        self.open_gateway()

    def open_gateway(self):
        if hasattr(self, "gateway"):
            self.gateway.log.close()
        self.gateway = Service(self.programs, "gateway", self.stock.url, self.price.url, env=self.env)

    def close(self):
        for service in (self.gateway, self.stock, self.price, self.rates):
            service.stop()
            service.log.close()

    def order(self, query="", give_up_after=None, headers=()):
        """Asks the gateway; returns (status or None, request id, seconds). With give_up_after the client hangs up then."""
        request_id = uuid.uuid4().hex
        lines = [f"GET /order/sku42?{query} HTTP/1.1", "Host: shop.example:80", "Connection: close", "User-Agent: e2e/1.0",
                 f"X-Request-Id: {request_id}", *headers, "", ""]
        begun = time.monotonic()
        with socket.create_connection(("127.0.0.1", self.gateway.port), timeout=30) as connection:
            connection.sendall("\r\n".join(lines).encode())
            if give_up_after is not None:
                time.sleep(give_up_after)
                return None, request_id, time.monotonic() - begun
            answer = b""
            while chunk := connection.recv(65536):
                answer += chunk
        status = int(answer.split(b" ", 2)[1]) if answer else None
        return status, request_id, time.monotonic() - begun

    def order_and_terminate(self, query, after):
        """Asks, and sends SIGTERM to the gateway meanwhile: (status, request id, exit status, seconds until it was gone)."""
        timer = threading.Timer(after, lambda: self.gateway.process.send_signal(signal.SIGTERM))
        timer.start()
        status, request_id, _ = self.order(query)
        timer.join()
        exit_status, seconds = self.gateway.stop(number=0)
        return status, request_id, exit_status, seconds


def start_jaeger(script):
    """A real Jaeger on free ports: what `jaeger.sh start` prints, as a dict."""
    lines = subprocess.run([script, "start", "--ports", "free"], check=True, stdout=subprocess.PIPE).stdout.decode()
    return dict(word.split("=", 1) for word in shlex.split(lines))


def stop_jaeger(script, jaeger):
    subprocess.run([script, "stop", jaeger["PID"]], check=True)
