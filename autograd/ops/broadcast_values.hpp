// SPDX-License-Identifier: Apache-2.0
// Values and gradients of binary rows over operands whose shapes broadcast. Neither is a template, so
// that a row costs a program nothing here but its kernels.
#pragma once

#include <tuple>

#include "../kernels/elementwise.hpp"
#include "../tensor.hpp"

namespace autograd::ops {

/// kernels::binary and kernels::binary_backward of one row.
struct RowKernels {
  template <class T> using Backward = decltype(&kernels::binary_backward<Add, T>);

  const char* name;  ///< of the function, for errors
  std::tuple<kernels::BinaryKernel<float>, kernels::BinaryKernel<double>> value;
  std::tuple<Backward<float>, Backward<double>> backward;
};
template <class Row>
inline constexpr RowKernels kRowKernels{
    Row::info.name,
    {&kernels::binary<Row, float>, &kernels::binary<Row, double>},
    {&kernels::binary_backward<Row, float>, &kernels::binary_backward<Row, double>}};

/// row(a, b).
Tensor broadcast_values(const RowKernels& row, const Tensor& a, const Tensor& b);
/// dy times the slope by operand k, in dy's shape. y has that shape too; what the slope does not read
/// may be dy.
Tensor broadcast_gradient(const RowKernels& row, int k, const Tensor& a, const Tensor& b,
                          const Tensor& y, const Tensor& dy);

}  // namespace autograd::ops
