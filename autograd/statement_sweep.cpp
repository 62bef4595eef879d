// SPDX-License-Identifier: Apache-2.0
#include "statement_sweep.hpp"

#include <bit>
#include <cstring>

namespace autograd::detail {
namespace {

constexpr std::uint64_t in_each_byte(std::uint64_t byte) { return 0x0101010101010101 * byte; }

// True for zeros of either sign alone.
bool all_zero(const double* first) {
  std::uint64_t bits = 0;
  for (int i = 0; i < kStretch; ++i) bits |= std::bit_cast<std::uint64_t>(first[i]);
  return bits << 1 == 0;
}

// The sum of eight counts that are less than 128.
std::uint64_t sum_of_bytes(std::uint64_t counts) {
  constexpr std::uint64_t kEven = 0x00FF00FF00FF00FF;
  const std::uint64_t pairs = (counts & kEven) + (counts >> 8 & kEven);
  return pairs * 0x0001000100010001 >> 48;
}

}  // namespace

Cursor<double> skip_zeros(const double* adjoint, Cursor<double> cursor, std::int32_t low) {
  static_assert(kStretch == sizeof(std::uint64_t));
  while (cursor.k - low >= kStretch && all_zero(adjoint + cursor.k - (kStretch - 1))) {
    std::uint64_t counts;
    std::memcpy(&counts, cursor.count, sizeof counts);
    if (counts & in_each_byte(0x80)) break;  // a tensor record, or a very long statement
    cursor.entry -= sum_of_bytes(counts);
    cursor.count += kStretch;
    cursor.k -= kStretch;
  }
  return cursor;
}

}  // namespace autograd::detail
