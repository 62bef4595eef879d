#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Rules that need no compiler: who may include whom, how long a file may be, the license line.

usage: source_rules.py ROOT RULE...      (RULE: include_rule, file_size, spdx_line)
Prints one line per offence, `path:line: what is wrong; need ...`; exit status 1 when there is one.
"""
import pathlib
import re
import sys

FOLDERS = ("autograd", "nn", "tests", "bench", "examples")
MAX_LINES = 600
SPDX = "SPDX-License-Identifier: Apache-2.0"
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')

UMBRELLAS = ("autograd/autograd.hpp", "nn/nn.hpp")
# What the loops over spans may know of the library: values of no consequence, and the row list,
# which they compile once per instruction set.
KERNELS_MAY = re.compile(r"autograd/(kernels/.*|(error|dtype|shape|inline|scalar_math)\.hpp"
                         r"|ops/(elementwise\w*|rows)\.hpp)$")
# The mathematics never sees how it is recorded, nor who drives it.
OPS_MUST_NOT = re.compile(r"autograd/(tape|apply|var|sweep|gradcheck|drivers)\w*\.hpp$"
                          r"|autograd/autograd\.hpp$")


def included(root: pathlib.Path, file: pathlib.Path):
    """(line number, path from the root, or None when it is not a file of ours, as written)."""
    for number, line in enumerate(file.read_text(errors="replace").splitlines(), 1):
        found = INCLUDE.match(line)
        if not found:
            continue
        quote, name = found.groups()
        beside, below_root = (file.parent / name).resolve(), (root / name).resolve()
        if quote == '"' and beside.is_file():
            path = beside
        elif below_root.is_file() or name.split("/")[0] in FOLDERS:
            path = below_root
        else:
            yield number, None, name
            continue
        inside = path.is_relative_to(root)
        yield number, path.relative_to(root).as_posix() if inside else path.as_posix(), name


def broken_rule(where: str, target: str):
    """What `where` needs instead of including `target`, or None when it may."""
    folder, aim = where.split("/")[0], target.split("/")[0]
    if aim not in FOLDERS:
        return "a header of this project or a library's <header>"
    if folder == "autograd":
        if aim != "autograd":
            return "autograd includes nothing of " + aim
        if where.startswith("autograd/kernels/") and not KERNELS_MAY.match(target):
            return "kernels/ includes only kernels/, error, dtype, shape and the op rows"
        if where.startswith("autograd/ops/") and OPS_MUST_NOT.match(target):
            return "ops/ never sees the tape, apply, var, sweep, gradcheck or the drivers"
    elif folder == "nn":
        if aim != "nn" and target != UMBRELLAS[0]:
            return f"nn includes its own headers and <{UMBRELLAS[0]}> only"
    elif folder == "examples":
        if aim != "examples" and target not in UMBRELLAS:
            return f"examples include <{UMBRELLAS[0]}>, <{UMBRELLAS[1]}> and libraries only"
    elif folder == "bench" and aim not in ("bench", "autograd", "nn"):
        return "bench includes nothing of " + aim
    elif folder == "tests" and aim in ("bench", "examples"):
        return "tests include nothing of " + aim
    return None


def sources(root: pathlib.Path):
    for folder in FOLDERS:
        for file in sorted((root / folder).rglob("*")):
            if file.suffix in (".hpp", ".cpp") and file.is_file():
                yield file


def include_rule(root: pathlib.Path):
    for file in sources(root):
        where = file.relative_to(root).as_posix()
        for number, target, written in included(root, file):
            need = target and broken_rule(where, target)
            if need:
                yield f"{where}:{number}: includes {written}; need: {need}"


def file_size(root: pathlib.Path):
    for file in sources(root):
        lines = len(file.read_text(errors="replace").splitlines())
        if lines > MAX_LINES:
            where = file.relative_to(root).as_posix()
            yield f"{where}:{lines}: the file has {lines} lines; need at most {MAX_LINES}: split it"


def spdx_line(root: pathlib.Path):
    scripts = [f for folder in FOLDERS for pattern in ("*.py", "*.sh", "*.cmake", "CMakeLists.txt")
               for f in sorted((root / folder).rglob(pattern))]
    for file in [*sources(root), *scripts]:
        comment = "//" if file.suffix in (".hpp", ".cpp") else "#"
        head = file.read_text(errors="replace").splitlines()[:5]
        if f"{comment} {SPDX}" not in head:
            where = file.relative_to(root).as_posix()
            yield f"{where}:1: no license line at the top; need: {comment} {SPDX}"


RULES = {"include_rule": include_rule, "file_size": file_size, "spdx_line": spdx_line}


def main() -> int:
    if len(sys.argv) < 3 or any(name not in RULES for name in sys.argv[2:]):
        print(__doc__)
        return 2
    root = pathlib.Path(sys.argv[1]).resolve()
    offences = [text for name in sys.argv[2:] for text in RULES[name](root)]
    print("\n".join(offences) if offences else "no offences")
    return 1 if offences else 0


if __name__ == "__main__":
    sys.exit(main())
