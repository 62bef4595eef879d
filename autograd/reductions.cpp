// SPDX-License-Identifier: Apache-2.0
// Public reductions: arguments are checked and integers sent their own way here.
#include "reductions.hpp"

#include <cmath>

#include "apply.hpp"
#include "create.hpp"
#include "ops/axes.hpp"
#include "ops/integers.hpp"

namespace autograd {

namespace {

using ops::axis_mask, ops::Fold, ops::fold_integers;

Tensor floating(const Tensor& x) { return is_floating(x.dtype()) ? x : to(x, float32); }

template <class Op>
Tensor extremum(const char* function, Fold fold, const Tensor& x, const Axes& axes, bool keepdim) {
  const std::uint32_t mask = axis_mask(function, x, axes);
  ops::require_elements(function, x, mask);
  if (is_floating(x.dtype())) return apply(Op{mask, keepdim}, x);
  return to(fold_integers(fold, x, mask, keepdim), x.dtype());
}

}  // namespace

Tensor prod(const Tensor& x) { return prod(x, {}, {}); }
Tensor prod(const Tensor& x, const Axes& axes, ReduceOptions options) {
  const std::uint32_t mask = axis_mask("prod", x, axes);
  if (!is_floating(x.dtype())) return fold_integers(Fold::prod, x, mask, options.keepdim);
  const bool every = mask == (1u << x.dim()) - 1;
  if (every && !options.keepdim) return apply(ops::Prod{0, false}, reshape(x, Shape{x.numel()}));
  Tensor y = x;
  for (int i = x.dim() - 1; i >= 0; --i) {
    if (ops::reduced(mask, i)) y = apply(ops::Prod{i, options.keepdim}, y);
  }
  return x.dim() == 0 ? apply(ops::Prod{}, x) : y;
}

Tensor amax(const Tensor& x, const Axes& axes, ReduceOptions options) {
  return extremum<ops::Max>("amax", Fold::max, x, axes, options.keepdim);
}
Tensor amin(const Tensor& x, const Axes& axes, ReduceOptions options) {
  return extremum<ops::Min>("amin", Fold::min, x, axes, options.keepdim);
}
Tensor min(const Tensor& x) { return min(x, Axes{}, {}); }
Tensor min(const Tensor& x, const Axes& axes, ReduceOptions options) {
  return extremum<ops::Min>("min", Fold::min, x, axes, options.keepdim);
}

namespace {

Tensor truth(const Tensor& x) { return x.dtype() == boolean ? x : x != 0.0; }

// How many of the elements of a bool tensor are true.
Tensor count_true(const char* function, const Tensor& c, const Axes& axes, ReduceOptions options) {
  return fold_integers(Fold::sum, c, axis_mask(function, c, axes), options.keepdim);
}

}  // namespace

Tensor any(const Tensor& x) { return any(x, {}, {}); }
Tensor any(const Tensor& x, const Axes& axes, ReduceOptions options) {
  return count_true("any", truth(x), axes, options) > 0.0;
}
Tensor all(const Tensor& x) { return all(x, {}, {}); }
Tensor all(const Tensor& x, const Axes& axes, ReduceOptions options) {
  return count_true("all", x == 0.0, axes, options) == 0.0;
}
Tensor count_nonzero(const Tensor& x) { return count_nonzero(x, {}, {}); }
Tensor count_nonzero(const Tensor& x, const Axes& axes, ReduceOptions options) {
  return count_true("count_nonzero", truth(x), axes, options);
}

Tensor nansum(const Tensor& x) { return nansum(x, {}, {}); }
Tensor nansum(const Tensor& x, const Axes& axes, ReduceOptions options) {
  axis_mask("nansum", x, axes);
  return is_floating(x.dtype()) ? sum(where(x == x, x, 0.0), axes, options) : sum(x, axes, options);
}
Tensor nanmean(const Tensor& x) { return nanmean(x, {}, {}); }
Tensor nanmean(const Tensor& x, const Axes& axes, ReduceOptions options) {
  const Tensor numbers = count_true("nanmean", x == x, axes, options);
  return nansum(floating(x), axes, options) / to(numbers, floating(x).dtype());
}

Tensor norm(const Tensor& x, double p) { return norm(x, p, {}, {}); }
Tensor norm(const Tensor& x, double p, const Axes& axes, ReduceOptions options) {
  if (std::isnan(p)) throw ValueError("norm: p is nan; need a number or an infinity");
  const std::uint32_t mask = axis_mask("norm", x, axes);
  if (p < 0) ops::require_elements("norm", x, mask);
  return apply(ops::Norm{p, mask, options.keepdim}, floating(x));
}

Tensor var(const Tensor& x) { return var(x, {}, {}); }
Tensor var(const Tensor& x, const Axes& axes, VarOptions options) {
  const ops::Variance op{axis_mask("var", x, axes), options.keepdim, options.correction};
  return apply(op, floating(x));
}
Tensor std(const Tensor& x) { return autograd::std(x, {}, {}); }
Tensor std(const Tensor& x, const Axes& axes, VarOptions options) {
  const ops::StandardDeviation op{axis_mask("std", x, axes), options.keepdim, options.correction};
  return apply(op, floating(x));
}
VarAndMean var_mean(const Tensor& x, const Axes& axes, VarOptions options) {
  axis_mask("var_mean", x, axes);
  return {var(x, axes, options), mean(x, axes, {.keepdim = options.keepdim})};
}
StdAndMean std_mean(const Tensor& x, const Axes& axes, VarOptions options) {
  axis_mask("std_mean", x, axes);
  return {autograd::std(x, axes, options), mean(x, axes, {.keepdim = options.keepdim})};
}

}  // namespace autograd
