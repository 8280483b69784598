"""The experiment, small: what must hold however slow the machine is.

Usage: test_experiment.py PROGRAM [unittest's arguments]
"""

import csv
import os
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

PROGRAM = None


class Experiment(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = folder.name
        cls.table = subprocess.run([PROGRAM, "--quick", "--csv", cls.folder], stdin=subprocess.DEVNULL, check=True,
                                   stdout=subprocess.PIPE, timeout=100).stdout.decode()
        with open(f"{cls.folder}/experiment.csv", encoding="utf-8") as file:
            cls.rows = {row["what"]: (float(row["without"]), float(row["with"])) for row in csv.DictReader(file)}

    def test_the_table_says_what_the_file_says(self):
        for what in self.rows:
            self.assertIn(what, self.table)

    def test_who_waits_is_answered_either_way(self):
        without, with_contexts = self.rows["clients that got their answer"]
        self.assertGreater(without, 0)
        self.assertEqual(without, with_contexts)

    def test_nobody_is_at_work_afterwards(self):
        without, with_contexts = self.rows["live workers afterwards"]
        self.assertGreater(without, with_contexts)

    def test_little_is_done_for_nobody(self):
        for what in ("steps done for nobody", "time worked for nobody"):
            without, with_contexts = self.rows[what]
            self.assertLess(with_contexts, without / 2, what)

    def test_the_deadline_cuts_the_tail_off_and_says_so(self):
        without, with_contexts = self.rows["fan-out: complete answers"]
        self.assertEqual(without, 100)
        self.assertLess(with_contexts, 100)

    def test_the_picture(self):
        plot = os.path.join(os.environ["WHENCE_SOURCE"], "examples", "experiment", "plot.py")
        subprocess.run([sys.executable, plot, self.folder], check=True, timeout=60)
        picture = xml.etree.ElementTree.parse(f"{self.folder}/experiment.svg").getroot()
        lines = [path for path in picture.iter("{http://www.w3.org/2000/svg}path") if path.get("class") == "line"]
        self.assertEqual(len(lines), 6)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main(verbosity=2)
