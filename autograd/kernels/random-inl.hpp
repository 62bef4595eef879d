// SPDX-License-Identifier: Apache-2.0
// Philox4x32-10 with a block in each 64-bit lane; once per instruction set.
#if defined(AUTOGRAD_RANDOM_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef AUTOGRAD_RANDOM_INL
#undef AUTOGRAD_RANDOM_INL
#else
#define AUTOGRAD_RANDOM_INL
#endif

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "random.hpp"
#include "simd-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace autograd::kernels::HWY_NAMESPACE {

inline constexpr std::size_t kTogether = 4;  // vectors: a round waits 8 cycles for its products

/// kTogether times as many blocks as a vector has lanes. Only the low halves of the lanes count: products
/// read nothing else, so that what xor leaves in the high ones is removed once, at the end.
template <class D>
AUTOGRAD_INLINE void philox_lanes(D d, std::uint64_t seed, std::uint64_t block, std::uint64_t* to) {
  const hn::Repartition<std::uint32_t, D> d32;
  const auto product = [&](auto a, std::uint64_t b) {
    return hn::MulEven(hn::BitCast(d32, a), hn::BitCast(d32, hn::Set(d, b)));
  };
  hn::Vec<D> c0[kTogether], c1[kTogether], c2[kTogether], c3[kTogether];
  for (std::size_t v = 0; v < kTogether; ++v) {
    c0[v] = hn::Iota(d, block + v * kLanes<D>);
    c1[v] = hn::ShiftRight<32>(c0[v]);
    c2[v] = c3[v] = hn::Zero(d);
  }
  auto k0 = static_cast<std::uint32_t>(seed), k1 = static_cast<std::uint32_t>(seed >> 32);
  for (int round = 0; round < 10; ++round) {
    for (std::size_t v = 0; v < kTogether; ++v) {
      const auto p0 = product(c0[v], 0xD2511F53), p1 = product(c2[v], 0xCD9E8D57);
      c0[v] = hn::Xor(hn::Xor(hn::ShiftRight<32>(p1), c1[v]), hn::Set(d, k0));
      c1[v] = p1;
      c2[v] = hn::Xor(hn::Xor(hn::ShiftRight<32>(p0), c3[v]), hn::Set(d, k1));
      c3[v] = p0;
    }
    k0 += 0x9E3779B9;
    k1 += 0xBB67AE85;
  }
  const auto low = hn::Set(d, 0xFFFFFFFF);
  for (std::size_t v = 0; v < kTogether; ++v) {
    hn::StoreInterleaved2(hn::Or(hn::And(c0[v], low), hn::ShiftLeft<32>(c1[v])),
                          hn::Or(hn::And(c2[v], low), hn::ShiftLeft<32>(c3[v])), d,
                          to + 2 * v * kLanes<D>);
  }
}

template <class D>
void philox_words_by(D d, std::uint64_t seed, std::uint64_t block, std::size_t n,
                     std::uint32_t* words) {
  if constexpr (kLanes<D> == 1 || std::endian::native != std::endian::little) {
    for (std::size_t i = 0; i < n; i += 4) {
      const auto four = philox_block(seed, block++);
      std::copy_n(four.begin(), std::min<std::size_t>(4, n - i), words + i);
    }
  } else {
    constexpr std::size_t kBlocks = kTogether * kLanes<D>;
    std::uint64_t pairs[2 * kBlocks];
    for (; n >= 4 * kBlocks; n -= 4 * kBlocks, words += 4 * kBlocks, block += kBlocks) {
      philox_lanes(d, seed, block, pairs);
      std::memcpy(words, pairs, sizeof(pairs));
    }
    if (n == 0) return;
    philox_lanes(d, seed, block, pairs);
    std::memcpy(words, pairs, n * sizeof(std::uint32_t));
  }
}

inline void philox_words(std::uint64_t seed, std::uint64_t block, std::size_t n,
                         std::uint32_t* words) {
  philox_words_by(Tag<std::uint64_t>(), seed, block, n, words);
}

/// A plain loop, which compilers vectorize for each instruction set.
template <class T>
void drop_loop(const T* x, const std::uint32_t* words, std::uint32_t limit, T factor, T* y,
               std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) {
    const T kept = x[i] * factor;
    y[i] = words[i] < limit ? T(0) : kept;
  }
}

}  // namespace autograd::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
