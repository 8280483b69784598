"""Plays the W3C's own suite against our service, level 2 and strict: all of its tests run, none is left out, none fails.

The suite is not part of Whence: -DWHENCE_W3C_SUITE=<the folder test of github.com/w3c/trace-context>. It needs aiohttp.

Usage: test_suite.py SERVICE SUITE
"""

import os
import re
import subprocess
import sys

LEAST = 41  # what there was in 2026


def main(service, suite):
    env = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}
    ours = subprocess.Popen([service, "0"], env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        port = int(ours.stdout.readline().split()[-1])
        done = subprocess.run([sys.executable, "test.py", f"http://127.0.0.1:{port}/test"], cwd=suite, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=250,
                              env={**os.environ, "SPEC_LEVEL": "2", "STRICT_LEVEL": "2"})
    finally:
        ours.terminate()
        ours.wait(20)
    print(done.stdout)
    ran = re.search(r"^Ran (\d+) tests", done.stdout, re.M)
    assert done.returncode == 0, "the suite found something"
    assert ran and int(ran[1]) >= LEAST and "skipped" not in done.stdout, "not all of it was run"


if __name__ == "__main__":
    main(sys.argv[1], os.path.abspath(sys.argv[2]))
