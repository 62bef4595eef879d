// SPDX-License-Identifier: Apache-2.0
// The rows of ActivationRows for double arrays: tables of their own, which a program that calls none of
// them leaves out.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "autograd/kernels/activations_f64.cpp"
#include "simd_config.hpp"
// after simd_config.hpp
#include <hwy/foreach_target.h>

#include "elementwise-inl.hpp"
#include "export.hpp"

HWY_BEFORE_NAMESPACE();
namespace autograd::kernels::HWY_NAMESPACE {

constexpr auto kUnary = unary_table<double, ops::ActivationRows>(ActivationRows());
constexpr auto kUnaryBackward = unary_backward_table<double, ops::ActivationRows>(ActivationRows());
const void* activations_f64() { return &kUnary; }
const void* activations_backward_f64() { return &kUnaryBackward; }

}  // namespace autograd::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace autograd::kernels {

AUTOGRAD_EXPORT(activations_f64);
AUTOGRAD_EXPORT(activations_backward_f64);

using Unary = UnaryTable<double, ops::ActivationRows>;
using UnaryBackward = UnaryBackwardTable<double, ops::ActivationRows>;
template <>
constinit const Dispatched<Unary> Unary::best([] { return AUTOGRAD_CHOOSE(activations_f64)(); });
template <>
constinit const Dispatched<UnaryBackward> UnaryBackward::best([] {
  return AUTOGRAD_CHOOSE(activations_backward_f64)();
});

}  // namespace autograd::kernels
#endif
