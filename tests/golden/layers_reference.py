#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes layers.txt beside this file: what PyTorch's layers give, read by tests/nn/layer_golden.hpp;
and layers.safetensors: their weights as users bring them, read by tests/nn/layer_table_test.cpp.

usage: layers_reference.py        (needs PyTorch 1.13)

    layer NAME                  one of the rows of tests/nn/layer_rows.cpp; NAME,eval: in evaluation
    i SHAPE VALUES...           an integer input
    x SHAPE SEED                a floating one: element k is sin(12.9898 k + SEED) rounded to 1/64
    p KEY SHAPE SEED            each parameter, in the order of state_dict(), from the same formula
    b KEY SHAPE SEED            each buffer of numbers; running_var is 1.5 + half of the formula
    y SHAPE VALUES...           the outputs
    dx SHAPE VALUES...          of each floating input: the gradient of the sum over the outputs of
                                sum(dy y), dy[k] = cos(0.7 k + 0.3)
    dp KEY SHAPE VALUES...      of each parameter
    after KEY SHAPE VALUES...   each buffer after the call

Inputs and parameters are exact in float32, so one block serves both dtypes.

layers.safetensors has, of each layer with a state, NAME/state/KEY of its state_dict() in float32, with
what the call above left in the buffers, NAME/x/0, ... and the outputs of a call in evaluation NAME/y/0, ...
"""
import pathlib
import sys

import torch
from torch import nn

import common

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "examples"))
from torch_to_safetensors import write_safetensors  # noqa: E402

LINES, WEIGHTS = [], {}


def formula(shape, seed):
    return common.Input(shape, seed, levels=64).tensor("float64")


def numbers(x):
    values = x.detach().reshape(-1)
    if not x.is_floating_point():
        return " ".join(str(int(v)) for v in values)
    return " ".join(f"{float(v):.15g}" for v in values)


def add(*words):
    LINES.append(" ".join(str(w) for w in words if w != ""))


def fill(module):
    """Sets what state_dict() names, shared parameters once more under each name."""
    buffers = dict(module.named_buffers())
    with torch.no_grad():
        for seed, (key, value) in enumerate(module.state_dict().items(), 11):
            if not value.is_floating_point():
                continue
            drawn = formula(value.shape, seed)
            value.copy_(1.5 + 0.5 * drawn if key.endswith("running_var") else drawn)
            add("b" if key in buffers else "p", key, common.shape_text(value.shape), seed)


def inputs_of(given):
    for seed, i in enumerate(given, 1):
        if isinstance(i, torch.Tensor):
            add("i", common.shape_text(i.shape), numbers(i))
            yield i
        else:
            add("x", common.shape_text(i), seed)
            yield formula(i, seed).requires_grad_()


def case(name, module, *given, call=None):
    module = module.double()
    module.train(not name.endswith(",eval"))
    add("layer", name)
    inputs = list(inputs_of(given))
    fill(module)
    outputs = module(*inputs) if call is None else call(module, *inputs)
    outputs = [outputs] if isinstance(outputs, torch.Tensor) else list(outputs)
    total = 0
    for y in outputs:
        add("y", common.shape_text(y.shape), numbers(y))
        total = total + (common.cotangent(y) * y).sum()
    total.backward()
    for x in inputs:
        if x.is_floating_point():
            add("dx", common.shape_text(x.shape), numbers(x.grad))
    for key, p in module.named_parameters():
        add("dp", key, common.shape_text(p.shape), numbers(p.grad))
    for key, b in module.named_buffers():
        add("after", key, common.shape_text(b.shape), numbers(b))
    keep(name, module.float().eval(), [x.float() if x.is_floating_point() else x for x in inputs],
         call or type(module).__call__)


def keep(name, module, inputs, call):
    if not module.state_dict():
        return
    outputs = call(module, *inputs)
    outputs = [outputs] if isinstance(outputs, torch.Tensor) else outputs
    for part, entries in (("state", module.state_dict().items()), ("x", enumerate(inputs)),
                          ("y", enumerate(outputs))):
        for key, value in entries:
            WEIGHTS[f"{name}/{part}/{key}"] = value


class RMSNorm(nn.Module):
    """torch.nn.RMSNorm of PyTorch 2.4."""

    def __init__(self, size, eps):
        super().__init__()
        self.weight, self.eps = nn.Parameter(torch.ones(size)), eps

    def forward(self, x):
        return x / torch.sqrt((x * x).mean(-1, keepdim=True) + self.eps) * self.weight


def integers(*rows):
    return torch.tensor(rows if len(rows) > 1 else rows[0])


case("Linear", nn.Linear(3, 4), (2, 3))
case("Linear,no_bias", nn.Linear(3, 2, bias=False), (2, 2, 3))
case("Bilinear", nn.Bilinear(3, 2, 4), (2, 2, 3), (2, 2, 2))

case("Conv1d", nn.Conv1d(2, 3, 3, stride=2, padding=1), (2, 2, 6))
case("Conv2d", nn.Conv2d(2, 3, (3, 2), padding=(1, 0)), (2, 2, 4, 3))
case("Conv2d,groups", nn.Conv2d(4, 2, 2, dilation=2, groups=2, bias=False), (1, 4, 4, 4))
case("Conv2d,same", nn.Conv2d(2, 2, (2, 3), padding="same", dilation=(1, 2)), (1, 2, 3, 4))
for mode in ("reflect", "replicate", "circular"):
    case(f"Conv2d,{mode}", nn.Conv2d(1, 2, 3, padding=(1, 2), padding_mode=mode), (1, 1, 3, 4))
case("Conv3d", nn.Conv3d(2, 2, 2, stride=(1, 2, 1)), (1, 2, 2, 3, 2))
case("ConvTranspose1d", nn.ConvTranspose1d(2, 3, 3, stride=2, padding=1, output_padding=1),
     (2, 2, 3))
case("ConvTranspose2d", nn.ConvTranspose2d(4, 2, 2, stride=2, groups=2, dilation=2), (1, 4, 2, 2))
case("ConvTranspose3d", nn.ConvTranspose3d(2, 1, 2, bias=False), (1, 2, 2, 1, 2))

case("MaxPool1d", nn.MaxPool1d(3, stride=2, padding=1), (2, 2, 5))
case("MaxPool2d", nn.MaxPool2d(2), (1, 2, 4, 5))
case("MaxPool3d", nn.MaxPool3d((1, 2, 2), stride=1), (1, 1, 2, 3, 3))
case("AvgPool1d", nn.AvgPool1d(2), (1, 2, 5))
case("AvgPool2d", nn.AvgPool2d(3, stride=2, padding=1, count_include_pad=False), (1, 2, 4, 5))
case("AvgPool3d", nn.AvgPool3d(2, ceil_mode=True), (1, 1, 2, 3, 3))
case("AdaptiveAvgPool1d", nn.AdaptiveAvgPool1d(3), (1, 2, 5))
case("AdaptiveAvgPool2d", nn.AdaptiveAvgPool2d((2, 1)), (1, 2, 3, 4))
case("AdaptiveAvgPool3d", nn.AdaptiveAvgPool3d(1), (1, 2, 2, 1, 3))
case("AdaptiveMaxPool1d", nn.AdaptiveMaxPool1d(3), (1, 2, 5))
case("AdaptiveMaxPool2d", nn.AdaptiveMaxPool2d((2, 1)), (1, 2, 3, 4))
case("AdaptiveMaxPool3d", nn.AdaptiveMaxPool3d(1), (1, 2, 2, 1, 3))

case("BatchNorm1d", nn.BatchNorm1d(3), (5, 3))
case("BatchNorm1d,sequence", nn.BatchNorm1d(2, momentum=None), (2, 2, 3))
case("BatchNorm2d", nn.BatchNorm2d(3, eps=1e-3, momentum=0.3), (2, 3, 2, 2))
case("BatchNorm2d,eval", nn.BatchNorm2d(3), (2, 3, 2, 2))
case("BatchNorm2d,untracked,eval", nn.BatchNorm2d(2, track_running_stats=False), (2, 2, 2, 2))
case("BatchNorm3d", nn.BatchNorm3d(2, affine=False), (2, 2, 1, 2, 2))
case("InstanceNorm1d", nn.InstanceNorm1d(2), (2, 2, 4))
case("InstanceNorm2d", nn.InstanceNorm2d(2, affine=True, track_running_stats=True), (2, 2, 2, 3))
case("InstanceNorm2d,eval", nn.InstanceNorm2d(2, track_running_stats=True), (2, 2, 2, 3))
case("InstanceNorm3d", nn.InstanceNorm3d(2, affine=True), (2, 2, 2, 2))
case("LayerNorm", nn.LayerNorm((2, 3)), (2, 2, 3))
case("LayerNorm,plain", nn.LayerNorm(4, eps=1e-3, elementwise_affine=False), (2, 4))
case("RMSNorm", RMSNorm(4, 1e-6), (2, 4))
case("GroupNorm", nn.GroupNorm(2, 4), (2, 4, 3))

case("Dropout,eval", nn.Dropout(0.5), (2, 3))
case("Dropout2d,eval", nn.Dropout2d(0.5), (1, 2, 2, 2))
case("Embedding", nn.Embedding(5, 3), integers([0, 4, 1], [4, 4, 2]))
case("Embedding,padding", nn.Embedding(5, 2, padding_idx=-2), integers([0, 3, 1, 3]))
case("EmbeddingBag", nn.EmbeddingBag(6, 2, mode="mean"), integers([1, 2, 4, 5, 4, 1]),
     integers([0, 2, 2, 5]))
case("EmbeddingBag,rows", nn.EmbeddingBag(6, 2, mode="sum"), integers([1, 2, 4], [5, 5, 0]))
case("EmbeddingBag,max", nn.EmbeddingBag(6, 2, mode="max"), integers([1, 2, 4, 5, 4, 1]),
     integers([0, 2, 2, 5]))
case("EmbeddingBag,padding", nn.EmbeddingBag(6, 2, mode="mean", padding_idx=4),
     integers([1, 2, 4, 5, 4, 1]), integers([0, 4, 5]))
case("EmbeddingBag,weighted", nn.EmbeddingBag(6, 2, mode="sum", padding_idx=2),
     integers([1, 2, 4, 5]), integers([0, 3]), (4,),
     call=lambda m, index, offsets, w: m(index, offsets, per_sample_weights=w))
case("Flatten", nn.Flatten(), (2, 2, 3))
case("Unflatten", nn.Unflatten(1, (2, -1)), (2, 6))
case("Upsample", nn.Upsample(scale_factor=2), (1, 2, 2, 3))
case("Upsample,bilinear", nn.Upsample(size=(3, 5), mode="bilinear", align_corners=True),
     (1, 1, 2, 3))
case("ZeroPad2d", nn.ZeroPad2d((1, 0, 2, -1)), (1, 1, 2, 3))
case("ConstantPad1d", nn.ConstantPad1d(1, 0.5), (2, 2, 2))
case("ReflectionPad2d", nn.ReflectionPad2d((1, 2, 1, 0)), (1, 1, 2, 3))
case("ReplicationPad3d", nn.ReplicationPad3d(1), (1, 1, 1, 2, 2))
case("PixelShuffle", nn.PixelShuffle(2), (1, 8, 1, 2))
case("PixelUnshuffle", nn.PixelUnshuffle(2), (2, 2, 4))
case("PReLU", nn.PReLU(), (2, 3))
case("PReLU,channels", nn.PReLU(3), (2, 3, 2))
case("GLU", nn.GLU(1), (2, 4, 2))
case("RReLU,eval", nn.RReLU(), (2, 3))
case("Sequential", nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)), (2, 3))
case("Sequential,pictures",
     nn.Sequential(nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.BatchNorm2d(2), nn.ReLU()),
                   nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8, 3)), (2, 1, 4, 4))


# --- attention


def padding(n, length, *ends):
    """True behind each sequence's end."""
    mask = torch.zeros(n, length, dtype=torch.bool)
    for i, end in enumerate(ends):
        mask[i, end:] = True
    return mask


def causal(length):
    return torch.ones(length, length, dtype=torch.bool).triu(1)


class PositionalEncoding(nn.Module):
    def forward(self, x):
        length, d = x.shape[0], x.shape[-1]
        at = torch.arange(length, dtype=torch.float64)[:, None]
        angle = at * 10000.0 ** (-torch.arange(0, d, 2, dtype=torch.float64) / d)
        table = torch.stack((torch.sin(angle), torch.cos(angle)), -1).reshape(length, -1)[:, :d]
        return x + table.unsqueeze(1)


class LearnedPositionalEncoding(nn.Module):
    def __init__(self, max_len, d):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(max_len, d))

    def forward(self, x):
        return x + self.weight[:x.shape[1]]


case("MultiheadAttention", nn.MultiheadAttention(4, 2), (3, 2, 4), (2, 2, 4), (2, 2, 4))
case("MultiheadAttention,padding", nn.MultiheadAttention(4, 2, batch_first=True), (2, 3, 4),
     call=lambda m, x: m(x, x, x, key_padding_mask=padding(2, 3, 3, 1)))
case("MultiheadAttention,causal", nn.MultiheadAttention(4, 2, batch_first=True), (2, 3, 4),
     call=lambda m, x: m(x, x, x, attn_mask=causal(3), need_weights=False)[0])
case("MultiheadAttention,kdim", nn.MultiheadAttention(4, 2, bias=False, kdim=3, vdim=2),
     (2, 2, 4), (3, 2, 3), (3, 2, 2), (4, 2, 3),
     call=lambda m, q, k, v, mask: m(q, k, v, attn_mask=mask, average_attn_weights=False))
case("MultiheadAttention,unbatched", nn.MultiheadAttention(4, 1), (3, 4), (2, 4),
     call=lambda m, q, k: m(q, k, k))

SMALL = dict(dim_feedforward=6, dropout=0.0)
case("TransformerEncoderLayer", nn.TransformerEncoderLayer(4, 2, **SMALL), (3, 2, 4))
case("TransformerEncoderLayer,first",
     nn.TransformerEncoderLayer(4, 2, activation="gelu", batch_first=True, norm_first=True, **SMALL),
     (2, 3, 4),
     call=lambda m, x: m(x, src_mask=causal(3), src_key_padding_mask=padding(2, 3, 3, 2)))
case("TransformerDecoderLayer", nn.TransformerDecoderLayer(4, 2, **SMALL), (3, 2, 4), (2, 2, 4),
     call=lambda m, x, memory: m(x, memory, tgt_mask=causal(3),
                                 memory_key_padding_mask=padding(2, 2, 2, 1)))
case("TransformerDecoderLayer,first",
     nn.TransformerDecoderLayer(4, 2, norm_first=True, batch_first=True, **SMALL),
     (2, 2, 4), (2, 3, 4))
case("TransformerEncoder",
     nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, **SMALL), 2, nn.LayerNorm(4)),
     (2, 2, 4))
case("TransformerDecoder",
     nn.TransformerDecoder(nn.TransformerDecoderLayer(4, 2, **SMALL), 2), (2, 2, 4), (3, 2, 4))
case("Transformer",
     nn.Transformer(4, 2, num_encoder_layers=1, num_decoder_layers=1, **SMALL),
     (2, 2, 4), (3, 2, 4), call=lambda m, x, y: m(x, y, tgt_mask=causal(3)))
case("PositionalEncoding", PositionalEncoding(), (3, 2, 5))
case("LearnedPositionalEncoding", LearnedPositionalEncoding(4, 3), (2, 2, 3))


# --- recurrent


def packed(lengths, batch_first=False):
    def call(m, x, *state):
        x = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first, enforce_sorted=False)
        state = state if len(state) > 1 else (state[0] if state else None)
        y, h = m(x, state)
        return flat(nn.utils.rnn.pad_packed_sequence(y, batch_first)[0], h)
    return call


def flat(y, h):
    return (y, *h) if isinstance(h, tuple) else (y, h)


def plain(m, x, *state):
    return flat(*m(x, state if len(state) > 1 else (state[0] if state else None)))


case("RNN", nn.RNN(3, 2, num_layers=2, nonlinearity="relu", bias=False), (3, 2, 3), call=plain)
case("RNN,packed", nn.RNN(3, 2, num_layers=2, bidirectional=True, batch_first=True), (3, 4, 3),
     call=packed([2, 4, 1], True))
case("LSTM", nn.LSTM(3, 2, num_layers=2), (3, 2, 3), (2, 2, 2), (2, 2, 2), call=plain)
case("LSTM,packed", nn.LSTM(3, 2, num_layers=2, bidirectional=True), (4, 3, 3), (4, 3, 2),
     (4, 3, 2), call=packed([3, 4, 2]))
case("LSTM,unbatched", nn.LSTM(3, 2, bidirectional=True), (3, 3), call=plain)
case("GRU", nn.GRU(3, 2, num_layers=2, batch_first=True), (2, 3, 3), (2, 2, 2), call=plain)
case("GRU,packed", nn.GRU(3, 2, num_layers=2, bidirectional=True), (4, 3, 3),
     call=packed([1, 4, 3]))
case("RNNCell", nn.RNNCell(3, 2), (2, 3), (2, 2))
case("LSTMCell", nn.LSTMCell(3, 2), (2, 3), (2, 2), (2, 2),
     call=lambda m, x, h, c: m(x, (h, c)))
case("GRUCell", nn.GRUCell(3, 2, bias=False), (2, 3), (2, 2))

path = HERE / "layers.txt"
path.write_text("\n".join(LINES) + "\n")
print(f"{path.name}: {len(LINES)} lines, {path.stat().st_size} bytes")
path = HERE / "layers.safetensors"
write_safetensors(path, WEIGHTS, {"format": "pt"})
print(f"{path.name}: {len(WEIGHTS)} tensors, {path.stat().st_size} bytes")
