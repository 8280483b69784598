#!/usr/bin/env python3
"""What is asked in every loop costs a load and a comparison in the caller, and no call: looked at in the machine code."""

import os
import platform
import re
import tempfile
import unittest

import house

HEADER = "#include <whence/whence.h>\n"
ASKS = "int f(const wh_ctx *ctx);\nint f(const wh_ctx *ctx) { return wh_err(ctx); }\n"
SETS = "void f(const wh_ctx *ctx, const char *s);\nvoid f(const wh_ctx *ctx, const char *s) { wh_set(ctx, \"key\", s); }\n"

# Instructions from the entry to the return, with the registers that the other ways want saved.
MOST = 16

# How objdump writes a place in memory that the first argument points to. Elsewhere nothing is said of loads, only of calls.
ARGUMENT = {"x86_64": r"\(%rdi\)", "aarch64": r"\[x0[\],]"}.get(platform.machine())
RETURN = re.compile(r"^(ret|retq|br?x?\s+lr)\b")
CALL = re.compile(r"^(call|callq|bl|blr)\b")
JUMP = re.compile(r"^(jmp|jmpq|b)\s")
BRANCH = re.compile(r"^(j(?!mp)\w+|b\.?(eq|ne|cs|cc|hs|lo|hi|ls|lt|le|gt|ge|mi|pl)|cbn?z|tbn?z)\s")


def code_of(compiler, language, standard, source):
    """The instructions of the only function: [(address, text, what it calls or jumps to outside, or None)]."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "f." + {"c": "c", "c++": "cc"}[language])
        with open(path, "w", encoding="utf-8") as file:
            file.write(HEADER + source)
        house.run(compiler, standard, "-O2", *house.WARNINGS, "-I", f"{house.SOURCE}/include", "-c", path, "-o", f"{path}.o")
        listing = house.run("objdump", "-dr", "--no-show-raw-insn", f"{path}.o")
    code = []
    for line in listing.splitlines():
        instruction = re.match(r"^\s+([0-9a-f]+):\s+(\S.*)$", line)
        relocation = re.match(r"^\s+[0-9a-f]+: (R_\S+)\s+(\S+)", line)
        if relocation:
            code[-1] = (*code[-1][:2], re.split(r"[-+@]", relocation[2])[0])
        elif instruction:
            code.append((int(instruction[1], 16), re.split(r"\s+[#;]", instruction[2])[0].strip(), None))
    return code


def target(text):
    return int(re.findall(r"\b([0-9a-f]+) <", text)[-1], 16)


def ways(code):
    """Every way through the function: [(instructions, who is called)]. None of ours has a loop."""
    index = {address: i for i, (address, _, _) in enumerate(code)}
    found = []

    def walk(i, texts, called):
        while True:
            _, text, outside = code[i]
            texts = texts + [text]
            if RETURN.match(text):
                found.append((texts, called))
                return
            if CALL.match(text):
                called = called + [outside or text]
            elif JUMP.match(text):
                if outside:  # a call in place of the return
                    found.append((texts, called + [outside]))
                    return
                i = index[target(text)]
                continue
            elif BRANCH.match(text):
                if outside:
                    found.append((texts, called + [outside]))
                else:
                    walk(index[target(text)], texts, called)
            i += 1

    walk(0, [], [])
    return found


def loads(texts):
    return sum(bool(re.search(ARGUMENT, text)) for text in texts)


class Inlined(unittest.TestCase):
    def check(self, source, called):
        """Two ways through it call nobody: that of no context, and that of one where there is nothing to do."""
        for compiler, language, standard in house.LANGUAGES:
            with self.subTest(compiler=compiler, language=language):
                found = ways(code_of(compiler, language, standard, source))
                quick = [texts for texts, calls in found if not calls]
                self.assertEqual(len(quick), 2, found)
                self.assertEqual({name for _, calls in found for name in calls}, called)
                self.assertLessEqual(max(map(len, quick)), MOST, quick)
                if ARGUMENT:
                    self.assertEqual(sorted(map(loads, quick)), [0, 1], quick)

    def test_asking_is_one_load_and_one_comparison(self):
        self.check(ASKS, called={"wh_err_"})

    def test_setting_is_the_same_where_nobody_records(self):
        self.check(SETS, called={"strlen", "wh_set_str_"})


if __name__ == "__main__":
    unittest.main(verbosity=2)
