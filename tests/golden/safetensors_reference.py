#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes linear.safetensors (weights of a torch.nn.Linear, an input and its output) and
dtypes.safetensors (a tensor of every dtype that is read) beside this file. Needs PyTorch.
"""
import pathlib
import sys

import torch

here = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(here.parent.parent / "examples"))
from torch_to_safetensors import write_safetensors  # noqa: E402

torch.manual_seed(6)
model = torch.nn.Linear(4, 3)
x = torch.randn(5, 4)
write_safetensors(here / "linear.safetensors", {**model.state_dict(), "x": x, "y": model(x)},
                  {"format": "pt", "words": "größer"})

numbers = torch.tensor([[0.0, -0.0, 1.0], [-2.5, 65504.0, 2.0**-24]])
special = torch.tensor([float("inf"), -float("inf"), 2.0**-14, 0.333])
write_safetensors(here / "dtypes.safetensors", {
    "f32": numbers, "f64": numbers.double() / 3, "i64": torch.tensor([2**53 + 1, -7]),
    "bool": torch.tensor([True, False, True]), "f16": numbers.half(), "bf16": numbers.bfloat16(),
    "f16 special": special.half(), "bf16 special": special.bfloat16(),
    "scalar": torch.tensor(2.5), "empty": torch.zeros(0, 3)})
