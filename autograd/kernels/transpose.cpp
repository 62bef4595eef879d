// SPDX-License-Identifier: Apache-2.0
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "autograd/kernels/transpose.cpp"
#include "simd_config.hpp"
// after simd_config.hpp
#include <hwy/foreach_target.h>

#include "dispatch.hpp"
#include "export.hpp"
#include "transpose-inl.hpp"
#include "transpose.hpp"

HWY_BEFORE_NAMESPACE();
namespace autograd::kernels::HWY_NAMESPACE {

constexpr TransposeTable kTranspose = {&copy_transposed<float>, &copy_transposed<double>};
const void* transpose_table() { return &kTranspose; }

}  // namespace autograd::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace autograd::kernels {
namespace {

AUTOGRAD_EXPORT(transpose_table);
constinit const Dispatched<TransposeTable> best([] { return AUTOGRAD_CHOOSE(transpose_table)(); });

}  // namespace

template <>
void transpose(const float* from, std::size_t ld_from, std::size_t rows, std::size_t columns,
               float* to, std::size_t ld_to) {
  best->f32(from, ld_from, rows, columns, to, ld_to);
}
template <>
void transpose(const double* from, std::size_t ld_from, std::size_t rows, std::size_t columns,
               double* to, std::size_t ld_to) {
  best->f64(from, ld_from, rows, columns, to, ld_to);
}

}  // namespace autograd::kernels
#endif
