// SPDX-License-Identifier: Apache-2.0
#include "text.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>

namespace autograd {

std::string detail::text(double value) {
  if (std::isnan(value)) return "nan";  // never -nan: the sign means nothing
  std::array<char, 32> digits;          // 24 are the most: -2.2250738585072014e-308
  char* const end = digits.data() + digits.size();
  constexpr double kExact = 9007199254740992;  // 2^53
  const bool whole = std::abs(value) < kExact && value == std::trunc(value) && value != 0;
  const auto done = whole ? std::to_chars(digits.data(), end, static_cast<std::int64_t>(value))
                          : std::to_chars(digits.data(), end, value);
  return {digits.data(), done.ptr};
}

}  // namespace autograd
