// SPDX-License-Identifier: Apache-2.0
// The products of convolution: the tables of every instruction set.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "autograd/kernels/conv_simd.cpp"
#include "simd_config.hpp"
// after simd_config.hpp
#include <hwy/foreach_target.h>

#include "conv_tile-inl.hpp"
#include "dispatch.hpp"
#include "export.hpp"

HWY_BEFORE_NAMESPACE();
namespace autograd::kernels::HWY_NAMESPACE {

const void* conv_f32() { return &kConvTable<float>; }
const void* conv_f64() { return &kConvTable<double>; }

}  // namespace autograd::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace autograd::kernels {
namespace {

AUTOGRAD_EXPORT(conv_f32);
AUTOGRAD_EXPORT(conv_f64);
constinit const Dispatched<ConvTable<float>> best_f32([] { return AUTOGRAD_CHOOSE(conv_f32)(); });
constinit const Dispatched<ConvTable<double>> best_f64([] { return AUTOGRAD_CHOOSE(conv_f64)(); });

}  // namespace

const ConvTable<float>& conv_table(float) { return *best_f32.operator->(); }
const ConvTable<double>& conv_table(double) { return *best_f64.operator->(); }

}  // namespace autograd::kernels
#endif
