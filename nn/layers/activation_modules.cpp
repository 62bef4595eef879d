// SPDX-License-Identifier: Apache-2.0
#include "activation_modules.hpp"

#include "check.hpp"

namespace nn {

using autograd::ShapeError;

PReLU::PReLU(PReLUOptions options) {
  detail::check_at_least("PReLU", "num_parameters", options.num_parameters, 1);
  weight = detail::constant_parameter(*this, "weight", {options.num_parameters}, options.init,
                                      options.dtype);
}

Tensor PReLU::operator()(const Tensor& x) const {
  return guard("PReLU", [&] {
    const std::int64_t n = weight.numel();
    Tensor slopes = weight;
    if (n > 1) {
      if (x.dim() < 2 || x.shape()[1] != n) {
        throw ShapeError("input has the wrong shape: input is " + to_string(x.shape()) +
                         "; need input.shape[1] == " + std::to_string(n));
      }
      std::vector<std::int64_t> shape(static_cast<std::size_t>(x.dim() - 1), 1);
      shape[0] = n;
      slopes = autograd::reshape(weight, shape);
    } else {
      slopes = autograd::reshape(weight, std::vector<std::int64_t>{});
    }
    if (x.dtype() != weight.dtype()) {
      throw autograd::TypeError(std::string("dtypes differ: input is ") + name(x.dtype()) +
                                ", weight is " + name(weight.dtype()) + "; need one dtype");
    }
    return autograd::where(x > 0.0, x, x * slopes);
  });
}

Tensor GLU::operator()(const Tensor& x) const {
  return guard("GLU", [&] {
    const int axis = autograd::normalize_axis("glu", axis_, x.dim());
    if (x.shape()[axis] % 2 != 0 || x.shape()[axis] == 0) {
      throw ShapeError("input has no halves: input is " + to_string(x.shape()) +
                       "; need an even extent of axis " + std::to_string(axis));
    }
    const auto halves = autograd::chunk(x, 2, axis);
    return halves[0] * autograd::sigmoid(halves[1]);
  });
}

namespace {

void check_slopes(const RReLUOptions& options) {
  if (std::isfinite(options.lower) && std::isfinite(options.upper) &&
      options.lower <= options.upper) {
    return;
  }
  throw autograd::ValueError(
      "RReLU: not an interval: lower is " + autograd::detail::text(options.lower) + ", upper is " +
      autograd::detail::text(options.upper) + "; need finite lower <= upper");
}

}  // namespace

RReLU::RReLU(RReLUOptions options) : options_(options), stream_(std::make_shared<RandomStream>()) {
  check_slopes(options);
}

RReLU::RReLU(Generator& generator, RReLUOptions options)
    : options_(options), stream_(std::make_shared<RandomStream>(generator.next64())) {
  check_slopes(options);
  register_generator("generator", stream_);
}

Tensor RReLU::operator()(const Tensor& x) const {
  return guard("RReLU", [&] {
    const double low = options_.lower, high = options_.upper;
    if (!is_training()) return autograd::leaky_relu(x, (low + high) / 2);
    // Two words for an element of float64.
    Generator generator = stream_->take(2 * x.numel());
    const Tensor slopes = autograd::rand(x.shape(), generator, x.dtype()) * (high - low) + low;
    return autograd::where(x < 0.0, x * slopes, x);
  });
}

}  // namespace nn
