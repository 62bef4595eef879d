// SPDX-License-Identifier: Apache-2.0
// Philox4x32-10. Constants and rounds as in the Random123 distribution, whose known answers
// tests/generator_test.cpp checks.
#include "generator.hpp"

#include <cmath>
#include <numbers>

namespace autograd {

std::array<std::uint32_t, 4> Generator::philox(std::array<std::uint32_t, 4> counter,
                                               std::array<std::uint32_t, 2> key) {
  auto [c0, c1, c2, c3] = counter;
  auto [k0, k1] = key;
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = std::uint64_t{0xD2511F53} * c0, p1 = std::uint64_t{0xCD9E8D57} * c2;
    c0 = static_cast<std::uint32_t>(p1 >> 32) ^ c1 ^ k0;
    c1 = static_cast<std::uint32_t>(p1);
    c2 = static_cast<std::uint32_t>(p0 >> 32) ^ c3 ^ k1;
    c3 = static_cast<std::uint32_t>(p0);
    k0 += 0x9E3779B9;
    k1 += 0xBB67AE85;
  }
  return {c0, c1, c2, c3};
}

std::array<std::uint32_t, 4> Generator::block(std::uint64_t seed, std::uint64_t counter) {
  return philox(
      {static_cast<std::uint32_t>(counter), static_cast<std::uint32_t>(counter >> 32), 0, 0},
      {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)});
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
