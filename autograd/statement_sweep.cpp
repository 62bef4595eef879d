// SPDX-License-Identifier: Apache-2.0
#include "statement_sweep.hpp"

#include <bit>
#include <cstring>

namespace autograd::detail {
namespace {

constexpr std::uint64_t in_each_byte(std::uint64_t byte) { return 0x0101010101010101 * byte; }

constexpr std::int64_t kStretch = 16;

// True for zeros of either sign alone.
AUTOGRAD_INLINE bool all_zero(const double* first) {
  std::uint64_t bits[4] = {};  // four chains, side by side
  for (int i = 0; i < kStretch; ++i) bits[i % 4] |= std::bit_cast<std::uint64_t>(first[i]);
  return (bits[0] | bits[1] | bits[2] | bits[3]) << 1 == 0;
}

// Pairs of eight counts that are less than 128.
AUTOGRAD_INLINE std::uint64_t sum_of_pairs(std::uint64_t counts) {
  constexpr std::uint64_t kEven = 0x00FF00FF00FF00FF;
  return (counts & kEven) + (counts >> 8 & kEven);
}

}  // namespace

Skipped skip_zeros(const double* last, const Count* count, std::int64_t most) {
  std::int64_t n = 0, entries = 0;
  for (; most - n >= kStretch && all_zero(last - n - (kStretch - 1)); n += kStretch) {
    std::uint64_t counts[2];
    std::memcpy(counts, count + n, sizeof counts);
    // A tensor record, or a very long statement.
    if ((counts[0] | counts[1]) & in_each_byte(0x80)) break;
    const std::uint64_t pairs = sum_of_pairs(counts[0]) + sum_of_pairs(counts[1]);
    const std::uint64_t quads = pairs + (pairs >> 32);
    entries += (quads + (quads >> 16)) & 0xFFFF;
  }
  for (; n < most && is_zero_adjoint(last[-n]) && count[n] != kTensorRecord; ++n) {
    entries += static_cast<int>(count[n]);
  }
  return {n, entries};
}

}  // namespace autograd::detail
