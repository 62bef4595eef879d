// SPDX-License-Identifier: Apache-2.0
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "autograd/kernels/transpose.cpp"
#include "simd_config.hpp"
// after simd_config.hpp
#include <hwy/foreach_target.h>

#include "dispatch.hpp"
#include "export.hpp"
#include "parallel.hpp"
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

// A block of columns at a time, so that few rows of the result are written at once.
template <class T>
void on_threads(TransposeKernel<T> kernel, const T* from, std::size_t ld_from, std::size_t rows,
                std::size_t columns, T* to, std::size_t ld_to) {
  constexpr std::size_t kBlock = 64, kTaskElements = 1 << 15;
  if (rows * columns <= kTaskElements) return kernel(from, ld_from, rows, columns, to, ld_to);
  const std::size_t blocks = (columns + kBlock - 1) / kBlock;
  parallel_for(
      blocks, kTaskElements / (kBlock * rows) + 1, [&](std::size_t begin, std::size_t end) {
        for (std::size_t j = begin * kBlock; j < std::min(columns, end * kBlock); j += kBlock) {
          kernel(from + j, ld_from, rows, std::min(kBlock, columns - j), to + j * ld_to, ld_to);
        }
      });
}

}  // namespace

template <>
void transpose(const float* from, std::size_t ld_from, std::size_t rows, std::size_t columns,
               float* to, std::size_t ld_to) {
  on_threads(best->f32, from, ld_from, rows, columns, to, ld_to);
}
template <>
void transpose(const double* from, std::size_t ld_from, std::size_t rows, std::size_t columns,
               double* to, std::size_t ld_to) {
  on_threads(best->f64, from, ld_from, rows, columns, to, ld_to);
}

}  // namespace autograd::kernels
#endif
