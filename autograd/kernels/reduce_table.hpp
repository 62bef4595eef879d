// SPDX-License-Identifier: Apache-2.0
// What one instruction set provides for reduce.hpp. Internal to reduce_f32.cpp and reduce_f64.cpp.
#pragma once

#include <cstddef>

#include "reduce.hpp"

namespace autograd::kernels {

template <class T> struct ReduceTable {
  using Forward = void (*)(const T* x, T* y, std::size_t outer, std::size_t extent,
                           std::size_t inner);
  using Backward = void (*)(const T* y, const T* dy, T* dx, std::size_t outer, std::size_t extent,
                            std::size_t inner);
  Forward sum, max, min, logsumexp, softmax, log_softmax;
  Backward softmax_backward, log_softmax_backward;
  void (*cross_entropy)(const LabeledRows& rows, const T* x, T* y, T* shift, T* rest);
  void (*cross_entropy_backward)(const LabeledRows& rows, const T* x, const T* shift, const T* rest,
                                 const T* dy, T* dx);
};

}  // namespace autograd::kernels
