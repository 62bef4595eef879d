// SPDX-License-Identifier: Apache-2.0
// Elementwise values and slopes of double arrays: the tables of every instruction set.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "autograd/kernels/elementwise_f64.cpp"
#include "simd_config.hpp"
// after simd_config.hpp
#include <hwy/foreach_target.h>

#include "elementwise-inl.hpp"
#include "export.hpp"

HWY_BEFORE_NAMESPACE();
namespace autograd::kernels::HWY_NAMESPACE {

constexpr auto kUnary = unary_table<double, ops::BasicRows>(BasicRows());
constexpr auto kUnaryBackward = unary_backward_table<double, ops::BasicRows>(BasicRows());
constexpr auto kBinary = binary_table<double, ops::BasicBinaryRows>(BasicBinaryRows());
constexpr auto kBinaryBackward =
    binary_backward_table<double, ops::BasicBinaryRows>(BasicBinaryRows());
const void* unary_f64() { return &kUnary; }
const void* unary_backward_f64() { return &kUnaryBackward; }
const void* binary_f64() { return &kBinary; }
const void* binary_backward_f64() { return &kBinaryBackward; }

}  // namespace autograd::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace autograd::kernels {

AUTOGRAD_EXPORT(unary_f64);
AUTOGRAD_EXPORT(unary_backward_f64);
AUTOGRAD_EXPORT(binary_f64);
AUTOGRAD_EXPORT(binary_backward_f64);

using Unary = UnaryTable<double, ops::BasicRows>;
using UnaryBackward = UnaryBackwardTable<double, ops::BasicRows>;
using Binary = BinaryTable<double, ops::BasicBinaryRows>;
using BinaryBackward = BinaryBackwardTable<double, ops::BasicBinaryRows>;
template <>
constinit const Dispatched<Unary> Unary::best([] { return AUTOGRAD_CHOOSE(unary_f64)(); });
template <>
constinit const Dispatched<UnaryBackward> UnaryBackward::best([] {
  return AUTOGRAD_CHOOSE(unary_backward_f64)();
});
template <>
constinit const Dispatched<Binary> Binary::best([] { return AUTOGRAD_CHOOSE(binary_f64)(); });
template <>
constinit const Dispatched<BinaryBackward> BinaryBackward::best([] {
  return AUTOGRAD_CHOOSE(binary_backward_f64)();
});

}  // namespace autograd::kernels
#endif
