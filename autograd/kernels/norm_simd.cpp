// SPDX-License-Identifier: Apache-2.0
// The loops of normalization: the tables of every instruction set.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "autograd/kernels/norm_simd.cpp"
#include "simd_config.hpp"
// after simd_config.hpp
#include <hwy/foreach_target.h>

#include "dispatch.hpp"
#include "export.hpp"
#include "norm-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace autograd::kernels::HWY_NAMESPACE {

const void* norm_f32() { return &kNormTable<float>; }
const void* norm_f64() { return &kNormTable<double>; }

}  // namespace autograd::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace autograd::kernels {
namespace {

AUTOGRAD_EXPORT(norm_f32);
AUTOGRAD_EXPORT(norm_f64);
constinit const Dispatched<NormTable<float>> best_f32([] { return AUTOGRAD_CHOOSE(norm_f32)(); });
constinit const Dispatched<NormTable<double>> best_f64([] { return AUTOGRAD_CHOOSE(norm_f64)(); });

}  // namespace

const NormTable<float>& norm_table(float) { return *best_f32.operator->(); }
const NormTable<double>& norm_table(double) { return *best_f64.operator->(); }

}  // namespace autograd::kernels
#endif
