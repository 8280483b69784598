"""The version: one number everywhere, a page that says what it means, and releases that say what they follow."""

import re
import unittest

from house import read


class Versions(unittest.TestCase):
    def test_it_is_the_same_everywhere(self):
        version = re.search(r"project\(whence VERSION (\d+\.\d+\.\d+) ", read("CMakeLists.txt"))[1]
        header = read("include", "whence", "base.h")
        parts = [re.search(rf"#define WH_VERSION_{part} (\d+)", header)[1] for part in ("MAJOR", "MINOR", "PATCH")]
        self.assertEqual(".".join(parts), version)
        self.assertIn(f'#define WH_VERSION "{version}"', header)
        self.assertRegex(read("CHANGELOG.md"), rf"(?m)^## {re.escape(version)}\b")

    def test_a_page_says_what_it_means(self):
        page = read("VERSIONING.md")
        for word in ("semver.org", "major", "minor", "patch", "soname", "three years", "one year", "deprecated"):
            self.assertIn(word, page)

    def test_every_release_says_which_specification_it_follows(self):
        releases = re.split(r"(?m)^## ", read("CHANGELOG.md"))[1:]
        self.assertTrue(releases)
        for release in releases:
            for what in (r"OpenTelemetry\s+specification", r"OTLP \d+\.\d+", r"semantic\s+conventions \d+\.\d+"):
                with self.subTest(release=release.splitlines()[0], what=what):
                    self.assertRegex(release, what)

    def test_the_page_and_the_last_release_follow_the_same(self):
        of_page = set(re.findall(r"(?:specification|OTLP|conventions) (\d+\.\d+)", read("VERSIONING.md")))
        last = re.split(r"(?m)^## ", read("CHANGELOG.md"))[1]
        self.assertEqual(of_page, set(re.findall(r"(?:[Vv]ersion|OTLP|conventions) (\d+\.\d+)", last)))


if __name__ == "__main__":
    unittest.main(verbosity=2)
