"""The pages for people: what they quote is what there is, and their links lead somewhere."""

import csv
import glob
import os
import re
import unittest

from house import CC, SOURCE, WARNINGS, read, run

PAGES = [os.path.relpath(path, SOURCE) for top in ("*.md", "docs/**/*.md", "bench/*.md", "tests/**/*.md", "examples/**/*.md")
         for path in glob.glob(f"{SOURCE}/{top}", recursive=True)]


class Pages(unittest.TestCase):
    def test_the_two_commands_come_first(self):
        commands = [line.split("#")[0].strip() for line in read("README.md").splitlines() if line.startswith("    ")]
        self.assertEqual(commands[:2], ["./run demo", "./run test"])

    def test_the_first_program_is_the_example(self):
        blocks = re.findall(r"^```c\n(.*?)^```$", read("README.md"), re.M | re.S)
        example = read("examples", "first", "first.c").split("\n", 1)[1]
        self.assertIn(example, blocks)
        self.assertLess(example.count("\n"), 30)

    def test_the_code_in_the_book_compiles(self):
        blocks = re.findall(r"^```c\n(.*?)^```$", read("docs", "context.md"), re.M | re.S)
        self.assertGreater(len(blocks), 5)
        for number, block in enumerate(blocks, 1):
            for compiler in CC:
                with self.subTest(block=number, compiler=compiler):
                    run(compiler, "-std=c11", "-D_GNU_SOURCE", *WARNINGS, "-Wno-unused-function", "-I", f"{SOURCE}/include",
                        "-include", f"{SOURCE}/tests/house/book.h", "-fsyntax-only", "-x", "c", "-", input=block)

    def test_the_experiments_table_is_what_was_measured(self):
        page = re.sub(" +", " ", read("docs", "context.md"))
        for row in csv.DictReader(read("docs", "experiment", "experiment.csv").splitlines()):
            cells = [f"{row[mode]} {row['unit']}".strip() for mode in ("without", "with")]
            self.assertIn(f"| {row['what']} | {cells[0]} | {cells[1]} |", page)

    def test_links_lead_somewhere(self):
        for page in PAGES:
            for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", read(page)):
                if not re.match(r"[a-z]+:", target):
                    with self.subTest(page=page, target=target):
                        self.assertTrue(os.path.exists(os.path.join(SOURCE, os.path.dirname(page), target)))

    def test_the_vectors_of_the_cause_header_are_tested(self):
        vectors = {}
        for block in re.split(r"\n\s*\n", read("tests", "propagate", "cause_vectors.txt")):
            field = re.search(r"^field (.*)$", block, re.M)
            if field:
                vectors[field.group(1)] = bool(re.search(r"^refused ", block, re.M))
        rows = re.findall(r"^\| `(.*)` \| (.*) \|$", read("docs", "cause-header.md").split("## Test vectors")[1], re.M)
        self.assertGreater(len(rows), 10)
        for value, what in rows:
            with self.subTest(value=value):
                self.assertEqual(vectors.get(value), what.startswith("refused"))

    def test_every_variable_is_explained(self):
        used = set()
        for path in glob.glob(f"{SOURCE}/main/**/*.c", recursive=True):
            used |= set(re.findall(r'"((?:OTEL|WHENCE)_[A-Z_]+)"', read(os.path.relpath(path, SOURCE))))
        page = read("docs", "configuration.md")
        explained = set(re.findall(r"(?:OTEL|WHENCE)_[A-Z_]+", re.sub(r"\[TRACES_\]", "", page)))
        explained |= {name.replace("OTLP_", "OTLP_TRACES_") for name in explained if "[TRACES_]" in page}
        self.assertTrue(used)
        self.assertLessEqual(used, explained)


if __name__ == "__main__":
    unittest.main(verbosity=2)
