#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes shapes.txt beside this file: what PyTorch gives for functions of shaping.hpp and indexing.hpp.

usage: shapes_reference.py        (needs PyTorch; common.py describes the file)

The cases of index_reference.py are written by hand, each in Python and in C++; these are rows of
arguments, which golden_shapes_test.cpp reads: numbers, lists with commas, SHAPE:ELEMENTS for tensors of
integers. What splits is weighted and put together again, so that every part has its place.
"""
import torch
import torch.nn.functional as F

import common


def ints(text):
    return common.shape_of(text)


def places(text):
    shape, elements = text.split(":")
    return torch.tensor(ints(elements or "-"), dtype=torch.int64).reshape(ints(shape))


def mask(text):
    return places(text) > 0


def split_of(text):
    return ints(text) if "," in text else int(text)


def weighted(parts):
    return [(k + 1) * part for k, part in enumerate(parts)]


def piece(word):
    if ":" in word:
        return slice(*(int(n) if n else None for n in word.split(":")))
    return {"...": ..., "None": None}[word] if word in ("...", "None") else int(word)


def mesh(indexing, *x):
    lines = [v if v.dim() < 2 else v.select(1, 0) for v in x]
    return torch.stack(torch.meshgrid(*lines, indexing=indexing))


def padded(mode):
    return lambda x, amounts, *value: F.pad(x, ints(amounts), mode, *map(float, value))


FUNCTIONS = {
    "reshape": lambda x, shape: x.reshape(ints(shape)),
    "transpose": lambda x, a, b: x.transpose(int(a), int(b)),
    "movedim": lambda x, a, b: x.movedim(ints(a), ints(b)),
    "squeeze": lambda x, *axis: x.squeeze(*map(int, axis)),
    "unsqueeze": lambda x, axis: x.unsqueeze(int(axis)),
    "flatten": lambda x, first, last: x.flatten(int(first), int(last)),
    "unflatten": lambda x, axis, extents: x.unflatten(int(axis), ints(extents)),
    "expand": lambda x, shape: x.expand(ints(shape)),
    "broadcast_to": lambda x, shape: x.broadcast_to(ints(shape)),
    "narrow": lambda x, *numbers: x.narrow(*map(int, numbers)),
    "select": lambda x, axis, i: x.select(int(axis), int(i)),
    "split": lambda x, n, axis: torch.cat(weighted(x.split(split_of(n), int(axis))), int(axis)),
    "chunk": lambda x, n, axis: torch.cat(weighted(x.chunk(int(n), int(axis))), int(axis)),
    "unbind": lambda x, axis: torch.stack(weighted(x.unbind(int(axis)))),
    "diagonal": lambda x, *numbers: x.diagonal(*map(int, numbers)),
    "diag": lambda x, offset: x.diag(int(offset)),
    "meshgrid": lambda *x: mesh(x[-1], *x[:-1]),
    "cat": lambda *x: torch.cat(x[:-1], int(x[-1])),
    "roll": lambda x, shifts, axes: x.roll(ints(shifts), ints(axes)),
    "repeat_interleave": lambda x, n, axis: x.repeat_interleave(int(n), int(axis)),
    "repeat": lambda x, times: x.repeat(ints(times)),
    "tile": lambda x, times: x.tile(ints(times)),
    "tril": lambda x, k: x.tril(int(k)),
    "triu": lambda x, k: x.triu(int(k)),
    **{f"pad,{mode}": padded(mode) for mode in ("constant", "reflect", "replicate", "circular")},
    "slice": lambda x, *words: x[tuple(map(piece, words))],
    "take": lambda x, index: x.take(places(index)),
    "take_along_dim": lambda x, index, axis: x.take_along_dim(places(index), int(axis)),
    "index_put": lambda x, v, *index: x.index_put(tuple(map(places, index)), v, accumulate=True),
    "masked_fill": lambda x, where, value: x.masked_fill(mask(where), float(value)),
    # Of a transposed x PyTorch's values are right, its gradient goes to wrong places.
    "masked_select": lambda x, where: x.contiguous().masked_select(mask(where)),
    "nonzero": lambda x: x.nonzero(),
    "embedding": lambda w, index: F.embedding(places(index), w),
    "one_hot": lambda x, n: F.one_hot((4 * x).abs().long(), int(n)),
    "unfold": lambda x, size, stride: F.unfold(x, ints(size), stride=ints(stride)),
}

# NAME | arguments | inputs; a T: given with its last two axes exchanged, @n: in multiples of 1/n.
CASES = """
reshape | 3,4 | 2,6
reshape,batch | 2,-1,2 | 2,3,4
reshape,of_a_view | 6,2 | 4,3 T
reshape,none | 0,5 | 2,0
reshape,scalar | 1,1 | -
transpose | 0 1 | 3,4
transpose,batch | -1 0 | 2,3,4
transpose,of_a_view | 1 2 | 2,4,3 T
transpose,same | 1 1 | 2,3
transpose,none | 0 1 | 0,3
movedim,of_a_view | 0 -1 | 4,3 T
movedim,same | 1 1 | 2,3
movedim,batch | 2,0 0,1 | 2,3,4
squeeze,scalar | | -
squeeze,longer | 0 | 2,3
unsqueeze | 0 | 2,3
unsqueeze,batch | 2 | 2,3,4
unsqueeze,scalar | -1 | -
flatten,batch | 1 2 | 2,3,2,2
flatten,none | 0 -1 | 2,0,3
unflatten,batch | 1 2,2 | 3,4,2
unflatten,of_a_view | -1 -1,3 | 6,2 T
unflatten,none | 0 0,2 | 0,3
expand,batch | 2,3,4 | 3,4
expand,of_a_view | 4,-1,3 | 3,1 T
expand,scalar | 2,2 | -
broadcast_to | 3,4 | 3,1
broadcast_to,batch | 2,3,4 | 3,1
broadcast_to,of_a_view | 2,3 | 3,1 T
broadcast_to,none | 0,2 | 1,2
narrow,batch | 2 1 3 | 2,3,4
select | 0 1 | 3,4
select,last | -1 -1 | 2,3,4
select,line | 0 2 | 4
split,batch | 2 1 | 2,3,4
split,one_part | 9 0 | 3,2
split,empty_part | 0,3,2 0 | 5,2
chunk,batch | 2 -1 | 2,3,4
chunk,of_a_view | 2 0 | 3,4 T
chunk,fewer | 5 0 | 3,2
unbind | 0 | 3,4
unbind,of_a_view | 0 | 3,4 T
unbind,line | 0 | 3
diagonal,batch | 0 -2 -1 | 2,3,4
diag,of_a_view | 1 | 4,3 T
diag,one | 0 | 1
meshgrid,plain | ij | 3;2
meshgrid,three | xy | 2;3;2
meshgrid,of_a_view | ij | 3,2;2
meshgrid,scalar | xy | -;3
cat,batch | 1 | 2,3,2;2,1,2;2,2,2
roll,batch | 2,-1 0,2 | 3,2,4
repeat_interleave,batch | 2 1 | 2,3,2
repeat,batch | 1,2,1 | 2,3,2
tile,batch | 2,1 | 2,1,3
tile,of_a_view | 2,2 | 2,3 T
tile,none | 0 | 3,2
tril,of_a_view | 1 | 4,3 T
tril,none | -9 | 3,4
triu | 0 | 3,3
triu,batch | -1 | 2,3,4
pad,constant,of_a_view | 1,0,2,0 -2 | 4,3 T
pad,constant,batch | 0,0,1,1,2,0 0.5 | 2,3,2
pad,reflect,line | 2,1 | 2,4
pad,reflect,volume | 1,0,0,1,1,1 | 1,1,3,2,3
pad,replicate,of_a_view | 1,1 | 5,2 T
pad,replicate,one | 3,1 | 2,1
pad,replicate,volume | 1,0,0,2,1,1 | 1,2,2,3
pad,circular,of_a_view | 1,2 | 1,4,2 T
pad,circular,whole | 4,4 | 1,2,4
pad,circular,volume | 1,1,1,1,1,1 | 1,1,2,3,2
slice,rows | 1: | 3,4
slice,batch | 1 ... ::3 | 2,3,4
slice,of_a_view | : 1::2 | 4,3 T
slice,new_axis | None ::2 -3:-1 | 3,4
slice,none | 2:1 | 3,4
take,batch | 2,2,1:1,1,4,11 | 2,3,2
take,of_a_view | 2,2:1,1,4,0 | 3,2 T
take,none | 0: | 2,3
take_along_dim,broadcast | 1,2,4:0,1,2,2,1,1,0,2 1 | 2,3,4
index_put,of_a_view | 2:0,2 2:1,1 | 4,3 T;2
index_put,batch | 2,1:1,1 2:0,2 | 2,3,2;2,2,2
index_put,none | 0: | 3,4;0,4
masked_fill,none | 1,4:0,0,0,0 2.5 | 3,4
masked_select,batch | 2,1,2:1,0,0,1 | 2,3,2
masked_select,of_a_view | 3,4:1,0,0,1,0,1,1,0,0,0,0,1 | 4,3 T
nonzero | | 3,4@1
nonzero,batch | | 2,3,2@1
nonzero,of_a_view | | 4,3@1 T
nonzero,scalar | | -
nonzero,none | | 0,3
embedding,none | 2,0: | 3,2
one_hot | 6 | 6@4
one_hot,batch | -1 | 2,3@4
one_hot,of_a_view | 5 | 3,2@4 T
one_hot,scalar | 5 | -@4
one_hot,none | 3 | 0@4
unfold,batch | 2,2 2,1 | 2,1,4,3
"""


def cases():
    for name, arguments, inputs in common.rows(CASES):
        function = next(FUNCTIONS[key] for key in (name, name.split(",")[0], ",".join(
            name.split(",")[:2])) if key in FUNCTIONS)
        yield (name, arguments, inputs,
               lambda *x, f=function, arguments=arguments: f(*x, *arguments))


if __name__ == "__main__":
    common.write("shapes", cases())
