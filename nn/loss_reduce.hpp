// SPDX-License-Identifier: Apache-2.0
// For the .cpp files of losses: the check of shapes, and reductions.
#pragma once

#include <string>

#include "loss.hpp"

namespace nn::detail {

inline Tensor reduce(const Tensor& losses, Reduction reduction) {
  switch (reduction) {
    case Reduction::mean: return mean(losses);
    case Reduction::sum: return sum(losses);
    default: return losses;
  }
}

[[noreturn]] inline AUTOGRAD_COLD void throw_shapes(const char* function, const char* first,
                                                    const Tensor& x, const char* second,
                                                    const Tensor& target) {
  throw autograd::ShapeError(std::string(function) + ": shapes differ: " + first + " is " +
                             to_string(x.shape()) + ", " + second + " is " +
                             to_string(target.shape()) + "; need " + first + ".shape == " + second +
                             ".shape (losses do not broadcast: reshape one of them)");
}
/// Throws ShapeError unless both have one shape; `first` and `second` are what messages call them.
inline void check_shapes(const char* function, const char* first, const Tensor& x,
                         const char* second, const Tensor& target) {
  if (!(x.shape() == target.shape())) [[unlikely]]
    throw_shapes(function, first, x, second, target);
}

/// Throws ValueError "<function>: <option> out of range: ..." unless ok.
inline void check_option(bool ok, const char* function, const char* option, double value,
                         const char* need) {
  if (ok) return;
  throw autograd::ValueError(std::string(function) + ": " + option + " out of range: " + option +
                             " is " + autograd::detail::text(value) + "; need " + need);
}

}  // namespace nn::detail
