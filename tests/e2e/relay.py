"""A wire between two programs that can be cut: nothing goes through any more, and nobody is told. Python 3, standard library only."""

import select
import socket
import threading


class Relay:
    """Forwards what comes to .port to another port of the loopback interface, and back, until it is partitioned."""

    def __init__(self, port):
        self.target = port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.wake, self.woken = socket.socketpair()
        self.open = {}  # a socket: the one that it is forwarded to
        self.partitioned = False
        self.closed = False
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def partition(self):
        """From now on nothing is read, so nothing is forwarded; no connection is closed, in neither direction."""
        self.partitioned = True
        self.wake.send(b"!")

    def close(self):
        self.closed = True
        self.wake.send(b"!")
        self.thread.join()
        for one in (*self.open, self.listener, self.wake, self.woken):
            one.close()

    def _run(self):
        while not self.closed:
            watched = [] if self.partitioned else [self.listener, *self.open]
            for one in select.select([self.woken, *watched], [], [])[0]:
                if one is self.woken:
                    self.woken.recv(1)
                elif self.partitioned:
                    break
                elif one is self.listener:
                    self._accept()
                else:
                    self._forward(one)

    def _accept(self):
        near = self.listener.accept()[0]
        far = socket.create_connection(("127.0.0.1", self.target))
        self.open[near], self.open[far] = far, near

    def _forward(self, one):
        other = self.open.get(one)
        if other is None:
            return
        try:
            data = one.recv(65536)
            if data:
                other.sendall(data)
                return
        except OSError:
            pass
        for each in (one, other):
            self.open.pop(each).close()
