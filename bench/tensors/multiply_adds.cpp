// SPDX-License-Identifier: Apache-2.0
// Chains of fused multiply-adds that wait for nothing but each other. Compiled with -ffp-contract=fast.
#include "../timing.hpp"
#include "by_hand.hpp"

namespace bench {
namespace {

constexpr int kChains = 12;  // more than latency times units of the cores of our time

template <std::size_t kBytes> struct Lanes { using Type [[gnu::vector_size(kBytes)]] = double; };

// Returns after `count` multiply-adds of single numbers, or a few more.
template <std::size_t kBytes> [[gnu::always_inline]] inline void multiply_add(double count) {
  using V = typename Lanes<kBytes>::Type;
  V chain[kChains];
  for (int i = 0; i < kChains; ++i) chain[i] = V{} + (1 + 1e-9 * i);
  const V factor = V{} + 0.999999, term = V{} + 1e-9;
  const auto rounds = static_cast<std::int64_t>(count / (kChains * (kBytes / sizeof(double)))) + 1;
  for (std::int64_t r = 0; r < rounds; ++r) {
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i) chain[i] = chain[i] * factor + term;
  }
  for (int i = 0; i < kChains; ++i) keep(chain[i]);
}

#if defined(__x86_64__)
[[gnu::target("avx512f")]] void with_512_bits(double count) { multiply_add<64>(count); }
[[gnu::target("avx2,fma")]] void with_256_bits(double count) { multiply_add<32>(count); }
#endif

void multiply_adds(double count) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) return with_512_bits(count);
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return with_256_bits(count);
#endif
  multiply_add<16>(count);
}

double by_three_loops(const ProductSize& s) {
  const std::vector<float> a = numbers(s.m * s.k, 1, 1), b = numbers(s.k * s.n, 1, 2);
  std::vector<double> c(static_cast<std::size_t>(s.m * s.n));
  for (std::int64_t i = 0; i < s.m; ++i) {
    double* row = c.data() + i * s.n;
    for (std::int64_t k = 0; k < s.k; ++k) {
      const double x = a.data()[i * s.k + k];
      const float* y = b.data() + k * s.n;
      for (std::int64_t j = 0; j < s.n; ++j) row[j] += x * static_cast<double>(y[j]);
    }
  }
  return fingerprint(c.data(), c.size());
}

}  // namespace

Job fused_multiply_adds(const ProductSize& s) {
  const double count =
      static_cast<double>(s.m) * static_cast<double>(s.n) * static_cast<double>(s.k);
  return {s.name, [count] { multiply_adds(count); }, [s] { return by_three_loops(s); }};
}

}  // namespace bench
