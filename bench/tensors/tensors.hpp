// SPDX-License-Identifier: Apache-2.0
// What the parts of bench_tensors share. Each file here computes the same workloads by one library, ours
// or a peer that CMakeLists.txt found installed; bench_tensors.cpp times them in turn.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace bench {

/// One workload by one library.
struct Job {
  std::string name;
  std::function<void()> step;
  /// A number that the result of a first step determines: equal for all libraries.
  std::function<double()> value;
};
using Jobs = std::vector<Job>;

/// A library, and how it is set up.
struct Engine {
  const char* name;
  Jobs (*make)();
  void (*prepare)();  ///< before each of its turns
  void (*set_threads)(int);
};
Engine our_engine();
std::vector<Engine>& peers();
struct RegisterPeer {
  explicit RegisterPeer(Engine engine) { peers().push_back(engine); }
};

/// The same numbers for every library: element i is scale sin(12.9898 i + seed).
inline std::vector<float> numbers(std::int64_t n, double scale, double seed) {
  std::vector<float> values(static_cast<std::size_t>(n));
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>(scale * std::sin(12.9898 * static_cast<double>(i) + seed));
  }
  return values;
}
inline std::vector<std::int64_t> labels(std::int64_t n, std::int64_t classes) {
  std::vector<std::int64_t> values(static_cast<std::size_t>(n));
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<std::int64_t>(i * 7919) % classes;
  }
  return values;
}

// Sizes of the workloads.
inline constexpr std::int64_t kElements = 1000000;
inline constexpr std::int64_t kRows = 1024;  // of the square matrices that are normalized
struct LstmSize {
  static constexpr std::int64_t batch = 32, steps = 32, input = 128, hidden = 128;
};
struct BlockSize {  // a transformer's encoder layer
  static constexpr std::int64_t batch = 8, tokens = 128, width = 256, heads = 4, inner = 1024;
};
// The parameters of LeNet: weights and biases of its layers in turn.
using Extents = std::vector<std::int64_t>;
inline const std::vector<Extents> kLenetParameters = {
    {6, 1, 5, 5}, {6}, {16, 6, 5, 5}, {16}, {120, 256}, {120}, {84, 120}, {84}, {10, 84}, {10}};
struct TextSize {
  static constexpr std::int64_t words = 5000, width = 256, tokens = 1024;
};

}  // namespace bench
