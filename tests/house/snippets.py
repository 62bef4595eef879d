#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Programs inside documents: a ```cpp block with a main(), directly followed by a ```text block.

usage: snippets.py extract DOCUMENT FOLDER     writes 1.cpp, 1.txt, 2.cpp, ...; prints the numbers
       snippets.py compare PROGRAM EXPECTED    runs the program and compares what it prints
A program without its output right behind it is an error: it would never be compared.
"""
import difflib
import pathlib
import re
import subprocess
import sys

BLOCK = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```[ \t]*\n?", re.MULTILINE | re.DOTALL)


def programs(text: str):
    blocks = list(BLOCK.finditer(text))
    for block, after in zip(blocks, [*blocks[1:], None]):
        if block[1] != "cpp" or not re.search(r"\bint main\b", block[2]):
            continue
        direct = after and after[1] == "text" and not text[block.end():after.start()].strip()
        if not direct:
            line = text.count("\n", 0, block.start()) + 1
            raise SystemExit(f"line {line}: a program without its output; need a ```text block "
                             "directly behind the ```cpp block")
        yield block[2], after[2]


def write_if_changed(path: pathlib.Path, text: str):
    if not path.exists() or path.read_text() != text:  # an unchanged snippet is not rebuilt
        path.write_text(text)


def extract(document: str, folder: pathlib.Path) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    for number, (code, output) in enumerate(programs(pathlib.Path(document).read_text()), 1):
        write_if_changed(folder / f"{number}.cpp", code)
        write_if_changed(folder / f"{number}.txt", output)
        print(number)
    return 0


def compare(program: str, expected: pathlib.Path) -> int:
    done = subprocess.run([program], capture_output=True, text=True, timeout=100)
    want = [line.rstrip() for line in expected.read_text().rstrip().splitlines()]
    got = [line.rstrip() for line in done.stdout.rstrip().splitlines()]
    if done.returncode == 0 and want == got:
        return 0
    print(f"exit status {done.returncode}\n{done.stderr}")
    print("\n".join(difflib.unified_diff(want, got, "the document", "the program", lineterm="")))
    return 1


def main() -> int:
    if len(sys.argv) != 4 or sys.argv[1] not in ("extract", "compare"):
        print(__doc__)
        return 2
    run = extract if sys.argv[1] == "extract" else compare
    return run(sys.argv[2], pathlib.Path(sys.argv[3]))


if __name__ == "__main__":
    sys.exit(main())
