#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes index.txt beside it: what PyTorch computes for the functions of shaping.hpp and indexing.hpp.

usage: index_reference.py      (needs PyTorch; the tests need only the file)

A case is `case NAME DTYPE`, for each input `x SHAPE SEED`, then `y SHAPE VALUES...` and for each input
`dx SHAPE VALUES...`. Element i of an input is 2 sin(12.9898 (i + 1) + seed), of the cotangent
cos(0.7 i + 0.3). The scalar shape is written `-`. Several results come as one: their sums of squares.
"""
import math
import pathlib

import torch
import torch.nn.functional as F

CASES = []




def i64(*values):
    return torch.tensor(values, dtype=torch.int64)


def joined(parts):
    return sum((k + 1) * (p * p).sum() for k, p in enumerate(parts))


def add(name, shapes, f):
    CASES.append((name, shapes, f))


A, B, C = (3, 4), (2, 3, 4), (4, 3)
add("permute", [B], lambda x: x.permute(2, 0, 1))
add("permute of a view", [B], lambda x: x.transpose(0, 2).permute(1, 0, 2))
add("permute, negative", [A], lambda x: x.permute(-1, 0))
add("permute, scalar", [()], lambda x: x.permute(()))
add("movedim", [B], lambda x: x.movedim((0, 1), (-1, 0)))
add("squeeze", [(1, 3, 1)], lambda x: x.squeeze())
add("squeeze, one", [(1, 3, 1)], lambda x: x.squeeze(-1))
add("unsqueeze of a view", [A], lambda x: x.t().unsqueeze(-2))
add("flatten of a view", [B], lambda x: x.transpose(0, 1).flatten(1))
add("flatten, scalar", [()], lambda x: x.flatten())
add("unflatten", [(6, 2)], lambda x: x.unflatten(0, (2, -1)))
add("expand", [(3, 1)], lambda x: x.expand(2, -1, 4))
add("expand, none", [(1, 2)], lambda x: x.expand(0, 2))
add("narrow", [A], lambda x: x.narrow(1, 1, 2))
add("narrow of a view", [A], lambda x: x.t().narrow(0, -2, 2))
add("narrow, none", [A], lambda x: x.narrow(0, 3, 0))
add("select", [B], lambda x: x.select(1, -1))
add("split", [(5, 2)], lambda x: joined(x.split(2)))
add("split, sizes, of a view", [(2, 5)], lambda x: joined(x.t().split([1, 4])))
add("chunk", [(5, 2)], lambda x: joined(x.chunk(3)))
add("unbind", [B], lambda x: joined(x.unbind(1)))
add("diagonal", [A], lambda x: x.diagonal(1))
add("diagonal, axes, of a view", [B], lambda x: x.transpose(0, 1).diagonal(-1, 2, 0))
add("diagonal, none", [A], lambda x: x.diagonal(9))
add("diag, vector", [(3,)], lambda x: x.diag(-1))
add("diag, matrix", [A], lambda x: x.diag())
add("diag_embed", [(2, 3)], lambda x: torch.diag_embed(x, 1, 0, 2))
add("diag_embed of a view", [(3, 2)], lambda x: torch.diag_embed(x.t()))
add("windows", [(7, 2)], lambda x: x.unfold(0, 3, 2))
add("windows of a view", [(2, 7)], lambda x: x.t().unfold(0, 2, 1))
add("cat", [A, (1, 4)], lambda a, b: torch.cat([a, b, a]))
add("cat of a view", [A, C], lambda a, b: torch.cat([a, b.t()], -1))
add("cat, none", [A, (3, 0)], lambda a, b: torch.cat([b, a], 1))
add("cat, legacy", [A, (0,)], lambda a, b: torch.cat([b, a], 1))
add("stack", [A, A], lambda a, b: torch.stack([a, b], 1))
add("stack of a view", [A, C], lambda a, b: torch.stack([a, b.t()], -1))
add("stack, scalars", [(), ()], lambda a, b: torch.stack([a, b]))
add("meshgrid", [(3,), (2,)], lambda a, b: joined([p * q for p, q in [torch.meshgrid(a, b, indexing="xy")]]))
add("repeat", [(2, 3)], lambda x: x.repeat(2, 1, 2))
add("repeat of a view", [(2, 3)], lambda x: x.t().repeat(2, 3))
add("repeat, none", [(2, 3)], lambda x: x.repeat(0, 2))
add("tile", [(2, 3)], lambda x: x.tile(2))
add("repeat_interleave", [(2, 3)], lambda x: x.repeat_interleave(2, 1))
add("repeat_interleave, tensor", [(3, 2)], lambda x: x.repeat_interleave(i64(2, 0, 3), 0))
add("flip", [A], lambda x: x.flip(0))
add("flip of a view", [B], lambda x: x.transpose(0, 2).flip(0, -1))
add("flip, none", [(0, 2)], lambda x: x.flip(0))
add("roll", [A], lambda x: x.roll((1, -1), (0, 1)))
add("roll, line", [A], lambda x: x.roll(5))
add("roll of a view", [A], lambda x: x.t().roll(-3, 0))
add("tril", [(3, 3)], lambda x: x.tril())
add("tril, batch", [B], lambda x: x.tril(-1))
add("triu of a view", [A], lambda x: x.t().triu(1))
add("triu, none", [A], lambda x: x.triu(9))
add("pad", [A], lambda x: F.pad(x, (1, 2, 0, 1), value=1.5))
add("pad, cut", [A], lambda x: F.pad(x, (-1, 2, 1, -2)))
add("pad, reflect", [(1, 1, 4, 5)], lambda x: F.pad(x, (2, 1, 3, 0), mode="reflect"))
add("pad, replicate", [(1, 1, 4, 5)], lambda x: F.pad(x, (2, 1, 0, 3), mode="replicate"))
add("pad, circular", [(1, 1, 4, 5)], lambda x: F.pad(x, (2, 1, 4, 0), mode="circular"))
add("pad, reflect, of a view", [(5, 4, 1)], lambda x: F.pad(x.transpose(0, 2), (1, 1), mode="reflect"))
add("unfold", [(2, 2, 4, 5)], lambda x: F.unfold(x, (2, 3)))
add("unfold, options", [(1, 2, 5, 6)],
    lambda x: F.unfold(x, (3, 2), dilation=(1, 2), padding=(1, 2), stride=(2, 1)))
add("unfold of a view", [(5, 4, 2, 1)], lambda x: F.unfold(x.permute(3, 2, 1, 0), 2))
add("fold", [(2, 8, 6)], lambda x: F.fold(x, (3, 4), 2))
add("fold, options", [(1, 6, 15)], lambda x: F.fold(x, (4, 5), (2, 3), padding=(1, 1), stride=(2, 1)))
add("fold of a view", [(6, 4)], lambda x: F.fold(x.t(), (5, 4), 2, dilation=(3, 1)))

add("x[1:3, ::2]", [A], lambda x: x[1:3, ::2])
add("x[..., -1, None]", [B], lambda x: x[..., -1, None])
add("x[1, None, -3:]", [A], lambda x: x[1, None, -3:])
add("x[[0, 2, 0]]", [A], lambda x: x[i64(0, 2, 0)])
add("x[:, [[1], [-1]]]", [A], lambda x: x[:, i64([1], [-1])])
add("x[[0, -1], :, [[1], [3]]]", [B], lambda x: x[i64(0, -1), :, i64([1], [3])])
add("x[[1, 0], [2, 2], 1:]", [B], lambda x: x[i64(1, 0), i64(2, 2), 1:])
add("x[0, :, [3, 1]]", [B], lambda x: x[0, :, i64(3, 1)])
add("x[None, [1, 1], 0]", [B], lambda x: x[None, i64(1, 1), 0])
add("x.t()[mask]", [C], lambda x: x.t()[MASK])
add("x[:, mask]", [B], lambda x: x[:, MASK])
add("x[mask, [0, 1, 2, 3, 2, 1]]", [(3, 4, 5)], lambda x: x[MASK, i64(0, 1, 2, 3, 2, 1)])
MASK = torch.tensor([[1, 0, 1, 0], [0, 0, 1, 1], [1, 1, 0, 0]]) > 0
add("index_put", [A, (2, 2)], lambda x, v: x.index_put((i64(0, 2)[:, None], i64(1, 3)), v))
add("index_put, add", [A, (4,)],
    lambda x, v: x.index_put((i64(0, 0, 0, 2), i64(1, 1, 3, 0)), v, accumulate=True))
add("index_put, row, add", [A, (4,)], lambda x, v: x.index_put((i64(1, 1, 0),), v, accumulate=True))
add("index_put, mask", [A, ()], lambda x, v: x.index_put((MASK,), v))
add("index_select", [A], lambda x: x.index_select(0, i64(2, 0, 2)))
add("index_select of a view", [C], lambda x: x.t().index_select(-1, i64(3, 1)))
add("index_select, none", [A], lambda x: x.index_select(1, i64()))
add("index_add", [A, (3, 4)], lambda x, s: x.index_add(0, i64(2, 0, 2), s, alpha=-1.5))
add("index_add of a view", [C, (2, 3)], lambda x, s: x.t().index_add(1, i64(3, 3), s.t()))
add("index_copy", [A, (2, 4)], lambda x, s: x.index_copy(0, i64(2, 0), s))
add("gather", [A], lambda x: x.gather(1, i64([1, 1], [3, 0], [0, 0])))
add("gather of a view", [C], lambda x: x.t().gather(0, i64([2, 1, 0], [2, 2, 2])))
add("gather, none", [A], lambda x: x.gather(1, i64([], [], [])))
add("take_along_dim", [(2, 3)], lambda x: x.take_along_dim(i64([[2, 0]]).view(1, 2), 1))
add("take", [A], lambda x: x.take(i64([0, 5], [-1, 5])))
add("scatter", [A, (3, 2)], lambda x, s: x.scatter(1, i64([1, 2], [3, 0], [0, 2]), s))
add("scatter of a view", [C, (2, 3)], lambda x, s: x.t().scatter(0, i64([2, 1, 0], [1, 2, 2]), s))
add("scatter, number", [A], lambda x: x.scatter(1, i64([1, 2], [3, 0], [0, 2]), 0.5))
add("scatter_add", [A, (3, 2)], lambda x, s: x.scatter_add(1, i64([1, 1], [3, 0], [0, 0]), s))
add("scatter_add of a view", [C, (2, 3)],
    lambda x, s: x.t().scatter_add(0, i64([2, 1, 0], [2, 2, 2]), s))
add("masked_fill", [A], lambda x: x.masked_fill(MASK, -2.5))
add("masked_fill, broadcast", [B], lambda x: x.masked_fill(MASK[0], 2))
add("masked_select", [A], lambda x: x.masked_select(MASK))
add("masked_select, broadcast", [(3, 1)], lambda x: x.masked_select(MASK))
add("squeeze of a view, batch", [(2, 1, 3)], lambda x: x.transpose(0, 2).squeeze(1))
add("select of a view", [A], lambda x: x.t().select(0, 2))
add("diag_embed, below", [(2, 2)], lambda x: torch.diag_embed(x, -2))
add("diag_embed, none", [(2, 0)], lambda x: torch.diag_embed(x, 1))
add("windows, last axis, apart", [B], lambda x: x.unfold(2, 1, 3))
add("windows, one", [(3, 2)], lambda x: x.unfold(0, 3, 5))
add("fold, unbatched, apart", [(4, 4)], lambda x: F.fold(x, (4, 4), 2, stride=2))
add("flip, batch", [B], lambda x: x.flip(1))
add("roll, none", [(0, 2)], lambda x: x.roll(1, 0))
add("stack, batch, negative", [B, B], lambda a, b: torch.stack([a, b], -2))
add("stack, none", [(0, 2), (0, 2)], lambda a, b: torch.stack([a, b]))
add("repeat_interleave, none", [(2, 3)], lambda x: x.repeat_interleave(0, 0))
add("repeat_interleave of a view", [A], lambda x: x.t().repeat_interleave(3, -1))
add("index_select, batch", [B], lambda x: x.index_select(1, i64(1, 1, 2)))
add("index_add, batch", [B, (2, 2, 4)], lambda x, s: x.index_add(1, i64(2, 2), s))
add("index_add, none", [A, (3, 0)], lambda x, s: x.index_add(1, i64(), s))
add("index_copy, batch", [B, (2, 2, 4)], lambda x, s: x.index_copy(1, i64(2, 0), s))
add("index_copy of a view", [C, (1, 3)], lambda x, s: x.t().index_copy(1, i64(3), s.t()))
add("index_copy, none", [A, (3, 0)], lambda x, s: x.index_copy(1, i64(), s))
add("gather, batch", [B], lambda x: x.gather(2, i64([[3, 3], [0, 1]])))
add("scatter, batch", [B, (1, 2, 2)], lambda x, s: x.scatter(2, i64([[3, 2], [0, 1]]), s))
add("scatter, none", [A, (3, 0)], lambda x, s: x.scatter(1, i64([], [], []), s))
add("scatter_add, batch", [B, (1, 2, 2)], lambda x, s: x.scatter_add(2, i64([[3, 3], [0, 1]]), s))
add("scatter_add, none", [A, (3, 0)], lambda x, s: x.scatter_add(1, i64([], [], []), s))
add("take_along_dim of a view", [C], lambda x: x.t().take_along_dim(i64([3, 0], [1, 1], [2, 3]), 1))
add("take_along_dim, none", [A], lambda x: x.take_along_dim(i64([], [], []), 1))
add("masked_fill of a view", [C], lambda x: x.t().masked_fill(MASK, 0.5))
add("masked_select, none", [A], lambda x: x.masked_select(MASK & ~MASK))
add("pad, none", [(0, 2)], lambda x: F.pad(x, (0, 1, 1, 0), value=-1))


def filled(shape, seed, dtype):
    count = math.prod(shape)
    values = [2 * math.sin(12.9898 * (i + 1) + seed) for i in range(count)]
    return torch.tensor(values, dtype=torch.float64).reshape(shape).to(dtype)


def shape_text(shape):
    return ",".join(map(str, shape)) or "-"


def line(word, x, dtype):
    values = x.detach().reshape(-1).tolist()
    digits = (lambda v: f"{v:.9g}") if dtype == torch.float32 else repr
    return " ".join([word, shape_text(x.shape), *map(digits, values)])


def block(name, shapes, f, dtype):
    inputs = [filled(s, k + 1, dtype).requires_grad_() for k, s in enumerate(shapes)]
    y = f(*inputs)
    dy = torch.tensor([math.cos(0.7 * i + 0.3) for i in range(y.numel())], dtype=torch.float64)
    gradients = torch.autograd.grad(y, inputs, dy.reshape(y.shape).to(dtype), allow_unused=True)
    out = [f"case {str(dtype)[6:]} {name}"]
    out += [f"x {shape_text(s)} {k + 1}" for k, s in enumerate(shapes)]
    out.append(line("y", y, dtype))
    for x, g in zip(inputs, gradients):
        out.append(line("dx", torch.zeros_like(x) if g is None else g, dtype))
    return out


def main():
    lines = []
    for name, shapes, f in CASES:
        for dtype in (torch.float32, torch.float64):
            lines += block(name, shapes, f, dtype)
    path = pathlib.Path(__file__).with_name("index.txt")
    path.write_text("\n".join(lines) + "\n")
    print(f"{len(CASES)} cases, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
