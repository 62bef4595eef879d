#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes optim.txt: 20 steps of every optimizer by PyTorch 1.13 in float64; Lion by its paper.

A block for each case: `case NAME`, then 20 lines of the five parameters after a step. They are a [3] and
b [2], from 1, -2, 0.5, 0.3, -0.7; the gradient of step t (from 0) is sin(12.9898 (5 t + i) + 1), and b has
none where t % 4 == 2. LBFGS has the loss of the function `valley` instead.
"""
import pathlib

import numpy
import torch

torch.set_default_dtype(torch.float64)  # NAdam keeps its product of momenta in the default dtype

START = [1.0, -2.0, 0.5, 0.3, -0.7]
BETAS = (0.8, 0.95)


def gradient(t):
    return numpy.sin(12.9898 * (5 * t + numpy.arange(5)) + 1)


def parameters():
    return [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in (START[:3], START[3:])]


def flat(p):
    return numpy.concatenate([x.detach().numpy() for x in p])


def trace(make):
    p = parameters()
    optimizer = make(p)
    for t in range(20):
        g = torch.from_numpy(gradient(t))
        p[0].grad = g[:3].clone()
        p[1].grad = None if t % 4 == 2 else g[3:].clone()
        optimizer.step()
        yield flat(p)


def lion(lr=1e-4, betas=(0.9, 0.99), weight_decay=0.0):
    """Algorithm 2 of arXiv 2302.06675."""
    p = [numpy.array(START[:3]), numpy.array(START[3:])]
    m = [numpy.zeros(3), numpy.zeros(2)]
    for t in range(20):
        g = [gradient(t)[:3], gradient(t)[3:]]
        for k in range(2):
            if k == 1 and t % 4 == 2:
                continue
            c = betas[0] * m[k] + (1 - betas[0]) * g[k]
            p[k] = p[k] - lr * (numpy.sign(c) + weight_decay * p[k])
            m[k] = betas[1] * m[k] + (1 - betas[1]) * g[k]
        yield numpy.concatenate(p)


def valley(a, b):
    x = torch.cat([a, b])
    return ((1 - x) ** 2).sum() + 3 * ((x[1:] - x[:-1] ** 2) ** 2).sum()


def lbfgs(**options):
    p = parameters()
    optimizer = torch.optim.LBFGS(p, **options)

    def closure():
        optimizer.zero_grad()
        loss = valley(*p)
        loss.backward()
        return loss

    for _ in range(20):
        optimizer.step(closure)
        yield flat(p)



def grouped(cls, **options):
    return lambda p: cls([{"params": [p[0]]}, {"params": [p[1]], "lr": 0.02, "weight_decay": 0.3}],
                         **options)


O = torch.optim
CASES = {
    "SGD": lambda p: O.SGD(p, lr=0.1),
    "SGD,momentum": lambda p: O.SGD(p, lr=0.1, momentum=0.9, dampening=0.1, weight_decay=0.05),
    "SGD,nesterov": lambda p: O.SGD(p, lr=0.1, momentum=0.9, nesterov=True),
    "SGD,maximize": lambda p: O.SGD(p, lr=0.1, weight_decay=0.05, maximize=True),
    "SGD,groups": grouped(O.SGD, lr=0.1, momentum=0.5),
    "Adam": lambda p: O.Adam(p, lr=0.1),
    "Adam,decay": lambda p: O.Adam(p, lr=0.1, betas=BETAS, eps=1e-3, weight_decay=0.1),
    "Adam,amsgrad": lambda p: O.Adam(p, lr=0.1, betas=BETAS, amsgrad=True),
    "Adam,maximize": lambda p: O.Adam(p, lr=0.1, weight_decay=0.1, maximize=True),
    "AdamW": lambda p: O.AdamW(p, lr=0.1, betas=BETAS, weight_decay=0.1),
    "AdamW,amsgrad": lambda p: O.AdamW(p, lr=0.1, betas=BETAS, amsgrad=True),
    "AdamW,maximize": lambda p: O.AdamW(p, lr=0.1, maximize=True),
    "AdamW,groups": grouped(O.AdamW, lr=0.1),
    "RMSprop": lambda p: O.RMSprop(p, lr=0.02),
    "RMSprop,all": lambda p: O.RMSprop(p, lr=0.02, alpha=0.9, eps=1e-4, weight_decay=0.1,
                                       momentum=0.8, centered=True),
    "RMSprop,maximize": lambda p: O.RMSprop(p, lr=0.02, weight_decay=0.1, maximize=True),
    "NAdam": lambda p: O.NAdam(p),
    "NAdam,decay": lambda p: O.NAdam(p, lr=0.1, betas=BETAS, eps=1e-3, weight_decay=0.1,
                                     momentum_decay=0.01),
    "RAdam": lambda p: O.RAdam(p, lr=0.1),
    "RAdam,decay": lambda p: O.RAdam(p, lr=0.1, betas=BETAS, eps=1e-3, weight_decay=0.1),
    "Adagrad": lambda p: O.Adagrad(p, lr=0.1),
    "Adagrad,decay": lambda p: O.Adagrad(p, lr=0.1, lr_decay=0.05, weight_decay=0.1,
                                         initial_accumulator_value=0.2, eps=1e-3),
    "Adagrad,maximize": lambda p: O.Adagrad(p, lr=0.1, maximize=True),
    "Adadelta": lambda p: O.Adadelta(p),
    "Adadelta,decay": lambda p: O.Adadelta(p, lr=0.5, rho=0.8, eps=1e-3, weight_decay=0.1),
    "Adadelta,maximize": lambda p: O.Adadelta(p, maximize=True),
}


def main():
    lines = []

    def add(name, rows):
        lines.append("case " + name)
        lines.extend(" ".join(repr(float(x)) for x in row) for row in rows)

    for name, make in CASES.items():
        add(name, trace(make))
    add("Lion", lion())
    add("Lion,decay", lion(lr=0.01, betas=BETAS, weight_decay=0.1))
    add("LBFGS", lbfgs(lr=0.03, max_iter=2, history_size=4))
    add("LBFGS,strong_wolfe", lbfgs(max_iter=1, line_search_fn="strong_wolfe"))
    pathlib.Path(__file__).with_name("optim.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
