#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes spatial.txt beside this file: what PyTorch gives for convolution, pooling and resampling.

usage: spatial_reference.py       (needs PyTorch; common.py describes the file)

Options are words NAME=NUMBERS, which golden_spatial_test.cpp reads; network_reference.py has more cases.
"""
import torch.nn.functional as F

import common


def options(words):
    """{name: a number or a tuple of numbers}"""
    found = {}
    for word in words:
        name, text = word.split("=")
        numbers = tuple(float(n) if "." in n else int(n) for n in text.split(",")) \
            if name != "mode" else text
        found[name] = numbers[0] if len(numbers) == 1 else numbers
    return found


def convolution(f):
    return lambda x, words: f(*x, **options(words))


def pool(f):
    def call(x, words):
        given = options(words)
        for flag in ("ceil_mode", "count_include_pad"):
            if flag in given:
                given[flag] = bool(given[flag])
        return f(x[0], given.pop("kernel"), **given)
    return call


def interpolate(x, words):
    given = options(words)
    if given.pop("corners", 0):
        given["align_corners"] = True
    return F.interpolate(x[0], given.pop("size", None), given.pop("factor", None), **given)


FUNCTIONS = {"interpolate": interpolate}
for axes in (1, 2, 3):
    for name in ("conv", "conv_transpose"):
        FUNCTIONS[f"{name}{axes}d"] = convolution(getattr(F, f"{name}{axes}d"))
    for name in ("max_pool", "avg_pool"):
        FUNCTIONS[f"{name}{axes}d"] = pool(getattr(F, f"{name}{axes}d"))
        FUNCTIONS[f"adaptive_{name}{axes}d"] = (
            lambda x, words, f=getattr(F, f"adaptive_{name}{axes}d"): f(x[0], options(words)["size"]))

# NAME | options | inputs; a T: given with its last two axes exchanged, @n: in multiples of 1/n.
CASES = """
conv1d,plain | | 2,2,5;3,2,3;3
conv1d,groups,unbatched | padding=2 dilation=2 groups=2 | 4,5;2,2,3
conv1d,of_a_view | stride=2 | 2,6,2 T;2,2,3
conv1d,one | | 1,1,1;1,1,1;1
conv2d,of_a_view | stride=1,2 padding=1 | 1,2,4,3 T;2,2,3,2 T
conv2d,none | | 0,1,3,3;2,1,2,2
conv3d,plain | | 1,1,2,3,3;2,1,2,2,2;2
conv3d,groups | padding=1 stride=2 groups=2 dilation=1,2,1 | 1,2,3,3,3;2,1,2,2,2
conv3d,of_a_view | | 1,1,3,4,2 T;1,1,2,2,2
conv3d,pointwise,unbatched | | 2,2,2,2;1,2,1,1,1;1
conv_transpose1d,plain | | 2,2,3;2,3,2;3
conv_transpose1d,groups | stride=2 dilation=2 groups=2 padding=1 | 1,4,3;4,1,3;2
conv_transpose1d,of_a_view | stride=2 | 1,3,2 T;2,1,3
conv_transpose1d,one,unbatched | | 1,1;1,1,1
conv_transpose2d,unbatched | padding=1 | 2,3,3;2,1,2,2
conv_transpose2d,one | stride=2 output_padding=1 | 1,1,1,1;1,1,1,1
conv_transpose3d,plain | | 1,2,2,2,2;2,1,2,2,2;1
conv_transpose3d,everything | stride=2,1,2 padding=1,0,1 output_padding=1,0,0 groups=2 dilation=1,2,1 | 1,2,2,2,2;2,1,2,2,2;2
conv_transpose3d,of_a_view | | 1,1,2,3,2 T;1,1,2,2,2
max_pool1d,plain | kernel=2 | 2,2,5
max_pool1d,ceil | kernel=2 stride=2 dilation=2 ceil_mode=1 | 1,2,6
max_pool1d,of_a_view | kernel=3 stride=1 | 1,6,2 T
max_pool1d,ties | kernel=3 | 1,1,9@2
max_pool2d,ties,unbatched | kernel=2 stride=1 | 1,4,4@1
max_pool2d,none | kernel=2 | 0,1,4,4
max_pool3d,ceil | kernel=3,2,2 stride=2 padding=1 ceil_mode=1 | 1,1,3,4,3
max_pool3d,of_a_view | kernel=2 dilation=1,2,1 | 1,1,2,2,4 T
max_pool3d,ties,unbatched | kernel=1,2,2 | 1,2,4,4@1
avg_pool1d,plain | kernel=2 | 2,2,5
avg_pool1d,padding | kernel=3 stride=2 padding=1 | 1,2,5
avg_pool1d,not_counted | kernel=3 stride=2 padding=1 ceil_mode=1 count_include_pad=0 | 1,2,6
avg_pool1d,of_a_view | kernel=2 stride=1 | 1,5,2 T
avg_pool2d,one,unbatched | kernel=1 | 1,1,1
avg_pool3d,padding | kernel=2 padding=1 | 1,1,2,3,2
avg_pool3d,not_counted | kernel=2,3,2 stride=2 padding=1 ceil_mode=1 count_include_pad=0 | 1,1,3,3,2
avg_pool3d,divisor,of_a_view | kernel=2 stride=1 divisor_override=3 | 1,1,2,3,2 T
avg_pool3d,unbatched | kernel=1,2,2 | 1,2,4,4
adaptive_avg_pool1d,plain | size=2 | 2,2,5
adaptive_avg_pool1d,of_a_view | size=3 | 1,5,2 T
adaptive_avg_pool1d,global,unbatched | size=1 | 2,4
adaptive_avg_pool2d,wider | size=5,4 | 1,1,2,3
adaptive_avg_pool2d,global | size=1 | 2,2,3,2
adaptive_avg_pool3d,plain | size=2,1,2 | 1,1,3,2,4
adaptive_avg_pool3d,of_a_view | size=2 | 1,1,2,3,4 T
adaptive_avg_pool3d,wider,unbatched | size=3,2,2 | 1,2,3,2
adaptive_max_pool1d,plain | size=2 | 2,2,5
adaptive_max_pool1d,of_a_view | size=3 | 1,5,2 T
adaptive_max_pool1d,ties | size=2 | 1,1,7@1
adaptive_max_pool2d,wider | size=5,4 | 1,1,2,3
adaptive_max_pool2d,global,unbatched | size=1 | 2,3,2
adaptive_max_pool3d,global | size=1 | 2,1,2,3,2
adaptive_max_pool3d,of_a_view | size=2 | 1,1,2,3,4 T
adaptive_max_pool3d,wider,unbatched | size=3,2,2 | 1,2,3,2
interpolate,linear,of_a_view | mode=linear size=5 | 1,3,2 T
interpolate,linear,one | mode=linear size=1 corners=1 | 1,1,3
interpolate,linear,factor | mode=linear factor=0.6 | 2,1,6
interpolate,bilinear,of_a_view | mode=bilinear size=4,5 | 1,1,4,2 T
interpolate,trilinear,of_a_view | mode=trilinear size=2,3,3 | 1,1,2,3,2 T
interpolate,trilinear,factor | mode=trilinear factor=1.5,2.0,0.5 | 1,1,2,2,4
interpolate,bicubic,of_a_view | mode=bicubic size=3,4 | 1,1,3,4 T
interpolate,bicubic,factor | mode=bicubic factor=1.3,2.0 | 1,1,3,2
interpolate,nearest,volume | mode=nearest size=3,2,4 | 1,1,2,3,2
interpolate,nearest_exact,plane | mode=nearest-exact size=3,4 | 1,2,2,5
interpolate,nearest_exact,of_a_view | mode=nearest-exact size=5 | 1,3,2 T
interpolate,nearest_exact,factor | mode=nearest-exact factor=2.0 | 1,1,4
interpolate,area,line | mode=area size=3 | 2,1,5
interpolate,area,of_a_view | mode=area size=2,2 | 1,1,3,4 T
interpolate,area,volume | mode=area size=1,3,2 | 1,1,2,3,3
"""


def cases():
    for name, words, inputs in common.rows(CASES):
        yield (name, words, inputs,
               lambda *x, f=FUNCTIONS[name.split(",")[0]], words=words: f(x, words))


if __name__ == "__main__":
    common.write("spatial", cases())
