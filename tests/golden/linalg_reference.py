#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes linalg.txt beside itself: values and gradients of linear algebra as PyTorch computes them.

usage: linalg_reference.py        (needs PyTorch; written with 1.13)
A case is
  case FUNCTION DTYPE LABEL
  x SHAPE SEED [T]      an input: element i is sin(12.9898 i + SEED), so a matrix
                        has rank 2; T: given as the transpose of it
  y SHAPE VALUES        the value
  dx SHAPE VALUES       the gradient of each input, when element i of dy is cos(0.7 i + 1)
A shape is its extents with commas, or - for none. Everything is computed in float64, from inputs that
are rounded to the dtype, and printed with as many digits as the dtype holds. Functions are made well
conditioned here as in golden_linalg_test.cpp; those whose factors have free signs are combined so that
the signs cancel.
"""
import pathlib

import numpy
import torch

L = torch.linalg


def eye(x):
    m, n = x.shape[-2:]
    return torch.eye(max(m, n), dtype=x.dtype)[:m, :n]


def tame(x):
    return 0.25 * x + 2 * eye(x)


def definite(x):
    return 0.125 * (x + x.mT) + 2 * eye(x)


def spaced(x):
    return 0.1 * x + eye(x) * (2 * torch.arange(x.shape[-1], dtype=x.dtype) + 1)


def eigh(x):
    values, vectors = L.eigh(0.5 * (spaced(x) + spaced(x).mT))
    return vectors @ torch.diag_embed(torch.sin(values)) @ vectors.mT


def svd(x):
    u, s, vh = L.svd(spaced(x), full_matrices=False)
    return u @ torch.diag_embed(torch.sin(s)) @ vh


def qr(x):
    q, r = L.qr(tame(x))
    return q @ torch.sin(r)


FUNCTIONS = {
    "dot": torch.dot,
    "outer": torch.outer,
    "mv": torch.mv,
    "bmm": torch.bmm,
    "kron": lambda a, b: torch.kron(a.contiguous(), b.contiguous()),
    "trace": lambda x: x.diagonal(dim1=-2, dim2=-1).sum(-1),
    "matrix_power:3": lambda x: L.matrix_power(tame(x), 3),
    "matrix_power:-2": lambda x: L.matrix_power(tame(x), -2),
    "det": lambda x: L.det(tame(x)),
    "slogdet": lambda x: L.slogdet(tame(x))[1],
    "logdet": lambda x: torch.logdet(tame(x)),
    "inverse": lambda x: L.inv(tame(x)),
    "solve": lambda a, b: L.solve(tame(a), b),
    "solve_triangular": lambda a, b: L.solve_triangular(tame(a), b, upper=False),
    "solve_triangular:unit": lambda a, b: L.solve_triangular(
        tame(a), b, upper=True, left=False, unitriangular=True),
    "pinv": lambda x: L.pinv(tame(x)),
    "lstsq": lambda a, b: L.lstsq(tame(a), b).solution,
    "cholesky": lambda x: L.cholesky(definite(x)),
    "cholesky:upper": lambda x: L.cholesky(definite(x), upper=True),
    "qr": qr,
    "eigh": eigh,
    "eigvalsh": lambda x: L.eigh(definite(x))[0],
    "svd": svd,
    "svdvals": lambda x: L.svdvals(spaced(x)),
    "matrix_exp": lambda x: torch.matrix_exp(x),
    "matrix_exp:8": lambda x: torch.matrix_exp(8 * x) * 0.01,
}

# function, labels with shapes; a T after a shape: the input is a transposed view.
CASES = [
    ("dot", [["5", "5"], ["1", "1"], ["33", "33"], ["2", "2"]]),
    ("outer", [["3", "4"], ["1", "5"], ["4", "1"], ["2", "2"]]),
    ("mv", [["3,4", "4"], ["1,1", "1"], ["4,3 T", "4"], ["1,5", "5"]]),
    ("bmm", [["2,3,4", "2,4,2"], ["1,1,1", "1,1,1"], ["2,4,3 T", "2,2,4 T"], ["3,1,2", "3,2,1"]]),
    ("kron", [["2,3", "2,2"], ["2,2,2", "2,1"], ["3,2 T", "2,3 T"], ["3", "2,2"]]),
    ("trace", [["3,3"], ["2,3,3"], ["3,2 T"], ["1,1"]]),
    ("matrix_power:3", [["3,3"], ["2,2,2"], ["3,3 T"], ["1,1"]]),
    ("matrix_power:-2", [["3,3"], ["2,2,2"], ["3,3 T"], ["1,1"]]),
    *((name, [["3,3"], ["2,3,3"], ["3,3 T"], ["1,1"], ["4,4"]]) for name in (
        "det", "slogdet", "logdet", "inverse", "cholesky", "cholesky:upper", "eigh", "eigvalsh",
        "matrix_exp", "matrix_exp:8")),
    ("solve", [["3,3", "3,2"], ["2,3,3", "2,3"], ["3,3 T", "2,3 T"], ["1,1", "1,1"], ["3,3", "3"],
               ["2,2", "3,2,2"]]),
    ("solve_triangular", [["3,3", "3,2"], ["2,3,3", "2,3,1"], ["3,3 T", "2,3 T"], ["1,1", "1,1"]]),
    ("solve_triangular:unit", [["3,3", "2,3"], ["2,3,3", "2,1,3"], ["3,3 T", "3,2 T"],
                               ["1,1", "1,1"]]),
    *((name, [["3,3"], ["2,3,2"], ["3,2 T"], ["1,1"], ["4,2"], ["2,4"]]) for name in (
        "pinv", "qr")),
    ("svd", [["3,3"], ["2,2,2"], ["3,3 T"], ["1,1"]]),
    ("svdvals", [["3,3"], ["2,2,2"], ["3,3 T"], ["1,1"]]),
    ("lstsq", [["4,2", "4,3"], ["2,3,2", "2,3,1"], ["2,4 T", "2,4 T"], ["1,1", "1,1"]]),
    ("einsum:ij,jk->ik", [["2,3", "3,4"], ["3,2 T", "4,3 T"]]),
    ("einsum:bij,bjk->bki", [["2,2,3", "2,3,2"]]),
    ("einsum:ii->i", [["3,3"]]),
    ("einsum:ii", [["3,3 T"]]),
    ("einsum:iij,jk->k", [["2,2,3", "3,2"]]),
    ("einsum:ba,cb", [["2,3", "4,2"]]),
    ("einsum:i,j,k->kji", [["2", "3", "2"]]),
    ("einsum:...ij,...jk->...ik", [["2,2,3", "3,2"], ["2,1,2,2", "3,2,2"]]),
    ("einsum:i...,j...->", [["2,3", "2,1"]]),
    ("einsum:ab,bc,cd,de->ae", [["2,3", "3,2", "2,4", "4,2"]]),
    ("einsum:bi,ij,bj->b", [["3,2", "2,4", "3,4"]]),
    ("einsum:ij,kj->ik", [["2,1", "2,3"]]),
]


def shape_of(text):
    return [int(e) for e in text.replace(" T", "").split(",")]


def draw(text, seed):
    shape = shape_of(text)
    i = numpy.arange(numpy.prod(shape, dtype=int))
    return torch.from_numpy(numpy.sin(i * 12.9898 + seed)).reshape(shape)


def line(word, x, dtype):
    shape = ",".join(str(e) for e in x.shape) or "-"
    values = x.detach().contiguous().reshape(-1).numpy()
    if dtype == "float32":
        values = values.astype(numpy.float32)
    return " ".join([word, shape, *(numpy.format_float_scientific(v, unique=True, trim="-")
                                    for v in values)])


def main():
    out = ["# written by linalg_reference.py; PyTorch " + torch.__version__]
    for name, variants in CASES:
        function = FUNCTIONS.get(name) or (
            lambda *x, name=name: torch.einsum(name.split(":")[1], *x))
        for dtype in ("float32", "float64"):
            for number, shapes in enumerate(variants):
                inputs = [draw(text, k + 1) for k, text in enumerate(shapes)]
                if dtype == "float32":
                    inputs = [x.float().double() for x in inputs]
                inputs = [x.requires_grad_() for x in inputs]
                given = [x.mT if "T" in text else x for x, text in zip(inputs, shapes)]
                y = function(*given)
                dy = torch.cos(torch.arange(y.numel(), dtype=y.dtype) * 0.7 + 1).reshape(y.shape)
                gradients = torch.autograd.grad(y, inputs, dy)
                out.append(f"case {name} {dtype} {number}")
                out += [f"x {text.replace(' T', '')} {k + 1}{' T' if 'T' in text else ''}"
                        for k, text in enumerate(shapes)]
                out.append(line("y", y, dtype))
                out += [line("dx", g, dtype) for g in gradients]
    path = pathlib.Path(__file__).with_name("linalg.txt")
    path.write_text("\n".join(out) + "\n")


if __name__ == "__main__":
    main()
