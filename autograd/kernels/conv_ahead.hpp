// SPDX-License-Identifier: Apache-2.0
// The next image comes into the cache while the present one is multiplied: copying an image waits for
// memory most of its time (16 to 16 channels, 3x3: 4 % of all three passes). Internal.
#pragma once

#include <cstddef>

#include "../inline.hpp"

namespace autograd::kernels {

/// What is read next.
struct Ahead {
  const void* next = nullptr;
  std::size_t bytes = 0;
};

/// Fetches it into L2, a piece at each call.
class Fetch {
 public:
  Fetch(const Ahead& ahead, std::size_t pieces)
      : at_(static_cast<const char*>(ahead.next)),
        end_(at_ + ahead.bytes),
        piece_((static_cast<std::ptrdiff_t>(ahead.bytes / pieces) / kLine + 1) * kLine) {}
  AUTOGRAD_INLINE void piece() {
    const char* end = end_ - at_ > piece_ ? at_ + piece_ : end_;
    for (; at_ < end; at_ += kLine) __builtin_prefetch(at_, 0, 2);
  }

 private:
  static constexpr std::ptrdiff_t kLine = 64;

  const char* at_;
  const char* end_;
  std::ptrdiff_t piece_;
};

}  // namespace autograd::kernels
