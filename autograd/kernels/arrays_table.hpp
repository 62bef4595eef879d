// SPDX-License-Identifier: Apache-2.0
// What one instruction set provides for arrays.hpp. Internal to arrays.cpp; a header because the
// file is compiled once per instruction set and the types must be defined once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <tuple>

#include "arrays.hpp"

namespace autograd::kernels {

template <class To, class From> using ConvertKernel = void (*)(const From*, To*, std::size_t);

/// For all four dtypes.
template <class T> struct AnyTable {
  void (*fill)(T*, T, std::size_t);
  void (*compare)(Comparison, const T*, int, const T*, int, bool*, std::size_t);
  void (*select)(const bool*, int, const T*, int, const T*, int, T*, std::size_t);
  std::tuple<ConvertKernel<float, T>, ConvertKernel<double, T>, ConvertKernel<std::int64_t, T>,
             ConvertKernel<bool, T>>
      convert;
};
struct ArraysTable {
  std::tuple<AnyTable<float>, AnyTable<double>, AnyTable<std::int64_t>, AnyTable<bool>> any;
};

}  // namespace autograd::kernels
