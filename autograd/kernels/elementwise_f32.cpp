// SPDX-License-Identifier: Apache-2.0
// Elementwise values and slopes of float arrays: the tables of every instruction set.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "autograd/kernels/elementwise_f32.cpp"
#include "simd_config.hpp"
// after simd_config.hpp
#include <hwy/foreach_target.h>

#include "elementwise-inl.hpp"
#include "export.hpp"

HWY_BEFORE_NAMESPACE();
namespace autograd::kernels::HWY_NAMESPACE {

constexpr auto kUnary = unary_table<float, ops::BasicRows>(BasicRows());
constexpr auto kUnaryBackward = unary_backward_table<float, ops::BasicRows>(BasicRows());
constexpr auto kBinary = binary_table<float, ops::BasicBinaryRows>(BasicBinaryRows());
constexpr auto kBinaryBackward =
    binary_backward_table<float, ops::BasicBinaryRows>(BasicBinaryRows());
const void* unary_f32() { return &kUnary; }
const void* unary_backward_f32() { return &kUnaryBackward; }
const void* binary_f32() { return &kBinary; }
const void* binary_backward_f32() { return &kBinaryBackward; }

}  // namespace autograd::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace autograd::kernels {

AUTOGRAD_EXPORT(unary_f32);
AUTOGRAD_EXPORT(unary_backward_f32);
AUTOGRAD_EXPORT(binary_f32);
AUTOGRAD_EXPORT(binary_backward_f32);

using Unary = UnaryTable<float, ops::BasicRows>;
using UnaryBackward = UnaryBackwardTable<float, ops::BasicRows>;
using Binary = BinaryTable<float, ops::BasicBinaryRows>;
using BinaryBackward = BinaryBackwardTable<float, ops::BasicBinaryRows>;
template <>
constinit const Dispatched<Unary> Unary::best([] { return AUTOGRAD_CHOOSE(unary_f32)(); });
template <>
constinit const Dispatched<UnaryBackward> UnaryBackward::best([] {
  return AUTOGRAD_CHOOSE(unary_backward_f32)();
});
template <>
constinit const Dispatched<Binary> Binary::best([] { return AUTOGRAD_CHOOSE(binary_f32)(); });
template <>
constinit const Dispatched<BinaryBackward> BinaryBackward::best([] {
  return AUTOGRAD_CHOOSE(binary_backward_f32)();
});

}  // namespace autograd::kernels
#endif
