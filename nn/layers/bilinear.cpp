// SPDX-License-Identifier: Apache-2.0
#include "bilinear.hpp"

#include "check.hpp"

namespace nn {

Bilinear::Bilinear(std::int64_t in1, std::int64_t in2, std::int64_t out, Generator& generator,
                   LinearOptions options) {
  detail::check_at_least("Bilinear", "in1", in1, 1);
  detail::check_at_least("Bilinear", "in2", in2, 1);
  detail::check_at_least("Bilinear", "out", out, 1);
  const double bound = detail::bound_of(in1);
  weight =
      detail::uniform_parameter(*this, "weight", {out, in1, in2}, bound, generator, options.dtype);
  if (!options.bias) return;
  bias = detail::uniform_parameter(*this, "bias", {out}, bound, generator, options.dtype);
}

Bilinear::Bilinear(std::int64_t in1, std::int64_t in2, std::int64_t out, LinearOptions options)
    : Bilinear(in1, in2, out, autograd::default_generator(), options) {}

Tensor Bilinear::operator()(const Tensor& x1, const Tensor& x2) const {
  return guard("Bilinear", [&] {
    const std::int64_t out = weight.shape()[0], in1 = weight.shape()[1], in2 = weight.shape()[2];
    const bool fits = x1.dim() >= 1 && x1.dim() == x2.dim() && x1.dim() < autograd::kMaxDim &&
                      x1.shape().back() == in1 && x2.shape().back() == in2;
    autograd::Shape lead1 = fits ? x1.shape() : autograd::Shape{};
    autograd::Shape lead2 = fits ? x2.shape() : autograd::Shape{};
    if (fits) lead1[x1.dim() - 1] = lead2[x2.dim() - 1] = 1;
    if (!fits || !(lead1 == lead2)) {
      throw autograd::ShapeError("inputs do not fit: input1 is " + to_string(x1.shape()) +
                                 ", input2 is " + to_string(x2.shape()) + "; need [..., " +
                                 std::to_string(in1) + "] and [..., " + std::to_string(in2) +
                                 "] with the same axes in front");
    }
    // One product for all outputs: x1 [n, in1] by W as [in1, out in2], then rows times x2.
    const Tensor w = autograd::reshape(autograd::permute(weight, {1, 0, 2}), {in1, out * in2});
    const Tensor left = autograd::matmul(autograd::reshape(x1, {-1, in1}), w);
    const Tensor right = autograd::reshape(x2, {-1, in2, 1});
    Tensor y =
        autograd::squeeze(autograd::matmul(autograd::reshape(left, {-1, out, in2}), right), -1);
    if (bias.defined()) y = y + bias;
    autograd::Shape shape = x1.shape();
    shape[shape.dim() - 1] = out;
    return autograd::reshape(y, shape);
  });
}

}  // namespace nn
