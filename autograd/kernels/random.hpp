// SPDX-License-Identifier: Apache-2.0
// Words of Philox's stream by the vector: a block of four takes 10 rounds, which 8 blocks of AVX-512
// go through at a time. What they mean is said in generator.hpp; the bits are the same everywhere.
#pragma once

#include <cstddef>
#include <cstdint>

namespace autograd::kernels {

/// The first n words of the blocks from number `first_block` on of the stream with this seed.
void random_words(std::uint64_t seed, std::uint64_t first_block, std::size_t n,
                  std::uint32_t* words);

/// y[i] = words[i] < limit ? 0 : x[i] factor, whatever x[i] is. T: float, double.
template <class T>
void drop(const T* x, const std::uint32_t* words, std::uint32_t limit, T factor, T* y,
          std::size_t n);

}  // namespace autograd::kernels
