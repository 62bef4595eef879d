// SPDX-License-Identifier: Apache-2.0
// Construction and the messages of Linear; the arithmetic is autograd::linear.
#include "linear.hpp"

#include <cmath>
#include <string>

#include "../init.hpp"

namespace nn {

Linear::Linear(std::int64_t in, std::int64_t out, Generator& generator, LinearOptions options) {
  if (in < 0 || out < 0) {
    throw autograd::ValueError("Linear: negative size: in is " + std::to_string(in) + ", out is " +
                               std::to_string(out) + "; need in >= 0 and out >= 0");
  }
  const double bound = in > 0 ? 1.0 / std::sqrt(static_cast<double>(in)) : 0.0;
  weight = Parameter(autograd::empty({out, in}, options.dtype));
  uniform_(weight, -bound, bound, generator);
  register_parameter("weight", weight);
  if (!options.bias) return;
  bias = Parameter(autograd::empty({out}, options.dtype));
  uniform_(bias, -bound, bound, generator);
  register_parameter("bias", bias);
}

Linear::Linear(std::int64_t in, std::int64_t out, LinearOptions options)
    : Linear(in, out, autograd::default_generator(), options) {}

void Linear::explain(const Tensor& x) const {
  if (x.defined() && (x.dim() == 0 || x.shape().back() != weight.shape().back())) {
    const std::string in = std::to_string(weight.shape().back());
    const std::string numbers =
        x.dim() == 0 ? "a scalar has no axes" : std::to_string(x.shape().back()) + " != " + in;
    throw autograd::ShapeError(describe("Linear") + ": input has the wrong size: input is " +
                               autograd::to_string(x.shape()) + "; need input.shape[-1] == " + in +
                               " (" + numbers + ")");
  }
  if (x.defined() && x.dtype() != weight.dtype()) {
    throw autograd::TypeError(
        describe("Linear") + ": input has the wrong dtype: input is " + autograd::name(x.dtype()) +
        ", weight is " + autograd::name(weight.dtype()) +
        "; need them alike (convert with to(input, autograd::" + autograd::name(weight.dtype()) +
        "))");
  }
  rethrow("Linear");
}

}  // namespace nn
