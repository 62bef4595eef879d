// SPDX-License-Identifier: Apache-2.0
#include "generator.hpp"

#include <cmath>
#include <numbers>

#include "kernels/random.hpp"

namespace autograd {

std::array<std::uint32_t, 4> Generator::philox(std::array<std::uint32_t, 4> counter,
                                               std::array<std::uint32_t, 2> key) {
  return kernels::philox(counter, key);
}

std::array<std::uint32_t, 4> Generator::block(std::uint64_t seed, std::uint64_t counter) {
  return kernels::philox_block(seed, counter);
}

std::uint32_t Generator::next32() {
  if (position_ % 4 == 0) words_ = block(seed_, position_ / 4);
  return words_[position_++ % 4];
}

std::uint64_t Generator::next64() {
  const std::uint64_t low = next32();
  return static_cast<std::uint64_t>(next32()) << 32 | low;
}

double Generator::uniform() { return static_cast<double>(next64() >> 11) * 0x1p-53; }

double Generator::normal() {
  const double u = 1.0 - uniform(), v = uniform();  // u in (0, 1], so that its logarithm is finite
  return std::sqrt(-2.0 * std::log(u)) * std::cos(2.0 * std::numbers::pi * v);
}

void Generator::seek(std::uint64_t position) {
  position_ = position;
  words_ = block(seed_, position / 4);
}

std::uint64_t Generator::reserve(std::uint64_t blocks) {
  const std::uint64_t first = position_ / 4 + (position_ % 4 != 0);
  position_ = (first + blocks) * 4;
  return first;
}

Generator& default_generator() {
  static thread_local Generator generator;
  return generator;
}

void manual_seed(std::uint64_t seed) { default_generator() = Generator(seed); }

}  // namespace autograd
