// SPDX-License-Identifier: Apache-2.0
// Numbers as messages show them. Internal.
#pragma once

#include <string>

namespace autograd::detail {

/// The fewest digits that read back as the same double; whole numbers below 2^53 without an exponent:
/// "500", "1e-09", "0.1", "inf", "nan".
std::string text(double value);

}  // namespace autograd::detail
