// SPDX-License-Identifier: Apache-2.0
#include "norms.hpp"

#include <cmath>
#include <limits>

#include "../create.hpp"
#include "../reductions.hpp"
#include "axes.hpp"

namespace autograd::ops {

namespace {

using Inputs = std::vector<Tensor>;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// 0 and NaN have themselves.
Tensor sign_of(const Tensor& x) {
  const Tensor at = detach(x);
  return where(at > 0.0, constant(x, 1), where(at < 0.0, constant(x, -1), at));
}

// a / b, and 0 in value and derivative where b is 0: at the kink of a norm the gradient is the least of
// its subgradients, 0. b broadcasts along the reduced axes.
Tensor ratio(const Tensor& a, const Tensor& b) { return a / where(b == 0.0, kInfinity, b); }
Tensor kept(const Tensor& y, const Tensor& x, std::uint32_t axes) {
  return reshape(y, reduced_shape(x.shape(), axes, true));
}

// The largest power of two up to each element, 1 for 0, NaN and infinity: dividing by it is exact.
Tensor power_of_two(const Tensor& m) {
  Tensor scale = make(m.shape(), m.dtype());
  dispatch_floating(Norm::info.name, m.dtype(), [&]<class T>(T) {
    const T* from = data<T>(m);
    T* to = data<T>(scale);
    for (std::size_t i = 0; i < count(m); ++i) {
      to[i] =
          from[i] == 0 || !std::isfinite(from[i]) ? T(1) : std::ldexp(T(1), std::ilogb(from[i]));
    }
  });
  return scale;
}

// Whether squares may have over- or underflowed on the way to any of these sums.
bool out_of_range(const Tensor& squares) {
  return dispatch_floating(Norm::info.name, squares.dtype(), [&]<class T>(T) {
    constexpr T kLeast = std::numeric_limits<T>::min() / std::numeric_limits<T>::epsilon() * 1024;
    const T* q = data<T>(squares);
    for (std::size_t i = 0; i < count(squares); ++i) {
      if (!(q[i] >= kLeast && q[i] <= std::numeric_limits<T>::max())) return true;
    }
    return false;
  });
}

// Of an x that nothing tracks. Only sums that left the range of squares are worth a second pass.
Tensor norm_2(const Tensor& x, const Axes& axes, ReduceOptions options) {
  const Tensor squares = sum(square(x), axes, options);
  if (!out_of_range(squares) || x.numel() == 0) return sqrt(squares);
  const Tensor scale = power_of_two(max(abs(x), axes, {.keepdim = true}));
  return sqrt(sum(square(x / scale), axes, options)) * reshape(scale, squares.shape());
}

Tensor norm_p(double p, const Tensor& a, const Axes& axes, ReduceOptions options) {
  if (a.numel() == 0) return sum(a, axes, options);
  const Tensor m = p > 0 ? max(a, axes, {.keepdim = true}) : min(a, axes, {.keepdim = true});
  const Tensor scale = where(m == 0.0, 1.0, where(m == kInfinity, 1.0, m));
  const Tensor total = sum(pow(a / scale, p), axes, options);
  return pow(total, 1 / p) * reshape(scale, total.shape());
}

Tensor norm_value(const Tensor& x, double p, const Axes& axes, ReduceOptions options) {
  if (p == 2) return norm_2(x, axes, options);
  if (p == 0) return sum(where(x != 0.0, constant(x, 1), constant(x, 0)), axes, options);
  const Tensor a = abs(x);
  if (p == 1) return sum(a, axes, options);
  if (p == -kInfinity) return min(a, axes, options);
  if (p < kInfinity) return norm_p(p, a, axes, options);
  if (a.numel() == 0) return sum(a, axes, options);
  return max(a, axes, options);
}

// x - mean(x). Centered twice: the first mean is rounded to x's precision, which would be seen where x
// varies by little, and takes no part in the derivative.
Tensor centered(const Tensor& x, std::uint32_t axes) {
  const Axes list = axis_list(axes, x.dim());
  const Tensor d = x - mean(detach(x), list, {.keepdim = true});
  return d - mean(d, list, {.keepdim = true});
}

// n - correction, NaN unless positive.
double degrees_of_freedom(const Shape& x, std::uint32_t axes, std::int64_t correction) {
  const double n = static_cast<double>(reduced_count(x, axes)) - static_cast<double>(correction);
  return n > 0 ? n : std::numeric_limits<double>::quiet_NaN();
}

TensorFunction norm_over(double p, const Axes& axes, ReduceOptions options) {
  return [=](const Inputs& in) { return norm(in[0], p, axes, options); };
}

}  // namespace

Tensor Norm::forward(const Tensor& x) const {
  if (p < 0) require_elements(info.name, x, axes);
  return norm_value(detach(x), p, axis_list(axes, x.dim()), {.keepdim = keepdim});
}
void Norm::backward(const Saved<1>& saved, const Tensor& dy, Gradients<1>& dx) const {
  const Tensor& x = saved.in[0];
  if (p == 0) {
    dx.set(0, zeros_like(x));
    return;
  }
  const Tensor g = spread(dy, x.shape(), axes), y = kept(saved.y, x, axes);
  if (p == 2) {
    dx.set(0, chain(g, ratio(x, y)));
    return;
  }
  const Tensor sign = sign_of(x);
  if (p == 1) {
    dx.set(0, chain(g, sign));
    return;
  }
  if (std::isinf(p)) {
    dx.set(0, chain(share_evenly(dy, abs(detach(x)), saved.y, axes), sign));
    return;
  }
  // Elements that are 0 get 0, also for p < 1, where the slope beside them is infinite.
  const Tensor zero = detach(x) == 0.0;
  const Tensor size = ratio(where(zero, 1.0, x * sign), y);
  const Tensor slope = where(size == 0.0, 0.0, pow(where(size == 0.0, 1.0, size), p - 1));
  dx.set(0, chain(g, where(zero, 0.0, sign * slope)));
}
std::vector<OpCase> Norm::cases() {
  return {{"2, all", {{3, 4}}, [](const Inputs& in) { return norm(in[0]); }},
          {"2, rows kept", {{2, 3, 4}}, norm_over(2, {1}, {.keepdim = true})},
          {"1, strided", {{3, 4}}, [](const Inputs& in) { return norm(transpose(in[0]), 1, {0}); }},
          {"3, two axes", {{2, 3, 4}}, norm_over(3, {0, -1}, {})},
          {"one and a half, strided",
           {{3, 4}},
           [](const Inputs& in) { return norm(transpose(in[0]), 1.5, {1}); }},
          {"half", {{2, 3}}, norm_over(0.5, {1}, {}), {0.5, 2}},
          {"minus 2", {{2, 3}}, norm_over(-2, {1}, {}), {0.5, 2}},
          {"0", {{2, 3}}, norm_over(0, {1}, {})},
          {"infinity", {{3, 4}}, norm_over(kInfinity, {0}, {.keepdim = true})},
          {"minus infinity", {{3, 4}}, norm_over(-kInfinity, {}, {})},
          {"scalar", {Shape{}}, [](const Inputs& in) { return norm(in[0]); }},
          {"empty", {{2, 0}}, norm_over(2, {1}, {})}};
}

Tensor Variance::forward(const Tensor& x) const {
  const Tensor squares = square(centered(detach(x), axes));
  return sum(squares, axis_list(axes, x.dim()), {.keepdim = keepdim}) /
         degrees_of_freedom(x.shape(), axes, correction);
}
void Variance::backward(const Saved<1>& saved, const Tensor& dy, Gradients<1>& dx) const {
  const Tensor& x = saved.in[0];
  const Tensor g = dy * (2 / degrees_of_freedom(x.shape(), axes, correction));
  dx.set(0, chain(spread(g, x.shape(), axes), centered(x, axes)));
}
std::vector<OpCase> Variance::cases() {
  return {{"all", {{3, 4}}, [](const Inputs& in) { return var(in[0]); }},
          {"columns, kept, biased",
           {{3, 4}},
           [](const Inputs& in) { return var(in[0], {1}, {.correction = 0, .keepdim = true}); }},
          {"two axes, strided",
           {{2, 3, 4}},
           [](const Inputs& in) {
             return var(transpose(in[0], 0, 2), {0, 1});
           }},
          {"one element, biased", {{1}}, [](const Inputs& in) {
             return var(in[0], {}, {.correction = 0}) + in[0];
           }}};
}

Tensor StandardDeviation::forward(const Tensor& x) const {
  const Tensor y =
      norm_2(centered(detach(x), axes), axis_list(axes, x.dim()), {.keepdim = keepdim});
  return y / std::sqrt(degrees_of_freedom(x.shape(), axes, correction));
}
void StandardDeviation::backward(const Saved<1>& saved, const Tensor& dy, Gradients<1>& dx) const {
  const Tensor& x = saved.in[0];
  const Tensor g = dy / degrees_of_freedom(x.shape(), axes, correction);
  const Tensor deviation = ratio(centered(x, axes), kept(saved.y, x, axes));
  dx.set(0, chain(spread(g, x.shape(), axes), deviation));
}
std::vector<OpCase> StandardDeviation::cases() {
  return {{"all", {{3, 4}}, [](const Inputs& in) { return std(in[0]); }},
          {"columns, kept, biased",
           {{3, 4}},
           [](const Inputs& in) { return std(in[0], {1}, {.correction = 0, .keepdim = true}); }},
          {"two axes, strided",
           {{2, 3, 4}},
           [](const Inputs& in) {
             return std(transpose(in[0], 0, 2), {0, 1});
           }},
          {"two elements", {{3, 2}}, [](const Inputs& in) { return std(in[0], {1}); }}};
}

}  // namespace autograd::ops
