#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compiles a snippet twice: as it is, which must work, and with -DMUST_NOT_COMPILE, which must not.

usage: compile_fail.py --expect=REGEX FILE COMPILER [FLAGS...]
An empty REGEX stands for the one in the file's comment `// expect: regex`. The first build is what
shows that the second fails for its reason and not for a missing header.
"""
import pathlib
import re
import subprocess
import sys


def main() -> int:
    if len(sys.argv) < 4 or not sys.argv[1].startswith("--expect="):
        print(__doc__)
        return 2
    regex, file, command = sys.argv[1].split("=", 1)[1], pathlib.Path(sys.argv[2]), sys.argv[3:]
    text = file.read_text()
    own = re.search(r"^// expect: (.+)$", text, re.MULTILINE)
    if not regex and not own:
        print(f"{file.name}: nothing to compare the message with; need a line '// expect: regex'")
        return 1
    if "MUST_NOT_COMPILE" not in text:
        print(f"{file.name}: nothing to switch on; need a part under '#ifdef MUST_NOT_COMPILE'")
        return 1
    regex = regex or own.group(1).strip()

    def compiled(*extra: str):
        return subprocess.run([*command, *extra, str(file)], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    good, bad = compiled(), compiled("-DMUST_NOT_COMPILE")
    if good.returncode:
        print(f"{file.name}: must build without MUST_NOT_COMPILE, but:\n{good.stdout}")
        return 1
    if not bad.returncode:
        print(f"{file.name}: builds with MUST_NOT_COMPILE; need an error matching: {regex}")
        return 1
    if not re.search(regex, bad.stdout):
        print(f"{file.name}: fails with another message; need a match of: {regex}\n{bad.stdout}")
        return 1
    print(f"{file.name}: refused as it should be")
    return 0


if __name__ == "__main__":
    sys.exit(main())
