# SPDX-License-Identifier: Apache-2.0
"""What the scripts *_reference.py share: inputs by a formula, PyTorch's values and gradients, the file.

A file FAMILY.txt is read by tests/ops/golden.hpp. It has a block for each case and dtype:

    case NAME DTYPE ARGUMENT...       words without spaces; after a comma in NAME what tells the cases
                                      of a function apart
    x SHAPE SEED LEVELS [strided]     an input: element i is sin(12.9898 i + SEED), rounded to a
                                      multiple of 1 / LEVELS unless that is 0, and to the dtype;
                                      strided: f is given it with its last two axes exchanged
    y SHAPE VALUES...                 f's value
    i SHAPE VALUES...                 positions, where f gives them too
    dx SHAPE VALUES...                of each input, where f is differentiable: the gradient of
                                      sum(dy f), dy[i] = cos(0.7 i + 0.3)

A SHAPE is its extents with commas, or - for none. Everything is computed in float64 from inputs that
are rounded to the dtype, so that float32 is compared with the truth; the digits are the fewest that
read back as the same number. Written with PyTorch 1.13; the tests need only the files.
"""
import math
import pathlib

import numpy
import torch


class Input:
    def __init__(self, shape, seed=None, levels=0, strided=False):
        self.shape, self.seed, self.levels, self.strided = tuple(shape), seed, levels, strided

    def tensor(self, dtype):
        values = numpy.sin(12.9898 * numpy.arange(math.prod(self.shape)) + self.seed)
        if self.levels:
            values = numpy.round(values * self.levels) / self.levels
        rounded = values.astype(numpy.float32 if dtype == "float32" else numpy.float64)
        return torch.from_numpy(rounded.astype(numpy.float64)).reshape(self.shape)


def shape_text(shape):
    return ",".join(map(str, shape)) or "-"


def shape_of(text):
    return [] if text == "-" else [int(extent) for extent in text.split(",")]


def rows(table):
    """(name, arguments, inputs) of each line `NAME | arguments | inputs`, inputs apart by semicolons:
    SHAPE, then @LEVELS, then T for one given as the transpose of its last two axes."""
    for row in table.strip().splitlines():
        name, arguments, texts = (part.strip() for part in row.split("|"))
        inputs = []
        for text in texts.split(";"):
            shape, _, levels = text.replace(" T", "").strip().partition("@")
            inputs.append(Input(shape_of(shape), None, int(levels or 0), " T" in text))
        yield name, arguments.split(), inputs


def line(word, x, dtype):
    values = x.detach().contiguous().reshape(-1).numpy()
    if not x.is_floating_point():
        texts = [str(int(v)) for v in values]
    elif dtype == "float32":
        texts = [str(v) for v in values.astype(numpy.float32)]
    else:
        texts = [repr(float(v)) for v in values]
    return " ".join([word, shape_text(x.shape), *texts])


def cotangent(y):
    return torch.cos(0.7 * torch.arange(y.numel(), dtype=y.dtype) + 0.3).reshape(y.shape)


def block(name, arguments, inputs, f, dtype):
    stored = [i.tensor(dtype).requires_grad_() for i in inputs]
    result = f(*(x.mT if i.strided else x for i, x in zip(inputs, stored)))
    y, index = result if isinstance(result, tuple) else (result, None)
    yield " ".join(["case", name, dtype, *arguments])
    for i in inputs:
        strided = " strided" if i.strided else ""
        yield f"x {shape_text(i.shape)} {i.seed} {i.levels}{strided}"
    yield line("y", y, dtype)
    if index is not None:
        yield line("i", index, dtype)
    if y.is_floating_point() and y.requires_grad:
        for x, g in zip(stored, torch.autograd.grad(y, stored, cotangent(y), allow_unused=True)):
            yield line("dx", torch.zeros_like(x) if g is None else g, dtype)


def write(family, cases):
    """cases: of (name, arguments, inputs, f); an input is an Input or a shape. Seeds count from 1."""
    torch.set_num_threads(1)
    lines = []
    for name, arguments, inputs, f in cases:
        inputs = [i if isinstance(i, Input) else Input(i) for i in inputs]
        for k, i in enumerate(inputs):
            i.seed = k + 1 if i.seed is None else i.seed
        for dtype in ("float32", "float64"):
            lines += block(name, arguments, inputs, f, dtype)
    path = pathlib.Path(__file__).with_name(f"{family}.txt")
    path.write_text("\n".join(lines) + "\n")
    print(f"{path.name}: {len(lines)} lines, {path.stat().st_size} bytes")
