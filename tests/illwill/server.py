"""A small server for OTLP that behaves as it is told, and counts. Python 3, standard library only.

It listens on 127.0.0.1, runs every connection in a thread of its own, and calls behave(connection) there. A behaviour may do
what it likes with the connection; it is over when it returns or when the peer or the test has had enough. shut() and open() are
a restart: meanwhile the port is still the server's, and refuses.
"""

import collections
import socket
import struct
import threading
import time

import otlp

PATIENCE = 90  # seconds for which a peer is waited for: longer than any scenario takes


class Over(Exception):
    """The peer has gone, or the test is over."""


Request = collections.namedtuple("Request", "head headers body spans")


class Server:
    def __init__(self, behave, is_open=True):
        self.behave = behave
        self.lock = threading.Lock()
        self.stopped = threading.Event()
        self.released = threading.Event()    # for behaviours that hold an answer back until the test says so
        self.holding = threading.Event()     # one does
        self.connections = 0
        self.requests = 0
        self.received = collections.Counter()  # spans by name, whatever became of them
        self.accepted = collections.Counter()  # those of them that it said to have taken
        self.ids = set()                       # of these
        self.troubles = []                     # in behaviours, which is the test's own fault
        self.sockets = set()
        self.threads = []
        self.place = self._bound(0)          # keeps the port for us while nobody listens
        self.port = self.place.getsockname()[1]
        self.listener = None
        if is_open:
            self.open()

    def _bound(self, port):
        bound = socket.socket()
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(("127.0.0.1", port))
        return bound

    def open(self):
        self.listener = self._bound(self.port)
        self.listener.listen(64)
        self._start(self._listen, self.listener)

    def _start(self, function, *arguments):
        thread = threading.Thread(target=function, args=arguments, daemon=True)
        self.threads.append(thread)
        thread.start()

    def _listen(self, listener):
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            with self.lock:
                self.connections += 1
                number = self.connections
                self.sockets.add(peer)
            self._start(self._serve, Connection(self, peer, number))

    def _serve(self, connection):
        try:
            self.behave(connection)
        except (Over, OSError):
            pass
        except Exception as error:  # shown by the test
            self.troubles.append(f"{type(error).__name__}: {error}")
        finally:
            connection.close()

    def shut(self):
        """Ends whatever is connected, and refuses what comes."""
        if self.listener:
            self.listener.shutdown(socket.SHUT_RDWR)
            self.listener.close()
            self.listener = None
        with self.lock:
            left = list(self.sockets)
        for peer in left:
            try:
                peer.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        for thread in self.threads:
            thread.join(30)

    def stop(self):
        self.stopped.set()
        self.released.set()
        self.shut()
        self.place.close()

    def took(self, spans, rejected=0):
        """Says in the books that all but so many of these were accepted."""
        with self.lock:
            taken = spans[:max(0, len(spans) - rejected)]
            self.accepted.update(span.name for span in taken)
            self.ids.update(span.id for span in taken)


class Connection:
    def __init__(self, server, peer, number):
        self.server, self.peer, self.number = server, peer, number
        self.buffer = bytearray()
        peer.settimeout(PATIENCE)
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    # ---- bytes ----

    def close(self):
        with self.server.lock:
            self.server.sockets.discard(self.peer)
        self.peer.close()

    def reset(self):
        """Closes it so that the peer is told by a RST."""
        self.peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()
        raise Over

    def send(self, data):
        self.peer.sendall(data)

    def _more(self):
        data = self.peer.recv(65536)
        if not data:
            raise Over
        self.buffer += data

    def exactly(self, size):
        while len(self.buffer) < size:
            self._more()
        data = bytes(self.buffer[:size])
        del self.buffer[:size]
        return data

    def until(self, mark):
        while (at := self.buffer.find(mark)) < 0:
            self._more()
        return self.exactly(at + len(mark))

    def hold(self):
        """Does nothing more, for as long as the peer stays."""
        self.pause(PATIENCE)
        raise Over

    def pause(self, seconds):
        if self.server.stopped.wait(seconds):
            raise Over

    def drip(self, data, seconds=1):
        """One byte a second."""
        for byte in data:
            self.send(bytes([byte]))
            self.pause(seconds)

    def flood(self, data, times=None):
        """Sends it for ever, or until the peer has had enough."""
        end = time.monotonic() + PATIENCE
        while times is None or times > 0:
            if self.server.stopped.is_set() or time.monotonic() > end:
                raise Over
            self.send(data)
            times = None if times is None else times - 1

    # ---- HTTP/1.1 ----

    def head(self):
        """The request line and the header fields."""
        lines = self.until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        return lines[0], {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:-2])}

    def note(self, body, content_type, encoding):
        spans = otlp.spans_of(body, content_type, encoding)
        with self.server.lock:
            self.server.requests += 1
            self.server.received.update(span.name for span in spans)
        return spans

    def request(self):
        """The next one, whole."""
        line, headers = self.head()
        if headers.get("expect") == "100-continue":
            self.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = self.exactly(int(headers["content-length"]))
        spans = self.note(body, headers["content-type"], headers.get("content-encoding", ""))
        return Request(line, headers, body, spans)

    def requests(self):
        while True:
            yield self.request()
