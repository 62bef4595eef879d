#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes loss.txt: the losses of nn by PyTorch 1.13; see common.py. Targets that are not inputs are the
constants below, which loss_golden_test.cpp repeats."""
import torch
import torch.nn.functional as F

import common

CASES = []
LABELS = torch.tensor([2, 0, -100, 1])
PLACES = torch.tensor([[[0, 2], [1, -100], [2, 2]], [[1, 0], [-100, 1], [0, 2]]])  # [2, 3, 2]
SIGNS = torch.tensor([1.0, -1.0, -1.0, 1.0, 1.0, -1.0, 1.0, -1.0])
COUNTS = torch.tensor([0.0, 1.0, 2.0, 5.0, 3.0, 0.0])
MULTILABEL = torch.tensor([[1, 3, -1, 0], [2, -1, 1, 1], [-1, 0, 0, 0]])
MULTIHOT = torch.tensor([[1.0, 0.0, 1.0], [0.0, 0.0, 1.0]])


def case(name, f, *inputs):
    """Each reduction under its name; plain: mean."""
    CASES.append((name, [], inputs, f))


def reductions(name, f, *inputs):
    for reduction in ("mean", "sum", "none"):
        case(f"{name},{reduction}", lambda *x, r=reduction: f(*x, reduction=r), *inputs)


def like(x, constant):
    return constant.to(x.dtype)


def weights(x, *values):
    return torch.tensor(values, dtype=x.dtype)


for name, f, options in [("mse_loss", F.mse_loss, {}), ("l1_loss", F.l1_loss, {}),
                         ("smooth_l1_loss", F.smooth_l1_loss, {"beta": 0.5}),
                         ("huber_loss", F.huber_loss, {"delta": 0.4})]:
    reductions(name, lambda x, t, f=f, options=options, **r: f(x, t, **options, **r), (3, 4), (3, 4))
case("smooth_l1_loss,zero", lambda x, t: F.smooth_l1_loss(x, t, beta=0.0), (5,), (5,))

reductions("bce_loss", lambda x, t, **r: F.binary_cross_entropy(
    x.sigmoid(), t.sigmoid(), weights(x, 1.0, 0.5, 2.0), **r), (2, 3), (2, 3))
reductions("bce_with_logits_loss", lambda x, t, **r: F.binary_cross_entropy_with_logits(
    3 * x, t.sigmoid(), **r), (2, 3), (2, 3))
reductions("bce_with_logits_loss,weights", lambda x, t, **r: F.binary_cross_entropy_with_logits(
    3 * x, t.sigmoid(), weights(x, 1.0, 0.5, 2.0), pos_weight=weights(x, 0.5, 3.0, 1.5), **r),
    (2, 3), (2, 3))

reductions("cross_entropy_loss", lambda x, **r: F.cross_entropy(3 * x, LABELS, **r), (4, 3))
reductions("cross_entropy_loss,all", lambda x, **r: F.cross_entropy(
    3 * x, LABELS, weights(x, 1.0, 0.5, 2.0), label_smoothing=0.2, **r), (4, 3))
reductions("cross_entropy_loss,places", lambda x, **r: F.cross_entropy(
    3 * x, PLACES, weights(x, 1.0, 0.5, 2.0), label_smoothing=0.1, **r), (2, 3, 3, 2))
reductions("cross_entropy_loss,probabilities", lambda x, t, **r: F.cross_entropy(
    3 * x, t.softmax(1), weights(x, 1.0, 0.5, 2.0), label_smoothing=0.1, **r), (4, 3), (4, 3))
reductions("cross_entropy_loss,probabilities_places", lambda x, t, **r: F.cross_entropy(
    3 * x, t.softmax(1), **r), (2, 3, 2), (2, 3, 2))
reductions("nll_loss", lambda x, **r: F.nll_loss(
    x.log_softmax(1), LABELS, weights(x, 1.0, 0.5, 2.0), **r), (4, 3))
reductions("nll_loss,places", lambda x, **r: F.nll_loss(
    x.log_softmax(1), PLACES, **r), (2, 3, 3, 2))

for reduction in ("mean", "batchmean", "sum", "none"):
    case(f"kl_div_loss,{reduction}", lambda x, t, r=reduction: F.kl_div(
        x.log_softmax(1), t.softmax(1), reduction=r), (3, 4), (3, 4))
case("kl_div_loss,log", lambda x, t: F.kl_div(
    x.log_softmax(1), t.log_softmax(1), reduction="batchmean", log_target=True), (3, 4), (3, 4))
reductions("gaussian_nll_loss", lambda x, t, v, **r: F.gaussian_nll_loss(
    x, t, v.exp(), **r), (3, 4), (3, 4), (3, 4))
case("gaussian_nll_loss,full", lambda x, t, v: F.gaussian_nll_loss(
    x, t, v.exp(), full=True), (3, 4), (3, 4), (3, 1))
case("gaussian_nll_loss,eps", lambda x, t, v: F.gaussian_nll_loss(
    x, t, v.exp(), eps=0.9), (3, 4), (3, 4), (3,))
reductions("poisson_nll_loss", lambda x, **r: F.poisson_nll_loss(x, like(x, COUNTS), **r), (6,))
case("poisson_nll_loss,full", lambda x: F.poisson_nll_loss(
    x.exp(), like(x, COUNTS), log_input=False, full=True, eps=0.1), (6,))

reductions("hinge_embedding_loss", lambda x, **r: F.hinge_embedding_loss(
    x, like(x, SIGNS), margin=0.3, **r), (8,))
reductions("margin_ranking_loss", lambda a, b, **r: F.margin_ranking_loss(
    a, b, like(a, SIGNS), margin=0.2, **r), (8,), (8,))
reductions("soft_margin_loss", lambda x, **r: F.soft_margin_loss(5 * x, like(x, SIGNS), **r), (8,))
reductions("multi_margin_loss", lambda x, **r: F.multi_margin_loss(
    x, torch.tensor([2, 0, 3]), **r), (3, 4))
case("multi_margin_loss,all", lambda x: F.multi_margin_loss(
    x, torch.tensor([2, 0, 3]), p=2, margin=0.5, weight=weights(x, 1.0, 0.5, 2.0, 0.1)), (3, 4))
reductions("multilabel_margin_loss", lambda x, **r: F.multilabel_margin_loss(x, MULTILABEL, **r),
           (3, 4))
reductions("multilabel_soft_margin_loss", lambda x, **r: F.multilabel_soft_margin_loss(
    x, like(x, MULTIHOT), weights(x, 1.0, 0.5, 2.0), **r), (2, 3))
reductions("cosine_embedding_loss", lambda a, b, **r: F.cosine_embedding_loss(
    a, b, like(a, SIGNS[:4]), margin=0.1, **r), (4, 3), (4, 3))
reductions("triplet_margin_loss", lambda a, p, n, **r: F.triplet_margin_loss(
    a, p, n, **r), (4, 3), (4, 3), (4, 3))
case("triplet_margin_loss,all", lambda a, p, n: F.triplet_margin_loss(
    a, p, n, margin=0.5, p=3.0, eps=0.01, swap=True), (4, 3), (4, 3), (4, 3))


if __name__ == "__main__":
    common.write("loss", CASES)
