// SPDX-License-Identifier: Apache-2.0
// The rows of TranscendentalRows and OtherBinaryRows for double arrays: tables of their own, which a
// program that calls none of them leaves out.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "autograd/kernels/transcendental_f64.cpp"
#include "simd_config.hpp"
// after simd_config.hpp
#include <hwy/foreach_target.h>

#include "elementwise-inl.hpp"
#include "export.hpp"

HWY_BEFORE_NAMESPACE();
namespace autograd::kernels::HWY_NAMESPACE {

constexpr auto kUnary = unary_table<double, ops::TranscendentalRows>(TranscendentalRows());
constexpr auto kUnaryBackward =
    unary_backward_table<double, ops::TranscendentalRows>(TranscendentalRows());
constexpr auto kBinary = binary_table<double, ops::OtherBinaryRows>(OtherBinaryRows());
constexpr auto kBinaryBackward =
    binary_backward_table<double, ops::OtherBinaryRows>(OtherBinaryRows());
const void* transcendental_f64() { return &kUnary; }
const void* transcendental_backward_f64() { return &kUnaryBackward; }
const void* other_binary_f64() { return &kBinary; }
const void* other_binary_backward_f64() { return &kBinaryBackward; }

}  // namespace autograd::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace autograd::kernels {

AUTOGRAD_EXPORT(transcendental_f64);
AUTOGRAD_EXPORT(transcendental_backward_f64);
AUTOGRAD_EXPORT(other_binary_f64);
AUTOGRAD_EXPORT(other_binary_backward_f64);

using Unary = UnaryTable<double, ops::TranscendentalRows>;
using UnaryBackward = UnaryBackwardTable<double, ops::TranscendentalRows>;
using Binary = BinaryTable<double, ops::OtherBinaryRows>;
using BinaryBackward = BinaryBackwardTable<double, ops::OtherBinaryRows>;
template <>
constinit const Dispatched<Unary> Unary::best([] { return AUTOGRAD_CHOOSE(transcendental_f64)(); });
template <>
constinit const Dispatched<UnaryBackward> UnaryBackward::best([] {
  return AUTOGRAD_CHOOSE(transcendental_backward_f64)();
});
template <>
constinit const Dispatched<Binary> Binary::best([] { return AUTOGRAD_CHOOSE(other_binary_f64)(); });
template <>
constinit const Dispatched<BinaryBackward> BinaryBackward::best([] {
  return AUTOGRAD_CHOOSE(other_binary_backward_f64)();
});

}  // namespace autograd::kernels
#endif
