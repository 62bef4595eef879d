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
  int repeats = 1;  ///< of what the row names, in one step
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

/// A number that tells tensors apart: their length, and what is left of them along a vector of signs.
/// (Sums of squares of all results once passed a gradient that had its elements in the wrong order.)
template <class T> double fingerprint(const T* elements, std::size_t n) {
  double along = 0, squares = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const double x = static_cast<double>(elements[i]);
    along += (i * 0x9E3779B97F4A7C15u >> 63) ? x : -x;
    squares += x * x;
  }
  return squares > 0 ? along / std::sqrt(squares) + std::log(squares) : 0;
}

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
inline constexpr int kAdds = 64;  // on one tape
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
/// c = op(a) op(b), op(a): [m, k], op(b): [k, n]; turned: stored the other way; wide: in float64.
struct ProductSize {
  const char* name;
  std::int64_t m, n, k;
  bool a_turned = false, b_turned = false, wide = false;
};
inline constexpr ProductSize kProducts[] = {
    {"product 32", 32, 32, 32},
    {"product 64", 64, 64, 64},
    {"product 128", 128, 128, 128},
    {"product 256", 256, 256, 256},
    {"product 512", 512, 512, 512},
    {"product 1024", 1024, 1024, 1024},
    {"product 2048", 2048, 2048, 2048},
    {"product 128x10x512, b turned", 128, 10, 512, false, true},
    {"product 10x512x128, a turned", 10, 512, 128, true},
    {"product 1024x1024x256, b turned", 1024, 1024, 256, false, true},
    {"product 256x1024x1024, a turned", 256, 1024, 1024, true},
    {"product 128, float64", 128, 128, 128, false, false, true},
    {"product 256, float64", 256, 256, 256, false, false, true},
    {"product 512, float64", 512, 512, 512, false, false, true},
    {"product 2048, float64", 2048, 2048, 2048, false, false, true},
};
/// A square image and kernel; forward, and both gradients or the weights' alone.
struct ConvolutionSize {
  const char* name;
  std::int64_t images, channels, filters, size, kernel, padding = 0, stride = 1;
  bool to_image = true;
  std::int64_t out() const { return (size + 2 * padding - kernel) / stride + 1; }
};
inline constexpr ConvolutionSize kConvolutions[] = {
    {"convolution 3x3, 64 to 64", 16, 64, 64, 32, 3, 1},
    {"convolution 3x3, 64 to 64, stride 2", 16, 64, 64, 32, 3, 1, 2},
    {"convolution 1x1, 64 to 256", 16, 64, 256, 28, 1},
    {"convolution 3x3, 16 to 16", 64, 16, 16, 28, 3, 1},
    {"convolution 5x5, 1 to 6", 64, 1, 6, 28, 5, 0, 1, false},
    {"convolution 5x5, 6 to 16", 64, 6, 16, 12, 5},
};
struct TextSize {
  static constexpr std::int64_t words = 5000, width = 256, tokens = 1024;
};

}  // namespace bench
