#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes elementwise.txt beside this file: what PyTorch gives for the elementwise functions.

usage: elementwise_reference.py        (needs PyTorch; written with 1.13)

The arguments of a case are SCALE and OFFSET of each operand: f is given SCALE x + OFFSET.

Left out are points where PyTorch 1.13 has NaN or disagrees with itself: atan2, hypot and xlogy at
(0, 0), hardswish at 3. Its hardsigmoid has 1/6 in float32 as slope, so that is made of relu6.
"""
import torch
import torch.nn.functional as F

import common


def digamma(a):
    """With Hurwitz' zeta as derivative: PyTorch's own has ten digits."""
    x = a.detach()
    return torch.digamma(x) + (a - x) * torch.special.zeta(torch.full_like(x, 2), x)


# (function, scale, offset, parameters)
UNARY = {
    "abs": (torch.abs, 3, 0), "neg": (torch.neg, 3, 0), "sign": (torch.sign, 3, 0),
    "exp": (torch.exp, 2, 0), "exp2": (torch.exp2, 2, 0), "expm1": (torch.expm1, 2, 0),
    "log": (torch.log, 1.5, 2), "log2": (torch.log2, 1.5, 2), "log10": (torch.log10, 1.5, 2),
    "log1p": (torch.log1p, 0.75, 0.5), "sqrt": (torch.sqrt, 1.5, 2),
    "rsqrt": (torch.rsqrt, 1.5, 2), "square": (torch.square, 3, 0),
    "cbrt": (lambda a: torch.pow(a, 1 / 3), 1.5, 2), "reciprocal": (torch.reciprocal, 1.5, 2),
    "sin": (torch.sin, 4, 0), "cos": (torch.cos, 4, 0), "tan": (torch.tan, 1, 0),
    "asin": (torch.asin, 0.75, 0), "acos": (torch.acos, 0.75, 0), "atan": (torch.atan, 3, 0),
    "sinh": (torch.sinh, 2, 0), "cosh": (torch.cosh, 2, 0), "tanh": (torch.tanh, 3, 0),
    "asinh": (torch.asinh, 3, 0), "acosh": (torch.acosh, 1, 2.5),
    "atanh": (torch.atanh, 0.75, 0), "erf": (torch.erf, 2, 0), "erfc": (torch.erfc, 2, 0),
    "erfinv": (torch.erfinv, 0.75, 0), "lgamma": (torch.lgamma, 1.5, 2),
    "digamma": (digamma, 1.5, 2), "sigmoid": (torch.sigmoid, 4, 0),
    "logsigmoid": (F.logsigmoid, 4, 0), "logit": (torch.logit, 0.375, 0.5),
    "logit_eps": (torch.logit, 0.75, 0.5, 0.125), "softplus": (F.softplus, 4, 0),
    "scaled_softplus": (F.softplus, 4, 0, 2, 3), "softsign": (F.softsign, 3, 0),
    "relu": (F.relu, 3, 0), "relu6": (F.relu6, 6, 0), "leaky_relu": (F.leaky_relu, 3, 0, 0.25),
    "elu": (F.elu, 3, 0, 1.5), "selu": (F.selu, 3, 0), "celu": (F.celu, 3, 0, 1.5),
    "gelu": (F.gelu, 3, 0), "gelu_tanh": (lambda a: F.gelu(a, approximate="tanh"), 3, 0),
    "silu": (F.silu, 4, 0), "mish": (F.mish, 4, 0), "hardtanh": (F.hardtanh, 2, 0, -1, 2),
    "hardsigmoid": (lambda a: F.relu6(a + 3) / 6, 6, 0), "hardswish": (F.hardswish, 4, 0),
    "floor": (torch.floor, 3, 0), "ceil": (torch.ceil, 3, 0), "round": (torch.round, 3, 0),
    "trunc": (torch.trunc, 3, 0), "frac": (torch.frac, 3, 0),
    "clamp": (torch.clamp, 2, 0, -1, 2), "nan_to_num": (torch.nan_to_num, 3, 0),
    "isnan": (lambda a: torch.isnan(torch.log(a)), 3, 0),
    "isinf": (lambda a: torch.isinf(torch.log(a)), 3, 0),
    "isfinite": (lambda a: torch.isfinite(torch.log(a)), 3, 0),
    "logical_not": (torch.logical_not, 1, 0),
}
# (function, scale and offset of a, of b)
BINARY = {
    "add": (torch.add, 3, 0, 2, 0), "sub": (torch.sub, 3, 0, 2, 0),
    "mul": (torch.mul, 3, 0, 2, 0), "div": (torch.div, 3, 0, 1, 2),
    "div_floor": (lambda a, b: torch.div(a, b, rounding_mode="floor"), 9, 0, 1, 1.75),
    "div_trunc": (lambda a, b: torch.div(a, b, rounding_mode="trunc"), 9, 0, 1, -1.75),
    "pow": (torch.pow, 1.5, 2, 2, 0), "atan2": (torch.atan2, 3, 0.25, 2, 0),
    "hypot": (torch.hypot, 3, 0.25, 2, 0), "fmod": (torch.fmod, 9, 0, 1, 1.75),
    "remainder": (torch.remainder, 9, 0, 1, -1.75), "minimum": (torch.minimum, 2, 0, 2, 0),
    "maximum": (torch.maximum, 2, 0, 2, 0), "copysign": (torch.copysign, 2, 0, 2, 0.25),
    "logaddexp": (torch.logaddexp, 4, 0, 4, 0), "xlogy": (torch.xlogy, 2, 0, 1, 2),
    "lerp_number": (lambda a, b: torch.lerp(a, b, 0.75), 3, 0, 2, 0),
    "where": (lambda a, b: torch.where(a > b, a, b * b), 2, 0, 2, 0),
    "eq": (torch.eq, 1, 0, 1, 0), "ne": (torch.ne, 1, 0, 1, 0), "lt": (torch.lt, 1, 0, 1, 0),
    "le": (torch.le, 1, 0, 1, 0), "gt": (torch.gt, 1, 0, 1, 0), "ge": (torch.ge, 1, 0, 1, 0),
    "logical_and": (torch.logical_and, 1, 0, 1, 0), "logical_or": (torch.logical_or, 1, 0, 1, 0),
    "logical_xor": (torch.logical_xor, 1, 0, 1, 0),
    "binary_cross_entropy": (lambda p, t: -(t * torch.log(p) + (1 - t) * torch.log(1 - p)),
                             0.375, 0.5, 0.5, 0.5),
    "binary_cross_entropy_with_logits": (lambda x, t: F.softplus(x) - x * t, 4, 0, 0.5, 0.5),
}
TERNARY = {
    "lerp": (torch.lerp, 3, 0, 2, 0, 1, 0.5),
    # Without broadcast_tensors its gradient of a repeated operand fails.
    "clamp_tensors": (lambda *abc: torch.clamp(*torch.broadcast_tensors(*abc)),
                      2, 0, 1, -0.75, 1, 0.75),
    "where_tensors": (lambda a, b, c: torch.where(c > 0, a, b), 2, 0, 2, 0, 2, 0),
}
# Shapes of x, b and c, levels, layout: plain, broadcast, strided, an edge (kinks and ties).
ROWS = [((2, 3), (2, 3), (2, 3), 0, "plain"), ((2, 1, 2), (3, 1), (2,), 0, "plain"),
        ((3, 2), (3,), (2, 3), 0, "strided"), ((5,), (5,), (1,), 2, "plain")]


def cases():
    seed = 0
    for table, operands in ((UNARY, 1), (BINARY, 2), (TERNARY, 3)):
        for name, (function, *numbers) in table.items():
            scaling, parameters = numbers[:2 * operands], numbers[2 * operands:]

            def scaled(*x, function=function, scaling=scaling, parameters=parameters):
                given = [v * a + b for v, a, b in zip(x, scaling[::2], scaling[1::2])]
                return function(*given, *parameters)

            for *shapes, levels, layout in ROWS:
                seed += 1
                inputs = [common.Input(shape, seed + 100 * k, levels, layout == "strided" and k == 0)
                          for k, shape in enumerate(shapes[:operands])]
                yield name, [f"{n:g}" for n in scaling], inputs, scaled


common.write("elementwise", cases())
