// SPDX-License-Identifier: Apache-2.0
// Reductions of integers and truth values: exact, of no gradient, and so no operations of their own.
#pragma once

#include "op.hpp"

namespace autograd::ops {

enum class Fold { sum, prod, max, min };

/// x (int64 or bool) folded over the axes, as int64; sums and products wrap around. Without elements:
/// 0, 1, and the smallest and largest integer. Nothing is recorded.
Tensor fold_integers(Fold fold, const Tensor& x, std::uint32_t axes, bool keepdim);

}  // namespace autograd::ops
