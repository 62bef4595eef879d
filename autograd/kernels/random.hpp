// SPDX-License-Identifier: Apache-2.0
// Words of Philox's stream by the vector: a block of four takes 10 rounds, which 8 blocks of AVX-512
// go through at a time. What they mean is said in generator.hpp; the bits are the same everywhere.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace autograd::kernels {

/// Philox4x32-10 of any counter and key. Constants and rounds as in the Random123 distribution, whose known
/// answers tests/generator_test.cpp checks.
inline std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter,
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
/// The words of a block of the stream with this seed.
inline std::array<std::uint32_t, 4> philox_block(std::uint64_t seed, std::uint64_t block) {
  return philox({static_cast<std::uint32_t>(block), static_cast<std::uint32_t>(block >> 32), 0, 0},
                {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)});
}

/// The first n words of the blocks from number `first_block` on of the stream with this seed.
void random_words(std::uint64_t seed, std::uint64_t first_block, std::size_t n,
                  std::uint32_t* words);

/// y[i] = words[i] < limit ? 0 : x[i] factor, whatever x[i] is. T: float, double.
template <class T>
void drop(const T* x, const std::uint32_t* words, std::uint32_t limit, T factor, T* y,
          std::size_t n);

}  // namespace autograd::kernels
