"""What the tests of the house share: where things are (house.cmake says so in the environment), and the compilers that are here."""

import os
import re
import shlex
import shutil
import subprocess

SOURCE = os.environ["WHENCE_SOURCE"]
BUILD = os.environ["WHENCE_BUILD"]
LIBRARIES = dict(entry.split("=", 1) for entry in os.environ["WHENCE_LIBRARIES"].split(","))  # what was built: name to path
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror"]

# In the order in which they are read; each may include those before it.
BOOK = ("base", "context", "wait", "work", "live", "test", "baggage", "trace", "set", "sampler", "resource", "provider",
        "propagate", "child", "cause", "exporters", "names", "whence")


def run(*command, ok=True, **options):
    """What the command printed. Unless ok is None, an AssertionError with its words if it fails (ok: if it does not)."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", timeout=300,
                          **options)
    if ok is not None and ok != (done.returncode == 0):
        raise AssertionError(f"{' '.join(map(str, command))}: exit status {done.returncode}\n{done.stdout}")
    return done.stdout


def _present(*names):
    found = {}
    for name in names:
        path = shutil.which(name) if name else None
        if path:
            found.setdefault(os.path.realpath(path), path)
    return list(found.values())


# Whoever builds the library may have one compiler; here every one there is must do.
CC = _present(os.environ.get("WHENCE_CC"), "gcc", "clang")
CXX = _present(os.environ.get("CXX"), "g++", "clang++")
assert CC and CXX, "neither a C++ compiler nor a C compiler may be missing"
LANGUAGES = [(compiler, "c", "-std=c11") for compiler in CC] + [(compiler, "c++", "-std=c++17") for compiler in CXX]


def read(*path):
    with open(os.path.join(SOURCE, *path), encoding="utf-8") as file:
        return file.read()


def includes(text):
    """(what is included with quotes, what with angle brackets)"""
    found = re.findall(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)', text, re.MULTILINE)
    return [quoted for quoted, _ in found if quoted], [angled for _, angled in found if angled]


def public_headers():
    """Those of the libraries that were built: names without .h."""
    more = [name.removeprefix("whence-") for name in LIBRARIES if name != "whence"]
    return list(BOOK) + [name for name in more if os.path.exists(f"{SOURCE}/include/whence/{name}.h")]


def public_cflags():
    """Where the headers are that the integrations' headers include."""
    modules = [f"whence-{name}" for name in public_headers() if name not in BOOK]
    if not modules:
        return []
    return shlex.split(run("pkg-config", "--cflags", *modules, env={**os.environ, "PKG_CONFIG_PATH": BUILD}))
