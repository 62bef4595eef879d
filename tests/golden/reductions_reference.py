#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes reductions.txt beside this file: what PyTorch gives for reductions, scans and orders.

usage: reductions_reference.py        (needs PyTorch; common.py describes the file)

Arguments: axes are joined by commas; `all` stands for no axes.
"""
import torch

import common


def axes_of(text):
    return None if text == "all" else [int(axis) for axis in text.split(",")]


def over(function):
    """function(x, axes, keepdim False), with every axis for `all`."""
    return lambda x, axes: function(x, axes_of(axes) or list(range(x.dim())))


OPS = {
    "prod": lambda x, axis: torch.prod(x) if axis == "all" else torch.prod(x, int(axis)),
    "amax": over(torch.amax),
    "amin": over(torch.amin),
    "max": lambda x, axis: torch.max(x) if axis == "all" else torch.max(x, int(axis)),
    "min": lambda x, axis: torch.min(x) if axis == "all" else torch.min(x, int(axis)),
    "argmax": lambda x, axis: torch.argmax(x, None if axis == "all" else int(axis)),
    "argmin": lambda x, axis: torch.argmin(x, None if axis == "all" else int(axis)),
    "any": lambda x, axis: torch.any(x != 0) if axis == "all" else torch.any(x != 0, int(axis)),
    "all": lambda x, axis: torch.all(x != 0) if axis == "all" else torch.all(x != 0, int(axis)),
    "count_nonzero": lambda x, axes: torch.count_nonzero(x, axes_of(axes)),
    "nansum": over(lambda x, axes: torch.nansum(torch.log(x), axes)),
    "nanmean": over(lambda x, axes: torch.nanmean(torch.log(x), axes)),
    "var": lambda x, c, axes: torch.var(x, axes_of(axes), correction=int(c), keepdim=False),
    "std": lambda x, c, axes: torch.std(x, axes_of(axes), correction=int(c), keepdim=False),
    "norm": lambda x, p, axes: torch.linalg.vector_norm(x, float(p), axes_of(axes)),
    "cumsum": lambda x, axis: torch.cumsum(x, int(axis)),
    "cumprod": lambda x, axis: torch.cumprod(x, int(axis)),
    "logcumsumexp": lambda x, axis: torch.logcumsumexp(x, int(axis)),
    "sort": lambda x, axis, way: torch.sort(x, dim=int(axis), descending=way == "down",
                                            stable=True),
    "topk": lambda x, k, axis, way: torch.topk(x, int(k), int(axis), way == "down"),
    "kthvalue": lambda x, k, axis: torch.kthvalue(x, int(k), int(axis)),
    "argsort": lambda x, axis, way: torch.sort(x, dim=int(axis), descending=way == "down",
                                               stable=True)[1],
    "sum": over(torch.sum),
    "mean": over(torch.mean),
    "logsumexp": lambda x, axis, scale: torch.logsumexp(float(scale) * x, int(axis)),
    "softmax": lambda x, axis, scale: torch.softmax(float(scale) * x, int(axis)),
    "log_softmax": lambda x, axis, scale: torch.log_softmax(float(scale) * x, int(axis)),
    "median": lambda x, axis: torch.median(x) if axis == "all" else torch.median(x, int(axis)),
}

# What each op is called with: (arguments, shape, levels, layout), at least four of them.
AXIS = [("1", (3, 4), 0, "plain"), ("0", (3, 4), 0, "strided"), ("1", (2, 3, 4), 0, "plain"),
        ("-1", (2, 9), 2, "plain")]
FLAT = AXIS + [("all", (5,), 0, "plain"), ("all", (), 0, "plain")]
AXES = [("all", (3, 4), 0, "plain"), ("0", (3, 4), 0, "strided"), ("0,2", (2, 3, 4), 0, "plain"),
        ("-1", (2, 9), 2, "plain")]

EMPTY = [("0", (0, 3), 0, "plain")]
SCALES = [("1 64", (3, 4), 0, "plain"), ("0 1024", (3, 2), 0, "plain"), ("0 1", (1, 3), 0, "plain")]


def before(word, rows):
    return [(f"{word} {arguments}", *rest) for arguments, *rest in rows]


CASES = {
    **{name: FLAT for name in ("prod", "argmax", "argmin", "any", "all")},
    **{name: AXIS for name in ("max", "min", "cumsum", "cumprod", "logcumsumexp")},
    **{name: AXES for name in ("amax", "amin", "count_nonzero", "nansum", "nanmean")},
    **{name: before("1", AXES) + before("0", AXES) + before("2", AXES[1:3])
       for name in ("var", "std")},
    "norm": [row for p in ("2", "1", "0", "3", "1.5", "0.5", "-2", "inf", "-inf")
             for row in before(p, AXES)],
    "sort": [(f"{arguments} {way}", *rest) for arguments, *rest in AXIS for way in ("up", "down")],
    "topk": [("2 1 down", (3, 4), 0, "plain"), ("1 0 up", (3, 4), 0, "strided"),
             ("2 1 down", (2, 3, 4), 0, "plain"), ("9 -1 up", (2, 9), 0, "plain")],
    "kthvalue": [("3 1", (3, 4), 0, "plain"), ("1 0", (3, 4), 0, "strided"),
                 ("2 1", (2, 3, 4), 0, "plain"), ("9 -1", (2, 9), 0, "plain")],
    "median": [("1", (3, 4), 0, "plain"), ("0", (3, 4), 0, "strided"), ("1", (2, 3, 4), 0, "plain"),
               ("-1", (2, 9), 0, "plain"), ("all", (3, 4), 0, "strided"), ("all", (9,), 2, "plain")],
}
MORE = {
    "sum": AXES + EMPTY + [("all", (), 0, "plain"), ("2,1", (2, 3, 4), 0, "strided")],
    "mean": AXES + [("all", (), 0, "plain"), ("2,1", (2, 3, 4), 0, "strided")],
    **{name: [("all", shape, 2 * (len(shape) == 1), layout) for shape, layout in (
        ((3, 4), "plain"), ((2, 3, 2), "plain"), ((3, 4), "strided"), ((9,), "plain"))]
       for name in ("max", "min")},
    **{name: [(f"{axis} 1", *rest) for axis, *rest in AXIS] + SCALES
       for name in ("logsumexp", "softmax", "log_softmax")},
    "argsort": [(f"{arguments} {way}", *rest) for arguments, *rest in AXIS for way in ("up", "down")],
}


def cases():
    seed = 0
    for name, rows in [*CASES.items(), *MORE.items()]:
        for text, shape, levels, layout in rows:
            seed += 1
            arguments = text.split()
            yield (name, arguments, [common.Input(shape, seed, levels, layout == "strided")],
                   lambda x, f=OPS[name], arguments=arguments: f(x, *arguments))


if __name__ == "__main__":
    common.write("reductions", cases())
