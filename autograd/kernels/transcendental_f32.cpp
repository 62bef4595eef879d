// SPDX-License-Identifier: Apache-2.0
// The rows of TranscendentalRows and OtherBinaryRows for float arrays: tables of their own, which a
// program that calls none of them leaves out.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "autograd/kernels/transcendental_f32.cpp"
#include "simd_config.hpp"
// after simd_config.hpp
#include <hwy/foreach_target.h>

#include "elementwise-inl.hpp"
#include "export.hpp"

HWY_BEFORE_NAMESPACE();
namespace autograd::kernels::HWY_NAMESPACE {

constexpr auto kUnary = unary_table<float, ops::TranscendentalRows>(TranscendentalRows());
constexpr auto kUnaryBackward =
    unary_backward_table<float, ops::TranscendentalRows>(TranscendentalRows());
constexpr auto kBinary = binary_table<float, ops::OtherBinaryRows>(OtherBinaryRows());
constexpr auto kBinaryBackward =
    binary_backward_table<float, ops::OtherBinaryRows>(OtherBinaryRows());
const void* transcendental_f32() { return &kUnary; }
const void* transcendental_backward_f32() { return &kUnaryBackward; }
const void* other_binary_f32() { return &kBinary; }
const void* other_binary_backward_f32() { return &kBinaryBackward; }

}  // namespace autograd::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace autograd::kernels {

AUTOGRAD_EXPORT(transcendental_f32);
AUTOGRAD_EXPORT(transcendental_backward_f32);
AUTOGRAD_EXPORT(other_binary_f32);
AUTOGRAD_EXPORT(other_binary_backward_f32);

using Unary = UnaryTable<float, ops::TranscendentalRows>;
using UnaryBackward = UnaryBackwardTable<float, ops::TranscendentalRows>;
using Binary = BinaryTable<float, ops::OtherBinaryRows>;
using BinaryBackward = BinaryBackwardTable<float, ops::OtherBinaryRows>;
template <>
constinit const Dispatched<Unary> Unary::best([] { return AUTOGRAD_CHOOSE(transcendental_f32)(); });
template <>
constinit const Dispatched<UnaryBackward> UnaryBackward::best([] {
  return AUTOGRAD_CHOOSE(transcendental_backward_f32)();
});
template <>
constinit const Dispatched<Binary> Binary::best([] { return AUTOGRAD_CHOOSE(other_binary_f32)(); });
template <>
constinit const Dispatched<BinaryBackward> BinaryBackward::best([] {
  return AUTOGRAD_CHOOSE(other_binary_backward_f32)();
});

}  // namespace autograd::kernels
#endif
