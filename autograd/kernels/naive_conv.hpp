// SPDX-License-Identifier: Apache-2.0
// Plain-loop twin of conv.hpp, for tests: one visit for each product of the trilinear form.
#pragma once

#include <cstddef>
#include <vector>

#include "conv.hpp"

namespace autograd::kernels {

/// Calls f(offset in x, offset in w, offset in y) for every product that convolution sums up.
template <class F> void for_each_conv_product(const ConvShape& s, F&& f) {
  const std::int64_t c = s.channels / s.groups, o = s.filters / s.groups;
  const auto [d, h, w] = s.kernel;
  for (std::int64_t y = 0; y < s.images * s.filters * s.out[0] * s.out[1] * s.out[2]; ++y) {
    const std::int64_t k = y % s.out[2], j = y / s.out[2] % s.out[1];
    const std::int64_t i = y / s.out[2] / s.out[1] % s.out[0];
    const std::int64_t plane = y / s.out[2] / s.out[1] / s.out[0];
    const std::int64_t filter = plane % s.filters, image = plane / s.filters;
    for (std::int64_t tap = 0; tap < c * d * h * w; ++tap) {
      const std::int64_t at[3] = {
          i * s.stride[0] + tap / w / h % d * s.dilation[0] - s.padding[0],
          j * s.stride[1] + tap / w % h * s.dilation[1] - s.padding[1],
          k * s.stride[2] + tap % w * s.dilation[2] - s.padding[2],
      };
      bool inside = true;
      for (std::size_t a = 0; a < 3; ++a) inside = inside && at[a] >= 0 && at[a] < s.in[a];
      if (!inside) continue;
      const std::int64_t channel = filter / o * c + tap / (d * h * w);
      const std::int64_t x =
          (((image * s.channels + channel) * s.in[0] + at[0]) * s.in[1] + at[1]) * s.in[2] + at[2];
      f(static_cast<std::size_t>(x), static_cast<std::size_t>(filter * c * d * h * w + tap),
        static_cast<std::size_t>(y));
    }
  }
}

/// Which of the three arrays for_each_conv_product's offsets are summed into.
enum class ConvOperand { x, w, y };

/// result (n elements) = the sum of the products of the other two operands.
template <class T>
void conv_naive(const ConvShape& s, ConvOperand into, const T* x, const T* w, const T* y, T* result,
                std::size_t n) {
  std::vector<long double> total(n);
  for_each_conv_product(s, [&](std::size_t i, std::size_t j, std::size_t k) {
    switch (into) {
      case ConvOperand::x: total[i] += static_cast<long double>(w[j]) * y[k]; break;
      case ConvOperand::w: total[j] += static_cast<long double>(x[i]) * y[k]; break;
      case ConvOperand::y: total[k] += static_cast<long double>(x[i]) * w[j]; break;
    }
  });
  for (std::size_t i = 0; i < n; ++i) result[i] = static_cast<T>(total[i]);
}

}  // namespace autograd::kernels
