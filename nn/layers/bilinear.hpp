// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "linear.hpp"

namespace nn {

/// y_o = x1^T W_o x2 + b_o: x1 [..., in1], x2 [..., in2], y [..., out]. W and b start uniform on
/// (-1/sqrt(in1), 1/sqrt(in1)), W drawn first (torch.nn.Bilinear). Throws ShapeError when x1 or x2
/// does not fit.
struct Bilinear : Module {
  Parameter weight;  ///< [out, in1, in2]
  Parameter bias;    ///< [out]; undefined without bias

  Bilinear(std::int64_t in1, std::int64_t in2, std::int64_t out, Generator& generator,
           LinearOptions options = {});
  /// Draws from the default generator of this thread.
  Bilinear(std::int64_t in1, std::int64_t in2, std::int64_t out, LinearOptions options = {});
  Tensor operator()(const Tensor& x1, const Tensor& x2) const;
};

}  // namespace nn
