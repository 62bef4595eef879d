#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Models that save_onnx wrote are sound for onnx's checker, and compute the same in another program.

usage: onnx_check.py PROGRAM      (onnx_models, which writes the models and what they compute)
OpenCV's dnn module runs them, to 1e-4. What it has not (as of 4.6) is computed here with numpy, from the
definitions in onnx/docs/Operators.md. Needs Debian's python3-onnx and python3-opencv, or their like.
"""
import math
import pathlib
import subprocess
import sys
import tempfile

import cv2
import numpy as np
import onnx
from onnx import numpy_helper, shape_inference

TOLERANCE = 1e-4
# Transposed convolutions but of images, margins that cut, margins by reflection but of images, dilated
# pools, Clip of operator set 11, Where, means of rows of an unknown number, Resize but of images, by
# cubics, or to the nearest from the middle.
BEYOND_OPENCV = {
    "conv_transpose1d", "conv_transpose3d", "cut", "hardtanh_one_side", "max_pool2d_dilated",
    "reflection_pad1d", "reflection_pad3d", "replication_pad1d", "replication_pad3d",
    "rms_norm_of_images", "softplus_threshold", "threshold_value", "upsample_cubic",
    "upsample_cubic_corners", "upsample_exact", "upsample_linear_1d", "upsample_nearest_1d",
    "upsample_nearest_3d"}


# --- operators in numpy

def pad(x, pads, value=0.0, mode=b"constant"):
    lead, trail = pads[:x.ndim], pads[x.ndim:]
    widths = [(max(a, 0), max(b, 0)) for a, b in zip(lead, trail)]
    mode = mode.decode()
    y = np.pad(x, widths, mode, **({"constant_values": value} if mode == "constant" else {}))
    return y[tuple(slice(max(-a, 0), n - max(-b, 0)) for a, b, n in zip(lead, trail, y.shape))]


def max_pool(x, kernel_shape, strides, pads, dilations):
    x = np.pad(x, [(0, 0)] * 2 + list(zip(pads[:2], pads[2:])), constant_values=-np.inf)
    out = [(n - d * (k - 1) - 1) // s + 1
           for n, k, s, d in zip(x.shape[2:], kernel_shape, strides, dilations)]
    places = [tuple(slice(i * d, i * d + (m - 1) * s + 1, s)
                    for i, d, m, s in zip(place, dilations, out, strides))
              for place in np.ndindex(*kernel_shape)]
    return np.max([x[(..., *place)] for place in places], axis=0)


def conv_transpose(x, w, b, strides, pads, output_padding, **_):  # without groups and dilations
    axes = len(strides)
    full = [(n - 1) * s + k + o
            for n, s, k, o in zip(x.shape[2:], strides, w.shape[2:], output_padding)]
    y = np.zeros((x.shape[0], w.shape[1], *full))
    for place in np.ndindex(*w.shape[2:]):
        to = tuple(slice(i, i + (n - 1) * s + 1, s)
                   for i, n, s in zip(place, x.shape[2:], strides))
        y[(..., *to)] += np.einsum("nc...,co->no...", x, w[(..., *place)])
    y = y[(..., *(slice(a, n - e) for a, e, n in zip(pads[:axes], pads[axes:], full)))]
    return y + b.reshape(-1, *[1] * axes)


def resize_matrix(n, m, scale, mode, places, a):
    """[m, n]: how the elements of an axis make those of the result."""
    rows = np.zeros((m, n))
    for i in range(m):
        x = {"asymmetric": i / scale, "half_pixel": (i + 0.5) / scale - 0.5,
             "align_corners": i * (n - 1) / (m - 1) if m > 1 else 0}[places]
        low, t = math.floor(x), x - math.floor(x)
        if mode == "floor":
            taps = {0: 1}
        elif mode == "round_prefer_ceil":
            taps = {int(t >= 0.5): 1}
        elif mode == "linear":
            taps = {0: 1 - t, 1: t}
        else:  # Keys 1981 with this a
            near = lambda d: ((a + 2) * d - (a + 3)) * d * d + 1
            far = lambda d: ((a * d - 5 * a) * d + 8 * a) * d - 4 * a
            taps = {-1: far(1 + t), 0: near(t), 1: near(1 - t), 2: far(2 - t)}
        for offset, weight in taps.items():
            rows[i, min(max(low + offset, 0), n - 1)] += weight
    return rows


def resize(x, _, scales=None, sizes=None, mode=b"nearest", nearest_mode=b"",
           coordinate_transformation_mode=b"", cubic_coeff_a=-0.75):
    mode = (nearest_mode if mode == b"nearest" else mode).decode()
    for axis in range(2, x.ndim):
        n = x.shape[axis]
        m = int(sizes[axis]) if sizes is not None else math.floor(n * scales[axis])
        scale = m / n if sizes is not None else float(scales[axis])
        rows = resize_matrix(n, m, scale, mode, coordinate_transformation_mode.decode(),
                             cubic_coeff_a)
        x = np.moveaxis(np.tensordot(rows, x, (1, axis)), 0, axis)
    return x


def reshape(x, extents):
    return x.reshape([x.shape[i] if n == 0 else n for i, n in enumerate(extents)])


OPERATORS = {
    "Add": np.add, "Sub": np.subtract, "Mul": np.multiply, "Div": np.divide, "Sqrt": np.sqrt,
    "Greater": np.greater, "Where": np.where, "Clip": np.clip, "Reshape": reshape,
    "Softplus": lambda x: np.logaddexp(x, 0),
    "ReduceMean": lambda x, axes, keepdims: x.mean(tuple(axes), keepdims=bool(keepdims)),
    "Shape": lambda x: np.array(x.shape), "Slice": lambda x, begin, end: x[begin[0]:end[0]],
    "Concat": lambda *parts, axis: np.concatenate(parts, axis),
    "Pad": pad, "MaxPool": max_pool, "ConvTranspose": conv_transpose, "Resize": resize}


def run_numpy(model, x):
    values = {w.name: numpy_helper.to_array(w) for w in model.graph.initializer}
    values[model.graph.input[0].name] = x
    for node in model.graph.node:
        attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        inputs = [values[name] if name else None for name in node.input]
        values[node.output[0]] = OPERATORS[node.op_type](*inputs, **attributes)
    return values[model.graph.output[0].name]


def run_opencv(path, x):
    net = cv2.dnn.readNetFromONNX(str(path))
    net.setInput(x.astype(np.float32))
    return net.forward()


# --- checks

def difference(got, want):
    """What is wrong with the result, or ""."""
    if got.shape != want.shape:
        return f"its output is {list(got.shape)}; need {list(want.shape)}"
    error = float(np.max(np.abs(got - want) / np.maximum(1, np.abs(want))))
    return "" if error <= TOLERANCE else f"off by {error:.3g}; need at most {TOLERANCE}"


def check(path):
    model = onnx.load(str(path))
    onnx.checker.check_model(model, full_check=True)
    shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
    x, y = (np.load(path.with_suffix(f".{which}.npy")) for which in "xy")
    beyond = path.stem in BEYOND_OPENCV
    got = run_numpy(model, x) if beyond else run_opencv(path, x)
    if not difference(got, y * 1.001 + 0.001):
        return "a wrong result passes; need a difference that is seen"
    return difference(got, y)


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__)
        return 2
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.argv[1], folder], check=True)
        paths = sorted(pathlib.Path(folder).glob("*.onnx"))
        for path in paths:
            try:
                wrong = check(path)
            except Exception as error:  # of onnx, OpenCV or numpy: all say what they did not take
                wrong = f"{type(error).__name__}: {error}"
            if wrong:
                failed += 1
                print(f"{path.stem}: {wrong}")
    absent = BEYOND_OPENCV - {path.stem for path in paths}
    if absent:
        print(f"no such models: {sorted(absent)}; need them written by {sys.argv[1]}")
    print(f"{len(paths) - failed} of {len(paths)} models agree (onnx {onnx.__version__}, "
          f"OpenCV {cv2.__version__}; {len(BEYOND_OPENCV)} of them in numpy)")
    return 0 if paths and not failed and not absent else 1


if __name__ == "__main__":
    sys.exit(main())
