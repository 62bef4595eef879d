// SPDX-License-Identifier: Apache-2.0
// Public scans, and the recorded functions that their backward passes are written with.
#include "apply.hpp"
#include "kernels/scan.hpp"
#include "ops/axes.hpp"
#include "reductions.hpp"

namespace autograd {

namespace {

using IntegerScan = void (*)(const std::int64_t*, std::int64_t*, kernels::Lines, bool);

Tensor scan_integers(const Tensor& x, int axis, bool reverse, IntegerScan kernel) {
  const Tensor source = ops::row_major(to(detach(x), int64));
  Tensor y = ops::make(x.shape(), int64);
  if (y.numel() == 0) return y;
  const ops::AxisLayout layout(x.shape(), axis);
  kernel(ops::data<std::int64_t>(source), ops::data<std::int64_t>(y),
         {layout.outer, layout.extent, layout.inner}, reverse);
  return y;
}

}  // namespace

Tensor cumsum(const Tensor& x, std::int64_t axis, ScanOptions options) {
  const int line = ops::line_axis("cumsum", x, axis);
  if (is_floating(x.dtype())) return apply(ops::CumSum{line, options.reverse}, x);
  return scan_integers(x, line, options.reverse, &kernels::cumsum<std::int64_t>);
}
Tensor cumprod(const Tensor& x, std::int64_t axis, ScanOptions options) {
  const int line = ops::line_axis("cumprod", x, axis);
  if (is_floating(x.dtype())) return apply(ops::CumProd{line, options.reverse}, x);
  return scan_integers(x, line, options.reverse, &kernels::cumprod<std::int64_t>);
}
Tensor logcumsumexp(const Tensor& x, std::int64_t axis, ScanOptions options) {
  const ops::LogCumSumExp op{ops::line_axis("logcumsumexp", x, axis), options.reverse};
  return apply(op, is_floating(x.dtype()) ? x : to(x, float32));
}

Tensor ops::linear_scan(const Tensor& a, const Tensor& b, int axis, bool reverse) {
  return apply(LinearScan{axis, reverse}, a, b);
}
Tensor ops::shift(const Tensor& x, int axis, std::int64_t by, double fill) {
  return apply(Shift{axis, by, fill}, x);
}

}  // namespace autograd
