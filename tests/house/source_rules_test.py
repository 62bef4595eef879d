#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tries source_rules.py on small trees that break each rule once: a check that cannot fail is none."""
import pathlib
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True  # leave no __pycache__ among the sources
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import source_rules  # noqa: E402

LICENSE_LINE = "// SPDX-License-Identifier: Apache-2.0\n"
# file -> lines that are fine there, lines that are not
CASES = {
    "autograd/kernels/gemm.cpp": (
        ['#include "../error.hpp"', '#include "../dtype.hpp"', "#include <hwy/highway.h>",
         '#include "../ops/elementwise.hpp"', '#include "pack.hpp"'],
        ['#include "../tape.hpp"', "#include <autograd/tensor.hpp>", '#include "../ops/matmul.hpp"']),
    "autograd/ops/matmul.cpp": (
        ['#include "../kernels/pack.hpp"', "#include <autograd/tensor.hpp>"],
        ['#include "../tape.hpp"', "#include <autograd/apply.hpp>", '#include "../var.hpp"',
         '#  include "../drivers.hpp"', "#include <autograd/gradcheck.hpp>"]),
    "autograd/tape.cpp": (["#include <autograd/tensor.hpp>", '#include "ops/matmul.hpp"'],
                          ["#include <nn/nn.hpp>", '#include "../nn/nn.hpp"']),
    "nn/linear.cpp": (["#include <autograd/autograd.hpp>", '#include "nn.hpp"', "#include <vector>"],
                      ["#include <autograd/tensor.hpp>", '#include "../autograd/tape.hpp"']),
    "examples/xor.cpp": (["#include <nn/nn.hpp>", "#include <CLI/CLI.hpp>", "#include <vector>"],
                         ["#include <nn/linear.hpp>", "#include <autograd/tape.hpp>",
                          '#include "../tests/util.hpp"']),
    "tests/a_test.cpp": (["#include <autograd/tape.hpp>", "#include <gtest/gtest.h>"],
                         ['#include "../bench/timer.hpp"']),
}
HEADERS = ("autograd/autograd.hpp autograd/error.hpp autograd/dtype.hpp autograd/tape.hpp "
           "autograd/tensor.hpp autograd/apply.hpp autograd/var.hpp autograd/drivers.hpp "
           "autograd/gradcheck.hpp autograd/kernels/pack.hpp autograd/ops/elementwise.hpp "
           "autograd/ops/matmul.hpp nn/nn.hpp nn/linear.hpp tests/util.hpp bench/timer.hpp").split()


class Rules(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name).resolve()
        for name in HEADERS:
            self.write(name, LICENSE_LINE)

    def write(self, name: str, text: str):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def test_include_rule(self):
        for name, (allowed, forbidden) in CASES.items():
            self.write(name, LICENSE_LINE + "\n".join(allowed))
            self.assertEqual(list(source_rules.include_rule(self.root)), [])
            for line in forbidden:
                self.write(name, LICENSE_LINE + line)
                self.assertEqual(len(list(source_rules.include_rule(self.root))), 1, (name, line))
            self.write(name, LICENSE_LINE)

    def test_file_size(self):
        self.write("nn/long.cpp", "\n" * source_rules.MAX_LINES)
        self.assertEqual(list(source_rules.file_size(self.root)), [])
        self.write("nn/long.cpp", "\n" * (source_rules.MAX_LINES + 1))
        self.assertEqual(len(list(source_rules.file_size(self.root))), 1)

    def test_spdx_line(self):
        self.assertEqual(list(source_rules.spdx_line(self.root)), [])
        self.write("nn/bare.hpp", "#pragma once\n")
        self.write("tests/bare.sh", "#!/bin/sh\n")
        self.assertEqual(len(list(source_rules.spdx_line(self.root))), 2)


if __name__ == "__main__":
    unittest.main()
