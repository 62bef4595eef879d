// SPDX-License-Identifier: Apache-2.0
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "autograd/kernels/random.cpp"
#include "simd_config.hpp"
// after simd_config.hpp
#include <hwy/foreach_target.h>

#include "dispatch.hpp"
#include "export.hpp"
#include "random-inl.hpp"
#include "random.hpp"

#ifndef AUTOGRAD_RANDOM_TABLE
#define AUTOGRAD_RANDOM_TABLE
namespace autograd::kernels {

/// What one instruction set provides.
struct RandomTable {
  void (*words)(std::uint64_t, std::uint64_t, std::size_t, std::uint32_t*);
  void (*drop_f32)(const float*, const std::uint32_t*, std::uint32_t, float, float*, std::size_t);
  void (*drop_f64)(const double*, const std::uint32_t*, std::uint32_t, double, double*,
                   std::size_t);
};

}  // namespace autograd::kernels
#endif

HWY_BEFORE_NAMESPACE();
namespace autograd::kernels::HWY_NAMESPACE {

constexpr RandomTable kRandom = {&philox_words, &drop_loop<float>, &drop_loop<double>};
const void* random_table() { return &kRandom; }

}  // namespace autograd::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace autograd::kernels {
namespace {

AUTOGRAD_EXPORT(random_table);
constinit const Dispatched<RandomTable> best([] { return AUTOGRAD_CHOOSE(random_table)(); });

}  // namespace

void random_words(std::uint64_t seed, std::uint64_t first_block, std::size_t n,
                  std::uint32_t* words) {
  best->words(seed, first_block, n, words);
}
template <>
void drop(const float* x, const std::uint32_t* words, std::uint32_t limit, float factor, float* y,
          std::size_t n) {
  best->drop_f32(x, words, limit, factor, y, n);
}
template <>
void drop(const double* x, const std::uint32_t* words, std::uint32_t limit, double factor,
          double* y, std::size_t n) {
  best->drop_f64(x, words, limit, factor, y, n);
}

}  // namespace autograd::kernels
#endif
