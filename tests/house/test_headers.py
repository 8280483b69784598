#!/usr/bin/env python3
"""The public headers: each stands alone, in C and in C++, in any order, and includes only those that come before it in the book."""

import unittest

import house


class Headers(unittest.TestCase):
    def compile(self, *orders):
        """Every order of headers, by every compiler, in one program each."""
        cflags = ["-I", f"{house.SOURCE}/include", *house.public_cflags(), *house.WARNINGS]
        for order in orders:
            text = "".join(f"#include <whence/{name}.h>\n" for name in order) + "int unused;\n"
            for compiler, language, standard in house.LANGUAGES:
                with self.subTest(order=order, compiler=compiler):
                    house.run(compiler, standard, "-x", language, *cflags, "-fsyntax-only", "-", input=text)

    def test_each_alone(self):
        self.compile(*([name] for name in house.public_headers()))

    def test_in_any_order(self):
        names = house.public_headers()
        self.compile(*(names[i:] + names[:i] for i in range(len(names))), names[::-1])

    def test_twice(self):
        self.compile(house.public_headers() * 2)

    def test_with_extensions_and_without_optimizing_them_away(self):
        text = "#include <whence/whence.h>\nint main(void) { return wh_err(wh_background()); }\n"
        for compiler, language, _ in house.LANGUAGES:
            for level in ("-O0", "-O2"):
                house.run(compiler, "-x", language, f"-std=gnu{'++17' if language == 'c++' else '11'}", level, *house.WARNINGS,
                          "-I", f"{house.SOURCE}/include", "-c", "-o", "/dev/null", "-", input=text)

    def test_each_includes_only_what_comes_before_it(self):
        for i, name in enumerate(house.BOOK):
            quoted, angled = house.includes(house.read("include", "whence", f"{name}.h"))
            self.assertEqual(quoted, [], name)
            ours = {path for path in angled if path.startswith("whence/")}
            earlier = {f"whence/{other}.h" for other in house.BOOK[:i]}
            if name == "trace":
                earlier.add("whence/set.h")  # its macros' other half, at its end
            self.assertLessEqual(ours, earlier, name)


if __name__ == "__main__":
    unittest.main(verbosity=2)
