// SPDX-License-Identifier: Apache-2.0
// Reductions, scans along an axis, and orders, beyond sum, mean and max of functions.hpp. Names and
// results follow PyTorch. Negative axes count from the end; a scalar may be asked for axis 0 or -1.
//
// Integers and truth values are reduced exactly (sums and products as int64, which wrap around);
// norms, variances and logarithms take them as float32. Integer and bool results have no gradient.
// Positions are int64. NaN counts as larger than everything where elements are put in order, and is
// both the largest and the smallest where one is looked for.
#pragma once

#include <concepts>
#include <cstdint>

#include "functions.hpp"

namespace autograd {

/// Elements along an axis and where they came from. The gradient of `values` goes to those elements.
struct ValuesAndIndices {
  Tensor values;
  Tensor indices;
};

// --- Over all elements, or over axes.
/// Gradients are products of the other elements, so that zeros need no care; without elements 1.
Tensor prod(const Tensor& x);
Tensor prod(const Tensor& x, const Axes& axes, ReduceOptions options = {});
/// The largest and the smallest: NaN when there is one; ties share the gradient evenly. ValueError
/// for no elements. amax is max(x, axes) of functions.hpp.
Tensor amax(const Tensor& x, const Axes& axes = {}, ReduceOptions options = {});
Tensor amin(const Tensor& x, const Axes& axes = {}, ReduceOptions options = {});
Tensor min(const Tensor& x);
Tensor min(const Tensor& x, const Axes& axes, ReduceOptions options = {});
/// bool: some element, every element is other than 0 (as NaN is). Without elements false, true.
Tensor any(const Tensor& x);
Tensor any(const Tensor& x, const Axes& axes, ReduceOptions options = {});
Tensor all(const Tensor& x);
Tensor all(const Tensor& x, const Axes& axes, ReduceOptions options = {});
/// int64: how many are other than 0.
Tensor count_nonzero(const Tensor& x);
Tensor count_nonzero(const Tensor& x, const Axes& axes, ReduceOptions options = {});
/// sum and mean of the elements that are not NaN, which get gradient 0; the mean of none is NaN.
Tensor nansum(const Tensor& x);
Tensor nansum(const Tensor& x, const Axes& axes, ReduceOptions options = {});
Tensor nanmean(const Tensor& x);
Tensor nanmean(const Tensor& x, const Axes& axes, ReduceOptions options = {});

/// (sum |x|^p)^(1/p), without over- or underflow on the way; any p: 0 counts what is not 0 (gradient
/// 0), infinity and -infinity are the largest and smallest |x| (ties share the gradient evenly). The
/// gradient is 0 where the norm is 0 and at elements that are 0. ValueError for a NaN p, and for no
/// elements with p < 0; with p >= 0 these have norm 0.
Tensor norm(const Tensor& x, double p = 2);
Tensor norm(const Tensor& x, double p, const Axes& axes, ReduceOptions options = {});

struct VarOptions {
  std::int64_t correction = 1;  ///< what is taken from n: 1 unbiased, 0 the mean square
  bool keepdim = false;
};
/// sum (x - mean)^2 / (n - correction) and its square root. NaN, in value and gradient, unless
/// n > correction. std of a constant is 0 with gradient 0. Two passes: no cancellation.
Tensor var(const Tensor& x);
Tensor var(const Tensor& x, const Axes& axes, VarOptions options = {});
Tensor std(const Tensor& x);  ///< where `using namespace autograd` is in force write autograd::std
Tensor std(const Tensor& x, const Axes& axes, VarOptions options = {});
struct VarAndMean {
  Tensor var, mean;
};
struct StdAndMean {
  Tensor std, mean;
};
VarAndMean var_mean(const Tensor& x, const Axes& axes = {}, VarOptions options = {});
StdAndMean std_mean(const Tensor& x, const Axes& axes = {}, VarOptions options = {});

// --- Scans: x's shape, element e made of elements 0 to e along the axis.
struct ScanOptions {
  bool reverse = false;  ///< made of elements e to n - 1 instead
};
/// Gradients need one pass and no division: zeros in cumprod need no care.
Tensor cumsum(const Tensor& x, std::int64_t axis, ScanOptions options = {});
Tensor cumprod(const Tensor& x, std::int64_t axis, ScanOptions options = {});
/// ln of cumsum(exp(x)), without overflow; infinities are treated as by logsumexp.
Tensor logcumsumexp(const Tensor& x, std::int64_t axis, ScanOptions options = {});

// --- The largest and smallest along one axis, with positions: the first of equals, the first NaN if
// there is one; the gradient goes to that element alone. max(x, 1) is this, max(x, {1}) shares among
// ties. ValueError for no elements.
ValuesAndIndices max_with_indices(const Tensor& x, std::int64_t axis, ReduceOptions options = {});
ValuesAndIndices min_with_indices(const Tensor& x, std::int64_t axis, ReduceOptions options = {});
template <std::integral I>  // braces mean the overloads with axes
ValuesAndIndices max(const Tensor& x, I axis, ReduceOptions options = {}) {
  return max_with_indices(x, static_cast<std::int64_t>(axis), options);
}
template <std::integral I>
ValuesAndIndices min(const Tensor& x, I axis, ReduceOptions options = {}) {
  return min_with_indices(x, static_cast<std::int64_t>(axis), options);
}
/// The positions alone; without an axis in the flattened x.
Tensor argmax(const Tensor& x);
Tensor argmax(const Tensor& x, std::int64_t axis, ReduceOptions options = {});
Tensor argmin(const Tensor& x);
Tensor argmin(const Tensor& x, std::int64_t axis, ReduceOptions options = {});

// --- Orders along an axis, all stable: equal elements (0 and -0 too) stay in the order they had.
struct SortOptions {
  bool descending = false;  ///< NaN first
};
ValuesAndIndices sort(const Tensor& x, std::int64_t axis = -1, SortOptions options = {});
Tensor argsort(const Tensor& x, std::int64_t axis = -1, SortOptions options = {});
struct TopkOptions {
  bool largest = true;  ///< else the smallest
};
/// The k largest, largest first. ValueError unless 0 <= k <= the extent.
ValuesAndIndices topk(const Tensor& x, std::int64_t k, std::int64_t axis = -1,
                      TopkOptions options = {});
/// The k-th smallest, k from 1. ValueError for one outside of the extent.
ValuesAndIndices kthvalue(const Tensor& x, std::int64_t k, std::int64_t axis = -1,
                          ReduceOptions options = {});
/// The lower of the two in the middle where their number is even; NaN when there is one. Over all
/// elements ties share the gradient evenly, and floating-point x without elements gives NaN; along
/// an axis the gradient goes to the element named. ValueError for no elements otherwise.
Tensor median(const Tensor& x);
ValuesAndIndices median(const Tensor& x, std::int64_t axis, ReduceOptions options = {});

}  // namespace autograd
