"""A headless Chromium that is spoken to over a pipe (the DevTools protocol): no driver, no port, standard library only.

    with Browser() as browser:
        page = browser.open("file:///tmp/page.html")
        page.eval("document.title")
"""

import base64
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time

LIMIT = 60  # seconds for one answer; against hangs


def find_chromium():
    for name in (os.environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        if name and shutil.which(name):
            return shutil.which(name)
    return None


class BrowserError(Exception):
    pass


class Browser:
    # As root, and in containers, there is neither a sandbox nor a large /dev/shm. Nothing it does for itself is to reach out.
    ARGUMENTS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-pipe", "--no-first-run",
                 "--no-default-browser-check", "--disable-extensions", "--disable-background-networking", "--disable-component-update",
                 "--disable-sync", "--disable-default-apps", "--metrics-recording-only", "--mute-audio", "--hide-scrollbars",
                 "--force-color-profile=srgb", "--disable-features=Translate,OptimizationHints,MediaRouter"]

    def __init__(self):
        self.home = tempfile.mkdtemp(prefix="whence-browser-")
        reads, self.to = os.pipe()
        self.answers, writes = os.pipe()

        def as_three_and_four():  # the pipe's ends are 3 and 4, by Chromium's custom
            high = [os.dup2(reads, 60), os.dup2(writes, 61)]
            os.dup2(high[0], 3)
            os.dup2(high[1], 4)
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [find_chromium(), *self.ARGUMENTS, f"--user-data-dir={self.home}", "about:blank"], preexec_fn=as_three_and_four,
            close_fds=False, start_new_session=True, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
            env={**os.environ, "HOME": self.home, "XDG_CONFIG_HOME": self.home, "XDG_CACHE_HOME": self.home, "TZ": "UTC"})
        os.close(reads)
        os.close(writes)
        self.buffer = b""
        self.number = 0
        self.events = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Its process group has a number of its own: nobody else is in it."""
        try:
            self.call("Browser.close", limit=5)
            self.process.wait(5)
        except (BrowserError, OSError, subprocess.TimeoutExpired):
            pass
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        for end in (self.to, self.answers):
            os.close(end)
        self.log.close()
        for _ in range(20):  # the last of them may still be writing there
            shutil.rmtree(self.home, ignore_errors=True)
            if not os.path.exists(self.home):
                break
            time.sleep(0.1)

    def said(self):
        self.log.seek(0)
        return self.log.read().decode("utf-8", "replace")[-2000:]

    def read(self, limit):
        """The next message, or None when there is none in time."""
        deadline = time.monotonic() + limit
        while b"\0" not in self.buffer:
            ready, _, _ = select.select([self.answers], [], [], max(deadline - time.monotonic(), 0))
            if not ready:
                return None
            chunk = os.read(self.answers, 1 << 20)
            if not chunk:
                raise BrowserError(f"Chromium has left: {self.said()}")
            self.buffer += chunk
        message, _, self.buffer = self.buffer.partition(b"\0")
        return json.loads(message)

    def call(self, method, session=None, limit=LIMIT, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.to, data):]
        deadline = time.monotonic() + limit
        while True:
            answer = self.read(deadline - time.monotonic())
            if answer is None:
                raise BrowserError(f"no answer to {method}: {self.said()}")
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise BrowserError(f"{method}: {answer['error']}")
                return answer["result"]
            if "method" in answer:
                self.events.append(answer)

    def open(self, url, **options):
        return Page(self, url, **options)


class Page:
    """A tab. What its console says, what is thrown in it, and what it asks the network for is collected."""

    def __init__(self, browser, url, width=1280, height=800, dark=False, before=""):
        self.browser = browser
        self.target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = browser.call("Target.attachToTarget", targetId=self.target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.size(width, height)
        self.scheme("dark" if dark else "light")
        # Whoever breaks the page's policy is known to the page's own document only.
        self.call("Page.addScriptToEvaluateOnNewDocument", source="window.violations = []; window.thrown = [];"
                  "addEventListener('error', (e) => thrown.push(e.message));"
                  "addEventListener('securitypolicyviolation', (e) => violations.push(e.violatedDirective + ' ' + e.sample));" + before)
        self.call("Page.navigate", url=url)
        self.url = url

    def call(self, method, **parameters):
        return self.browser.call(method, session=self.session, **parameters)

    def size(self, width, height):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def scheme(self, name):
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])

    def eval(self, expression):
        done = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in done:
            raise BrowserError(f"{expression[:200]}: {done['exceptionDetails'].get('exception', {}).get('description')}")
        return done["result"].get("value")

    def wait(self, expression, limit=LIMIT):
        deadline = time.monotonic() + limit
        while True:
            value = self.eval(expression)
            if value:
                return value
            if time.monotonic() > deadline:
                raise BrowserError(f"in {limit} s never: {expression}")
            time.sleep(0.02)

    def ready(self):
        thrown = "(window.thrown || []).length > 0"
        self.wait(f"(document.documentElement && document.documentElement.dataset.ready === 'true') || {thrown}")
        if self.eval(thrown):
            raise BrowserError(f"the page's script has ended: {self.eval('thrown')}")
        self.frame()
        return self

    def frame(self):
        """Until what has been asked for is drawn: two frames later. A tab behind another has none."""
        self.call("Page.bringToFront")
        self.eval("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))")

    KEYS = {"Enter": 13, "Escape": 27, "PageUp": 33, "PageDown": 34, "End": 35, "Home": 36, "ArrowLeft": 37, "ArrowUp": 38,
            "ArrowRight": 39, "ArrowDown": 40}

    def key(self, key):
        text = key if len(key) == 1 else "\r" if key == "Enter" else ""
        code = self.KEYS.get(key, ord(key[0].upper()))
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, text=text, windowsVirtualKeyCode=code)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key, windowsVirtualKeyCode=code)

    def type(self, text):
        self.call("Input.insertText", text=text)

    def click(self, x, y):
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="none" if kind == "mouseMoved" else "left", clickCount=1)

    def move(self, x, y):
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def events(self, *methods):
        return [e["params"] for e in self.browser.events if e.get("sessionId") == self.session and e["method"] in methods]

    def complaints(self):
        """What the console and the engine had to say, and what broke the policy."""
        self.frame()
        said = [p["entry"]["text"] for p in self.events("Log.entryAdded")]
        said += [str(p["args"]) for p in self.events("Runtime.consoleAPICalled")]
        said += [str(p["exceptionDetails"]) for p in self.events("Runtime.exceptionThrown")]
        return said + self.eval("window.violations")

    def requests(self):
        """What it asked for besides itself."""
        return [p["request"]["url"][:200] for p in self.events("Network.requestWillBeSent")
                if p["request"]["url"].split("#")[0] != self.url.split("#")[0]]

    def picture(self, path):
        self.frame()
        with open(path, "wb") as file:
            file.write(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))

    def close(self):
        self.browser.call("Target.closeTarget", targetId=self.target)
