#!/usr/bin/env python3
"""Makes a folder in which ctest runs the quick tests of a build under valgrind.

  under_valgrind.py BUILD FOLDER

Only programs of the build itself: what starts others, as the Python tests do, has nothing for valgrind to look at.
"""

import json
import os
import subprocess
import sys

# Leaks are AddressSanitizer's: it finds the same, and does not ask children of a fork, which leave in the midst of things.
VALGRIND = ["valgrind", "--quiet", "--error-exitcode=99", "--leak-check=no", "--num-callers=30", "--fair-sched=try",
            "--max-threads=3000"]
SLOWER = 10  # times, at the most: what valgrind makes of a test's own limit
ENVIRONMENT = ["WHENCE_TEST_ROUNDS=20"]  # a race that valgrind runs thread by thread gains nothing from more rounds


def quote(text):
    return f"[==[{text}]==]"


def main(build, folder):
    build = os.path.realpath(build)
    listed = subprocess.run(["ctest", "--test-dir", build, "--show-only=json-v1", "--label-regex", "^quick$"],
                            check=True, stdout=subprocess.PIPE)
    lines = []
    for test in json.loads(listed.stdout)["tests"]:
        properties = {entry["name"]: entry["value"] for entry in test["properties"]}
        if "command" not in test:
            sys.exit(f"{test['name']} is not built")
        if not os.path.realpath(test["command"][0]).startswith(build + os.sep):
            continue
        command = " ".join(quote(word) for word in VALGRIND + test["command"])
        environment = ";".join(properties.get("ENVIRONMENT", []) + ENVIRONMENT)
        lines.append(f"add_test({quote(test['name'])} {command})\n"
                     f"set_tests_properties({quote(test['name'])} PROPERTIES\n"
                     f"    TIMEOUT {properties.get('TIMEOUT', 60) * SLOWER:.0f}\n"
                     f"    ENVIRONMENT {quote(environment)}\n"
                     f"    WORKING_DIRECTORY {quote(properties.get('WORKING_DIRECTORY', build))})\n")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "CTestTestfile.cmake"), "w", encoding="utf-8") as file:
        file.writelines(lines)


if __name__ == "__main__":
    main(*sys.argv[1:])
