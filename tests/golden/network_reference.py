#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes network.txt beside this file: what PyTorch gives for the functions of network.hpp.

usage: network_reference.py       (needs PyTorch; common.py describes the file)
"""
import math

import torch
import torch.nn.functional as F

import common

CASES = []


def simple(name, f, *shapes):
    CASES.append((name.replace(", ", ",").replace(" ", ",", 1).replace(" ", "_"), [], shapes, f))


# --- convolution
simple("conv2d plain", F.conv2d, (2, 2, 4, 5), (3, 2, 3, 2), (3,))
simple("conv2d stride padding", lambda x, w: F.conv2d(x, w, stride=(2, 1), padding=(1, 2)),
       (1, 2, 5, 4), (2, 2, 3, 3))
simple("conv2d dilation groups", lambda x, w, b: F.conv2d(x, w, b, padding=2, dilation=2, groups=2),
       (1, 4, 4, 5), (2, 2, 2, 3), (2,))
simple("conv2d depthwise strided view",
       lambda x, w: F.conv2d(x.transpose(2, 3), w, padding=1, groups=2), (2, 2, 4, 3), (4, 1, 3, 2))
simple("conv2d pointwise unbatched", F.conv2d, (3, 2, 3), (2, 3, 1, 1), (2,))
simple("conv1d", lambda x, w, b: F.conv1d(x, w, b, stride=2, padding=1), (2, 2, 6), (3, 2, 4), (3,))
simple("conv3d", lambda x, w, b: F.conv3d(x, w, b, stride=(1, 2, 1), padding=(0, 1, 1)),
       (1, 2, 3, 3, 2), (2, 2, 2, 2, 3), (2,))
simple("conv_transpose2d plain", F.conv_transpose2d, (2, 2, 3, 2), (2, 3, 2, 3), (3,))
simple("conv_transpose2d everything",
       lambda x, w, b: F.conv_transpose2d(x, w, b, stride=(2, 3), padding=(1, 0),
                                          output_padding=(1, 2), groups=2, dilation=(2, 1)),
       (1, 4, 3, 2), (4, 1, 3, 2), (2,))
simple("conv_transpose2d strided view",
       lambda x, w: F.conv_transpose2d(x.transpose(0, 1), w, stride=2), (2, 1, 2, 2), (2, 1, 3, 3))
simple("conv_transpose1d", lambda x, w: F.conv_transpose1d(x, w, stride=3, padding=1,
                                                           output_padding=2),
       (2, 2, 3), (2, 2, 4))
simple("conv_transpose3d unbatched", lambda x, w: F.conv_transpose3d(x, w, stride=(1, 2, 1)),
       (2, 2, 2, 2), (2, 1, 2, 2, 2))

# --- pooling
simple("max_pool2d plain", lambda x: F.max_pool2d(x, 2), (1, 2, 4, 5))
simple("max_pool2d padding ceil", lambda x: F.max_pool2d(x, (3, 2), stride=(2, 2), padding=1,
                                                         ceil_mode=True), (2, 1, 4, 5))
simple("max_pool2d dilation strided view",
       lambda x: F.max_pool2d(x.transpose(2, 3), 2, stride=1, dilation=(2, 1)), (1, 2, 3, 4))
simple("max_pool1d unbatched", lambda x: F.max_pool1d(x, 3, stride=2, padding=1), (2, 7))
simple("max_pool3d", lambda x: F.max_pool3d(x, 2, stride=1), (1, 1, 3, 2, 3))
simple("avg_pool2d plain", lambda x: F.avg_pool2d(x, 2), (1, 2, 4, 5))
simple("avg_pool2d padding", lambda x: F.avg_pool2d(x, (3, 2), stride=(2, 1), padding=1),
       (1, 1, 4, 3))
simple("avg_pool2d padding not counted ceil",
       lambda x: F.avg_pool2d(x, 3, stride=2, padding=1, ceil_mode=True, count_include_pad=False),
       (1, 1, 4, 6))
simple("avg_pool2d padding ceil", lambda x: F.avg_pool2d(x, 3, stride=2, padding=1, ceil_mode=True),
       (1, 1, 4, 6))
simple("avg_pool2d divisor strided view",
       lambda x: F.avg_pool2d(x.transpose(2, 3), 2, divisor_override=3), (1, 2, 4, 2))
simple("avg_pool1d unbatched", lambda x: F.avg_pool1d(x, 3, stride=1), (2, 5))
simple("avg_pool3d", lambda x: F.avg_pool3d(x, (1, 2, 2), stride=1), (1, 1, 2, 3, 3))
simple("adaptive_avg_pool2d", lambda x: F.adaptive_avg_pool2d(x, (3, 2)), (1, 2, 5, 3))
simple("adaptive_avg_pool1d wider", lambda x: F.adaptive_avg_pool1d(x, 7), (1, 2, 5))
simple("adaptive_avg_pool3d global", lambda x: F.adaptive_avg_pool3d(x, 1), (2, 1, 2, 3, 2))
simple("adaptive_avg_pool2d strided view",
       lambda x: F.adaptive_avg_pool2d(x.transpose(1, 2), 2), (2, 3, 3))
simple("adaptive_max_pool2d", lambda x: F.adaptive_max_pool2d(x, (3, 2)), (1, 2, 5, 3))
simple("adaptive_max_pool1d wider", lambda x: F.adaptive_max_pool1d(x, 4), (2, 3))
simple("adaptive_max_pool3d", lambda x: F.adaptive_max_pool3d(x, (1, 2, 1)), (1, 1, 2, 3, 2))
simple("adaptive_max_pool2d strided view",
       lambda x: F.adaptive_max_pool2d(x.transpose(2, 3), 2), (1, 1, 3, 4))

# --- interpolation
for kind, shape, size in (("linear", (1, 2, 4), 7), ("bilinear", (1, 1, 3, 4), (5, 3)),
                          ("trilinear", (1, 1, 2, 3, 2), (3, 2, 4)), ("bicubic", (1, 1, 3, 4), (5, 3))):
    for corners in (False, True):
        simple(f"interpolate {kind}{', corners' if corners else ''}",
               lambda x, k=kind, s=size, c=corners: F.interpolate(x, s, mode=k, align_corners=c),
               shape)
simple("interpolate bilinear, factor",
       lambda x: F.interpolate(x, scale_factor=(1.7, 2.3), mode="bilinear", align_corners=False),
       (1, 1, 3, 2))
simple("interpolate nearest", lambda x: F.interpolate(x, (5, 2), mode="nearest"), (1, 2, 3, 4))
simple("interpolate nearest, factor", lambda x: F.interpolate(x, scale_factor=2, mode="nearest"),
       (1, 1, 2, 3))
simple("interpolate nearest_exact", lambda x: F.interpolate(x, 3, mode="nearest-exact"), (1, 2, 5))
simple("interpolate area", lambda x: F.interpolate(x, (2, 3), mode="area"), (1, 1, 3, 4))
simple("interpolate nearest, strided view",
       lambda x: F.interpolate(x.transpose(2, 3), 3, mode="nearest"), (1, 1, 4, 2))

# --- normalization
def running(x):
    return [0.3 * torch.arange(x.shape[1], dtype=x.dtype) - 0.2,
            0.5 + torch.arange(x.shape[1], dtype=x.dtype)]


simple("batch_norm training",
       lambda x, w, b: F.batch_norm(x, None, None, w, b, training=True), (3, 2, 2, 2), (2,), (2,))
simple("batch_norm training 2 axes",
       lambda x: F.batch_norm(x, None, None, training=True, eps=1e-3), (5, 3))
simple("batch_norm eval", lambda x, w, b: F.batch_norm(x, *running(x), w, b), (2, 3, 2), (3,), (3,))
simple("batch_norm strided view",
       lambda x, w: F.batch_norm(x.transpose(0, 1), None, None, w, training=True), (3, 4), (3,))


def learned(kind):
    def f(x):
        stats = running(x)
        with torch.no_grad():
            if kind == "batch":
                F.batch_norm(x, *stats, training=True, momentum=0.3)
            else:
                F.instance_norm(x, *stats, use_input_stats=True, momentum=0.3)
        return torch.stack(stats)
    return f


simple("batch_norm running", learned("batch"), (3, 2, 2))
simple("instance_norm running", learned("instance"), (3, 2, 4))
simple("layer_norm", lambda x, w, b: F.layer_norm(x, (4,), w, b), (2, 3, 4), (4,), (4,))
simple("layer_norm 2 axes", lambda x, w, b: F.layer_norm(x, (2, 3), w, b, eps=0.1), (2, 2, 3),
       (2, 3), (2, 3))
simple("layer_norm strided view", lambda x: F.layer_norm(x.transpose(0, 1), (4,)), (4, 3))
simple("layer_norm all", lambda x: F.layer_norm(x, (5,)), (5,))
simple("group_norm", lambda x, w, b: F.group_norm(x, 2, w, b), (2, 4, 3), (4,), (4,))
simple("group_norm one group", lambda x: F.group_norm(x, 1), (2, 2, 2, 2))
simple("group_norm each channel", lambda x, w: F.group_norm(x, 3, w, eps=0.01), (1, 3, 4), (3,))
simple("group_norm strided view", lambda x: F.group_norm(x.transpose(1, 2), 2), (2, 3, 4))
simple("instance_norm", lambda x, w, b: F.instance_norm(x, None, None, w, b), (2, 2, 3), (2,), (2,))
simple("instance_norm plane", lambda x: F.instance_norm(x, eps=0.1), (1, 2, 2, 3))
simple("instance_norm eval",
       lambda x: F.instance_norm(x, *running(x), use_input_stats=False), (2, 2, 3))
simple("instance_norm strided view", lambda x: F.instance_norm(x.transpose(1, 2)), (2, 4, 2))


def rms(x, dims, w=None, eps=None):
    eps = torch.finfo(x.dtype).eps if eps is None else eps
    y = x / torch.sqrt((x * x).mean(dims, keepdim=True) + eps)
    return y if w is None else y * w


simple("rms_norm", lambda x, w: rms(x, -1, w), (3, 4), (4,))
simple("rms_norm 2 axes", lambda x, w: rms(x, (-2, -1), w, 0.1), (2, 2, 3), (2, 3))
simple("rms_norm strided view", lambda x: rms(x.transpose(0, 1), -1), (3, 2))
simple("rms_norm one", lambda x: rms(x, -1, None, 0.1), (1, 1))

# --- embedding
INDEX = torch.tensor([[2, 0, 2], [3, 1, 0]])
simple("embedding", lambda w: F.embedding(INDEX, w), (4, 3))
simple("embedding padding", lambda w: F.embedding(INDEX, w, padding_idx=2), (4, 3))
simple("embedding strided view", lambda w: F.embedding(INDEX, w.t()), (2, 5))
simple("embedding one", lambda w: F.embedding(torch.tensor(1), w), (2, 2))

# --- attention
MASK = torch.tensor([[True, False, True, True], [False, True, False, True],
                     [True, True, True, False]])


def attention(q, k, v, mask=None, scale=None):
    scores = q @ k.transpose(-2, -1) * (q.shape[-1] ** -0.5 if scale is None else scale)
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    return scores.softmax(-1) @ v


simple("scaled_dot_product_attention", attention, (2, 3, 4), (2, 5, 4), (2, 5, 2))
simple("scaled_dot_product_attention causal",
       lambda q, k, v: attention(q, k, v, torch.ones(3, 3, dtype=torch.bool).tril()),
       (1, 2, 3, 2), (1, 2, 3, 2), (1, 2, 3, 3))
simple("scaled_dot_product_attention mask broadcast", lambda q, k, v: attention(q, k, v, MASK), (2, 3, 2), (4, 2), (4, 2))
simple("scaled_dot_product_attention scale strided view",
       lambda q, k, v: attention(q.transpose(0, 1), k, v, None, 0.5), (2, 3), (4, 2), (4, 1))

# --- CTC, through log_softmax: PyTorch's gradient is the derivative only there
def ctc(x, targets, inputs, lengths, **options):
    return F.ctc_loss(x.log_softmax(-1), torch.tensor(targets), torch.tensor(inputs),
                      torch.tensor(lengths), **options)


simple("ctc_loss mean", lambda x: ctc(x, [[1, 2, 2], [2, 0, 0]], [6, 5], [3, 1]), (6, 2, 3))
simple("ctc_loss none one line", lambda x: ctc(x, [1, 1, 0], [5, 4], [2, 1], blank=3,
                                                reduction="none"), (5, 2, 4))
simple("ctc_loss empty target", lambda x: ctc(x, [[1], [2]], [4, 4], [0, 1], reduction="sum"),
       (4, 2, 3))
simple("ctc_loss impossible", lambda x: ctc(x, [[1, 1], [1, 2]], [2, 2], [2, 2], reduction="sum",
                                            zero_infinity=True), (2, 2, 3))
simple("ctc_loss strided view", lambda x: ctc(x.transpose(0, 1), [[1]], [3], [1]), (1, 3, 2))
simple("scaled_dot_product_attention one", attention, (1, 1), (1, 1), (1, 1))

# --- dropout where nothing is drawn, loss
simple("dropout keeps all", lambda x: F.dropout(x, 0.0), (3, 4))
simple("dropout drops all", lambda x: F.dropout(x, 1.0), (2, 3))
simple("dropout eval", lambda x: F.dropout(x, 0.5, False), (2, 3, 2))
simple("dropout of a view", lambda x: F.dropout(x.t(), 0.25, False), (4, 3))
simple("mean_squared_error", F.mse_loss, (3, 4), (3, 4))
simple("mean_squared_error batch", F.mse_loss, (2, 3, 2), (2, 3, 2))
simple("mean_squared_error of a view", lambda a, b: F.mse_loss(a.t(), b), (3, 2), (2, 3))
simple("mean_squared_error scalar", F.mse_loss, (), ())


if __name__ == "__main__":
    common.write("network", CASES)
