// SPDX-License-Identifier: Apache-2.0
// Numbers of 16 bits as files store them, converted to float exactly.
#pragma once

#include <bit>
#include <cstdint>

namespace nn::detail {

/// bfloat16: the upper half of a float.
inline float from_bfloat16(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

/// IEEE 754 binary16: 1 sign, 5 exponent (bias 15) and 10 fraction bits.
inline float from_half(std::uint16_t bits) {
  const std::uint32_t sign = static_cast<std::uint32_t>(bits & 0x8000) << 16;
  const std::uint32_t exponent = bits >> 10 & 31, fraction = bits & 1023;
  if (exponent == 0) {  // subnormal: fraction 2^-24
    const float value = static_cast<float>(fraction) * 0x1p-24f;
    return sign ? -value : value;
  }
  const std::uint32_t raised = exponent == 31 ? 255 : exponent + 112;
  return std::bit_cast<float>(sign | raised << 23 | fraction << 13);
}

}  // namespace nn::detail
