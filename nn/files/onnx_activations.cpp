// SPDX-License-Identifier: Apache-2.0
// What activations are in ONNX: one operator, or a few where operator set 13 has none.
#include <cmath>
#include <numbers>

#include "../layers/activation.hpp"
#include "../layers/activation_modules.hpp"
#include "onnx_graph.hpp"

namespace nn::detail {

namespace {

using Attribute = OnnxAttribute;
using Step = OnnxStep;
using std::string;

/// max(low, min(high, x)). Narrow ranges, as that of ReLU6, by HardSigmoid, which is right to an ulp of
/// the range: OpenCV 4.6 takes no Clip of operator set 11 or later.
string clip(Step& s, double low, double high) {
  const double range = high - low;
  if (!(range > 0 && range <= 16 && std::abs(low) <= 16)) {
    return s.node("Clip", {s.x, s.scalar(low), s.scalar(high)});
  }
  const string part =
      s.node("HardSigmoid", {s.x},
             {Attribute::number("alpha", 1 / range), Attribute::number("beta", -low / range)});
  const string y = range == 1 ? part : s.node("Mul", {part, s.scalar(range)});
  return low == 0 ? y : s.node("Add", {y, s.scalar(low)});
}
string times(Step& s, const string& a, const string& b) { return s.node("Mul", {a, b}); }
string sigmoid_of(Step& s, const string& x) { return s.node("Sigmoid", {x}); }
/// softmax and its kin of `x`.
string along(Step& s, const char* op, const string& x, std::int64_t axis) {
  return s.node(
      op, {x}, {Attribute::integer("axis", autograd::normalize_axis("softmax", axis, s.in.dim()))});
}

string write(Step& s, const Identity&) { return s.x; }
string write(Step& s, const Sigmoid&) { return sigmoid_of(s, s.x); }
string write(Step& s, const Tanh&) { return s.node("Tanh", {s.x}); }
string write(Step& s, const ReLU&) { return s.node("Relu", {s.x}); }
string write(Step& s, const ReLU6&) { return clip(s, 0, 6); }
string write(Step& s, const Hardtanh& layer) { return clip(s, layer.low(), layer.high()); }
string write(Step& s, const LeakyReLU& layer) {
  return s.node("LeakyRelu", {s.x}, {Attribute::number("alpha", layer.negative_slope())});
}
string write(Step& s, const RReLU& layer) {
  const double mean = (layer.options().lower + layer.options().upper) / 2;
  return s.node("LeakyRelu", {s.x}, {Attribute::number("alpha", mean)});
}
string write(Step& s, const ELU& layer) {
  return s.node("Elu", {s.x}, {Attribute::number("alpha", layer.alpha())});
}
string write(Step& s, const CELU& layer) {
  return s.node("Celu", {s.x}, {Attribute::number("alpha", layer.alpha())});
}
string write(Step& s, const SELU&) { return s.node("Selu", {s.x}); }
string write(Step& s, const Softsign&) { return s.node("Softsign", {s.x}); }

/// x (1 + erf(x / sqrt(2))) / 2, or with tanh(sqrt(2 / pi) (x + 0.044715 x^3)) for erf.
string write(Step& s, const GELU& layer) {
  string bend;
  if (layer.options().approximate == autograd::GeluApproximation::none) {
    bend = s.node("Erf", {s.node("Div", {s.x, s.scalar(std::numbers::sqrt2)})});
  } else {
    const string square = times(s, s.x, s.x);
    const string slope = s.node("Add", {times(s, square, s.scalar(0.044715)), s.scalar(1)});
    const double scale = std::numbers::sqrt2 * std::numbers::inv_sqrtpi;
    bend = s.node("Tanh", {times(s, times(s, s.x, slope), s.scalar(scale))});
  }
  return times(s, times(s, s.x, s.node("Add", {bend, s.scalar(1)})), s.scalar(0.5));
}

string write(Step& s, const SiLU&) { return times(s, s.x, sigmoid_of(s, s.x)); }
string write(Step& s, const Mish&) {
  return times(s, s.x, s.node("Tanh", {s.node("Softplus", {s.x})}));
}
string hard_sigmoid(Step& s) {
  return s.node("HardSigmoid", {s.x},
                {Attribute::number("alpha", 1.0 / 6), Attribute::number("beta", 0.5)});
}
string write(Step& s, const Hardsigmoid&) { return hard_sigmoid(s); }
string write(Step& s, const Hardswish&) { return times(s, s.x, hard_sigmoid(s)); }

string write(Step& s, const Softplus& layer) {
  const double beta = layer.exact() ? 1 : layer.options().beta;
  const bool scaled = beta != 1;
  const string bx = scaled ? times(s, s.x, s.scalar(beta)) : s.x;
  const string soft = s.node("Softplus", {bx});
  const string y = scaled ? s.node("Div", {soft, s.scalar(beta)}) : soft;
  // From 20 on softplus is x to 2e-9, so that the usual threshold needs no nodes.
  if (layer.exact() || layer.options().threshold >= 20) return y;
  const string large = s.node("Greater", {bx, s.scalar(layer.options().threshold)});
  return s.node("Where", {large, s.x, y});
}
string write(Step& s, const LogSigmoid&) {
  return s.node("Neg", {s.node("Softplus", {s.node("Neg", {s.x})})});
}
string write(Step& s, const Softmax& layer) { return along(s, "Softmax", s.x, layer.axis()); }
string write(Step& s, const LogSoftmax& layer) { return along(s, "LogSoftmax", s.x, layer.axis()); }
string write(Step& s, const Softmin& layer) {
  return along(s, "Softmax", s.node("Neg", {s.x}), layer.axis());
}
string write(Step& s, const Softmax2d&) { return along(s, "Softmax", s.x, -3); }

string write(Step& s, const Tanhshrink&) { return s.node("Sub", {s.x, s.node("Tanh", {s.x})}); }
string shrink(Step& s, double lambda, double bias) {
  return s.node("Shrink", {s.x},
                {Attribute::number("lambd", lambda), Attribute::number("bias", bias)});
}
string write(Step& s, const Hardshrink& layer) { return shrink(s, layer.lambda(), 0); }
string write(Step& s, const Softshrink& layer) { return shrink(s, layer.lambda(), layer.lambda()); }
string write(Step& s, const Threshold& layer) {
  if (layer.value() == 0) {
    return s.node("ThresholdedRelu", {s.x}, {Attribute::number("alpha", layer.threshold())});
  }
  const string above = s.node("Greater", {s.x, s.scalar(layer.threshold())});
  return s.node("Where", {above, s.x, s.scalar(layer.value())});
}

/// One slope for all, or [c, 1, ...], which lies along axis 1 of x [n, c, ...].
string write(Step& s, const PReLU& layer) {
  const std::int64_t n = layer.weight.numel();
  if (n == 1 || s.in.dim() == 2) return s.node("PRelu", {s.x, s.weight("weight", layer.weight)});
  std::vector<std::int64_t> extents(static_cast<std::size_t>(s.in.dim() - 1), 1);
  extents[0] = n;
  const Tensor slopes = autograd::reshape(autograd::detach(layer.weight), extents);
  return s.node("PRelu", {s.x, s.weight("weight", slopes)});
}

string write(Step& s, const GLU& layer) {
  const int axis = autograd::normalize_axis("glu", layer.axis(), s.in.dim());
  s.need_not_batch(axis, "halves");
  const std::int64_t half = s.out[axis];
  const auto part = [&](std::int64_t begin) {
    return s.node("Slice",
                  {s.x, s.integers({begin}), s.integers({begin + half}), s.integers({axis})});
  };
  const string first = part(0);
  return times(s, first, sigmoid_of(s, part(half)));
}

}  // namespace

OnnxWriter onnx_activation(const Layer& layer) {
  return onnx_writer<Identity, Sigmoid, Tanh, ReLU, ReLU6, LeakyReLU, ELU, SELU, CELU, GELU, SiLU,
                     Mish, Hardtanh, Hardsigmoid, Hardswish, Softsign, Softplus, LogSigmoid,
                     Softmax, LogSoftmax, PReLU, GLU, RReLU, Softmin, Softmax2d, Tanhshrink,
                     Hardshrink, Softshrink, Threshold>(
      layer, [](OnnxStep& step, const auto& found) { return write(step, found); });
}

}  // namespace nn::detail
