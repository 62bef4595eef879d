// SPDX-License-Identifier: Apache-2.0
// What the parts of bench_operations share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace bench {

/// One operation of operations.inc by one library.
struct Operation {
  std::string name;
  std::function<void()> forward;  ///< not recorded
  std::function<void()> both;     ///< recorded, then the backward pass; empty: not differentiable
  /// A number that the result and the gradients determine: equal for all libraries.
  std::function<double()> value;
};
using Operations = std::vector<Operation>;

Operations our_operations();
/// libtorch's where it is installed; returns nothing otherwise.
Operations (*&their_operations())();

/// The same numbers for every library, between 0.1 and 0.9 and without a pattern (splitmix64), which
/// matrices need to have an inverse.
inline std::vector<float> drawn(std::int64_t n, std::uint64_t seed) {
  std::vector<float> values(static_cast<std::size_t>(n));
  std::uint64_t state = seed << 32;
  for (float& value : values) {
    std::uint64_t z = state += 0x9E3779B97F4A7C15;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    value = 0.1F + 0.8F * static_cast<float>(z >> 40) * 0x1p-24F;
  }
  return values;
}

}  // namespace bench
