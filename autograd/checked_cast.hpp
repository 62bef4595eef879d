// SPDX-License-Identifier: Apache-2.0
// Numbers of users as elements. Internal.
#pragma once

#include <cstdint>
#include <string>
#include <type_traits>

#include "error.hpp"
#include "text.hpp"

namespace autograd {

/// value as an element of type T. Integers are truncated, as PyTorch does; throws ValueError for what no
/// int64 is near.
template <class T> T checked_cast(const char* function, double value) {
  if constexpr (std::is_same_v<T, std::int64_t>) {
    if (!(value >= -0x1p63 && value < 0x1p63)) {
      throw ValueError(std::string(function) + ": no int64: " + detail::text(value) +
                       "; need a finite value in [-2^63, 2^63)");
    }
  }
  if constexpr (std::is_same_v<T, bool>) {
    return value != 0;
  } else {
    return static_cast<T>(value);
  }
}

}  // namespace autograd
