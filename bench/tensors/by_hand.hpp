// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tensors.hpp"

namespace bench {

// These stand in oneDNN's column of the rows of their names.

/// A training step over oneDNN's products.
Job classifier_by_hand();
/// As many fused multiply-adds in float64 as the product takes, of registers alone: what the core can do.
/// Its value is that of a product by three loops.
Job fused_multiply_adds(const ProductSize& size);

}  // namespace bench
