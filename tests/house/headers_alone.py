#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compiles every installed header alone, included twice, as many at a time as there are cores.

usage: headers_alone.py ROOT COMPILER [FLAGS...]
"""
import concurrent.futures
import os
import pathlib
import subprocess
import sys


# Headers for users of another library, which need not be installed here.
NEEDS = {"autograd/eigen.hpp": "Eigen/Core"}


def installed_headers(root: pathlib.Path):
    """The rule of CMakeLists.txt: all headers but the kernels' per-instruction-set bodies."""
    for folder in ("autograd", "nn"):
        for file in sorted((root / folder).rglob("*.hpp")):
            if not (file.parent.name == "kernels" and file.name.endswith("-inl.hpp")):
                yield file.relative_to(root).as_posix()


def complaint(header: str, command: list) -> str:
    line = f"#include <{header}>\n"
    if header in NEEDS:
        line = f"#if __has_include(<{NEEDS[header]}>)\n{line}#endif\n"
    done = subprocess.run([*command, "-x", "c++", "-"], input=line + line, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return f"{header} does not compile alone:\n{done.stdout}" if done.returncode else ""


def main() -> int:
    if len(sys.argv) < 3:
        print(__doc__)
        return 2
    headers, command = list(installed_headers(pathlib.Path(sys.argv[1]))), sys.argv[2:]
    if not headers:
        print(f"no headers found in {sys.argv[1]}")
        return 1
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        wrong = [text for text in pool.map(lambda h: complaint(h, command), headers) if text]
    print("\n".join(wrong))
    print(f"{len(headers) - len(wrong)} of {len(headers)} headers compile alone")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
