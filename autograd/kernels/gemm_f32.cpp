// SPDX-License-Identifier: Apache-2.0
// gemm for float: the kernel of every instruction set.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "autograd/kernels/gemm_f32.cpp"
#include "simd_config.hpp"
// after simd_config.hpp
#include <hwy/foreach_target.h>

#include "dispatch.hpp"
#include "export.hpp"
#include "gemm-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace autograd::kernels::HWY_NAMESPACE {

constexpr GemmTable<float> kGemm = {&gemm_any<float>};
const void* gemm_f32() { return &kGemm; }

}  // namespace autograd::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace autograd::kernels {
namespace {

AUTOGRAD_EXPORT(gemm_f32);
constinit const Dispatched<GemmTable<float>> best([] { return AUTOGRAD_CHOOSE(gemm_f32)(); });

}  // namespace

template <> void gemm(const GemmCall<float>& call) { best->run(call); }

}  // namespace autograd::kernels
#endif
