"""The driver as a process: what it is asked for, and the lines that it says."""

import json
import os
import subprocess
import tempfile
import threading

PATIENCE = 200  # seconds after which a driver is killed, and that is an error
DROPPED = ("dropped_queue", "dropped_memory", "dropped_export", "dropped_shutdown")


def environment():
    """The proxies and OTEL_* of whoever runs this are not meant."""
    return {name: value for name, value in os.environ.items()
            if not name.startswith("OTEL_") and not name.lower().endswith("_proxy")}


class Driver:
    def __init__(self, program, **settings):
        self.lines, self.status, self.log = [], None, ""
        self.errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen([program] + [f"{name}={value}" for name, value in settings.items()], env=environment(),
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors)
        self.timer = threading.Timer(PATIENCE, self.process.kill)
        self.timer.daemon = True
        self.timer.start()

    def go(self):
        """The line that a phase, or a fork, waits for."""
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()

    def said(self):
        """The next line; {} if there is none."""
        line = self.process.stdout.readline()
        self.lines.append(json.loads(line) if line else {})
        return self.lines[-1]

    def kill(self):
        """For a test that has failed."""
        self.process.kill()
        if self.status is None:
            self.finish()

    def finish(self):
        """Reads the rest, and waits for its end."""
        while self.said():
            pass
        self.lines.pop()
        self.process.stdin.close()
        self.process.stdout.close()
        self.status = self.process.wait()
        self.timer.cancel()
        self.errors.seek(0)
        self.log = self.errors.read().decode("utf-8", "replace")
        self.errors.close()
