// SPDX-License-Identifier: Apache-2.0
// ONNX, the format in which other programs take a model: its graph and its weights. Writing alone.
//
//   model.append(nn::Conv2d(1, 8, 3)).append(nn::ReLU()).append(nn::Flatten());
//   nn::save_onnx("model.onnx", model.append(nn::Linear(8 * 26 * 26, 10)), {1, 1, 28, 28});
//   // in Python: cv2.dnn.readNetFromONNX("model.onnx")
//
// Source: github.com/onnx/onnx, docs/IR.md, docs/Operators.md and onnx/onnx.proto; operator set 13 of
// 2020, IR version 7. To add a layer: onnx_layers.cpp.
#pragma once

#include <string>

#include <autograd/autograd.hpp>

namespace nn {

class Sequential;

struct OnnxOptions {
  autograd::DType dtype = autograd::float32;  ///< of the input; float64 for a model of that dtype
  /// The first axis is the batch: the file takes any extent of it. Else that of input_shape alone.
  bool dynamic_batch = true;
  std::string input_name = "input", output_name = "output";  ///< without dots and slashes
};

/// Writes the model as it computes in evaluation: dropout is left out, batch norm uses its running
/// statistics. The model is run once on zeros of this shape, batch included; nothing of it changes.
/// Layers in a Sequential, or in one inside of it: Linear, convolutions and their transposes, pools,
/// norms, Flatten, Unflatten, Upsample, margins, PixelShuffle, PixelUnshuffle, dropout, activations.
/// Weights have the names of state_dict(). Throws, and then the old file is as it was: TypeError for any
/// other layer, a lambda say, naming its place (a module that contains a Sequential: save that);
/// ValueError for a setting that operator set 13 cannot say, a name that cannot be used, 2 GiB of weights
/// or more; what the model throws; IoError. Call it where no tape records. Threads: as calling the model.
void save_onnx(const std::string& path, const Sequential& model, const autograd::Shape& input_shape,
               const OnnxOptions& options = {});

}  // namespace nn
