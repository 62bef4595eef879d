// SPDX-License-Identifier: Apache-2.0
// What the checks of convolution, pooling and interpolation share. Internal; not part of autograd.hpp.
#pragma once

#include <string>
#include <vector>

#include "kernels/pool.hpp"
#include "network.hpp"

namespace autograd::detail {

/// No extent or option exceeds this, so that sums of products of two never overflow.
inline constexpr std::int64_t kMaxSpatial = std::int64_t{1} << 30;

/// Throws ValueError for an undefined tensor, naming the operand.
void check_defined(const char* function, const char* operand, const Tensor& x);
/// Throws ShapeError unless x has `axes` spatial axes and channels, with or without a batch; the shape
/// with a batch. Spatial extents and channels must be at least 1.
Shape batched_shape(const char* function, const Tensor& x, int axes);
/// Throws ValueError unless 1 or `axes` numbers were given and all lie in [low, kMaxSpatial].
void check_option(const char* function, const char* option, const PerAxis& value, int axes,
                  std::int64_t low);
/// Throws TypeError unless the dtype is float32 or float64.
void check_floating(const char* function, const Tensor& x);
/// Throws TypeError unless b is undefined or of x's dtype.
void check_same_dtype(const char* function, const Tensor& x, const char* name_of_b,
                      const Tensor& b);
/// x as a batch of one where it has none.
Tensor with_batch(const Tensor& x, const Shape& batched);
/// y without its batch axis where x had none.
Tensor like_input(const Tensor& y, const Tensor& x);
/// The maps along the spatial axes of x, one after the other; `batched` is batched_shape of x.
Tensor resampled(const char* function, const Tensor& x, const Shape& batched,
                 std::vector<kernels::AxisMap> maps);

}  // namespace autograd::detail
