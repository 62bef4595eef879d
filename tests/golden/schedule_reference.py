#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes schedule.txt: the learning rates of two groups (0.1 and 0.02) and the momentum (0.9 at first)
before each of 20 steps, by PyTorch 1.13. A block for each case: `case NAME`, then 20 lines."""
import pathlib

import torch
from torch.optim import lr_scheduler as S

METRICS = [1 - 0.1 * min(t, 5) + (0.3 if t in (8, 9) else 0) for t in range(20)]


def trace(make, plateau=False):
    a, b = (torch.zeros(1, dtype=torch.float64, requires_grad=True) for _ in range(2))
    optimizer = torch.optim.SGD([{"params": [a], "lr": 0.1}, {"params": [b], "lr": 0.02}], lr=0.1,
                                momentum=0.9)
    schedule = make(optimizer)
    for t in range(20):
        yield [group["lr"] for group in optimizer.param_groups] + [
            optimizer.param_groups[0]["momentum"]]
        optimizer.step()
        schedule.step(*[METRICS[t]] if plateau else [])


CASES = {
    "StepLR": lambda o: S.StepLR(o, 3, 0.5),
    "MultiStepLR": lambda o: S.MultiStepLR(o, [2, 5, 5, 11], 0.5),
    "ConstantLR": lambda o: S.ConstantLR(o, 0.25, 4),
    "LinearLR": lambda o: S.LinearLR(o, 0.2, 0.8, 7),
    "ExponentialLR": lambda o: S.ExponentialLR(o, 0.8),
    "PolynomialLR": lambda o: S.PolynomialLR(o, 12, 2.0),
    "CosineAnnealingLR": lambda o: S.CosineAnnealingLR(o, 8, 0.001),
    "CosineAnnealingWarmRestarts": lambda o: S.CosineAnnealingWarmRestarts(o, 3, 1, 0.001),
    "CosineAnnealingWarmRestarts,2": lambda o: S.CosineAnnealingWarmRestarts(o, 3, 2, 0.001),
    "OneCycleLR": lambda o: S.OneCycleLR(o, 0.5, total_steps=20),
    "OneCycleLR,linear": lambda o: S.OneCycleLR(
        o, 0.5, total_steps=20, pct_start=0.25, anneal_strategy="linear", cycle_momentum=False,
        div_factor=10, final_div_factor=100),
    "OneCycleLR,three phases": lambda o: S.OneCycleLR(o, 0.5, total_steps=22, three_phase=True),
    "LambdaLR": lambda o: S.LambdaLR(o, lambda t: 1 / (1 + t)),
    "SequentialLR": lambda o: S.SequentialLR(
        o, [S.LinearLR(o, 0.1, 1.0, 4), S.ExponentialLR(o, 0.9), S.StepLR(o, 2, 0.5)], [4, 11]),
    "WarmupCosineLR": lambda o: S.SequentialLR(
        o, [S.LinearLR(o, 0.01, 1.0, 5), S.CosineAnnealingLR(o, 16, 0.001)], [5]),
    "ChainedScheduler": lambda o: S.ChainedScheduler(
        [S.ConstantLR(o, 0.5, 4), S.ExponentialLR(o, 0.9), S.StepLR(o, 6, 0.5)]),
}
PLATEAUS = {
    "ReduceLROnPlateau": lambda o: S.ReduceLROnPlateau(o, factor=0.5, patience=2, cooldown=2,
                                                       min_lr=0.01),
    "ReduceLROnPlateau,max": lambda o: S.ReduceLROnPlateau(
        o, mode="max", factor=0.3, patience=1, threshold=0.05, threshold_mode="abs"),
}


def main():
    lines = []
    for name, make in {**CASES, **PLATEAUS}.items():
        lines.append("case " + name)
        lines += [" ".join(repr(float(x)) for x in row) for row in trace(make, name in PLATEAUS)]
    pathlib.Path(__file__).with_name("schedule.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
