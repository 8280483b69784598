#!/usr/bin/env python3
"""Takes the pictures of docs/whence-page.md anew: the shop's demo is played, and two of its traces are shown in a real browser.

Usage: pictures.py WHENCE DEMO FOLDER    (pngquant, where it is here, makes them smaller)
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile

from browser import Browser


def main(tool, demo, folder):
    said = subprocess.run([demo], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, timeout=120, check=True).stdout
    traces = re.search(r"OTLP JSON lines: (\S+)", said)[1]
    with tempfile.TemporaryDirectory() as temporary, Browser() as browser:
        path = os.path.join(temporary, "page.html")
        subprocess.run([tool, "html", "--title", "the shop", "-o", path, traces], check=True)
        for name, words, dark, keys in (("whence-page-light", "count by hand", False, ""), ("whence-page-dark", "500 price", True, "c")):
            page = browser.open(f"file://{path}", dark=dark).ready()
            page.size(1400, 740 if dark else 620, 1.5)
            page.frame()
            page.eval("""(words) => {
                for (const one of document.querySelectorAll("button.trace")) {
                    one.click();
                    if ((one.innerText + document.getElementById("rows").innerText).replace(/\\s+/g, " ").includes(words)) return;
                } }""".join(("(", f")({words!r})")))
            for key in keys:
                page.key(key)
            picture = os.path.join(folder, name + ".png")
            page.picture(picture)
            if shutil.which("pngquant"):
                subprocess.run(["pngquant", "--force", "--nofs", "--speed", "1", "--strip", "--output", picture, "96", picture], check=True)
            page.close()
    shutil.rmtree(os.path.dirname(traces))


if __name__ == "__main__":
    main(*sys.argv[1:])
