#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes linalg.txt beside itself: values and gradients of linear algebra as PyTorch computes them.

usage: linalg_reference.py        (needs PyTorch; common.py describes the file)

Functions are made well conditioned here as in golden_linalg_test.cpp; those whose factors have free
signs are combined so that the signs cancel.
"""
import torch

import common

L = torch.linalg


def eye(x):
    m, n = x.shape[-2:]
    return torch.eye(max(m, n), dtype=x.dtype)[:m, :n]


def tame(x):
    return 0.25 * x + 2 * eye(x)


def definite(x):
    return 0.125 * (x + x.mT) + 2 * eye(x)


def vector(x):
    """The first column of a matrix: a strided view."""
    return x if x.dim() == 1 else x.select(-1, 0)


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
    "matmul": torch.matmul,
    "linear": torch.nn.functional.linear,
    "dot": lambda a, b: torch.dot(vector(a), vector(b)),
    "outer": lambda a, b: torch.outer(vector(a), vector(b)),
    "mv": lambda a, v: torch.mv(a, vector(v)),
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

# function:argument, shapes; a T after a shape: the input is given as its transpose.
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
    ("dot,of_a_view", [["4,3", "4,2"]]),
    ("dot", [["0", "0"]]),
    ("outer,of_a_view", [["3,2", "2,3"]]),
    ("outer", [["0", "3"]]),
    ("mv", [["3,4", "4,2"], ["2,0", "0"]]),
    ("kron", [["1,1", "1,1"]]),
    ("einsum:ij,jk->ik", [["2,0", "0,3"], ["1,1", "1,1"]]),
    ("matmul", [["5", "5"], ["3", "3,4"], ["2,3", "3"], ["2,3", "3,4"], ["2,2,3", "3,2"],
                ["2,1,2,3", "3,3,2"], ["3,2 T", "4,3 T"], ["3", "2,3,2"], ["2,2,3", "3"],
                ["1,1", "1,1"], ["2,0", "0,3"], ["5,17", "17,9"]]),
    ("linear", [["2,3", "4,3", "4"], ["2,2,3", "2,3", "2"], ["3,2 T", "3,2 T", "2"],
                ["3", "2,3", "2"], ["0,3", "2,3", "2"]]),
]


def cases():
    for name, variants in CASES:
        function = FUNCTIONS.get(name.replace(",of_a_view", "")) or (
            lambda *x, name=name: torch.einsum(name.split(":")[1], *x))
        name, *arguments = name.split(":")
        for texts in variants:
            inputs = [common.Input(map(int, text.replace(" T", "").split(",")), strided="T" in text)
                      for text in texts]
            yield name, arguments, inputs, function


if __name__ == "__main__":
    common.write("linalg", cases())
