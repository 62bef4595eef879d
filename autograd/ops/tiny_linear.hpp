// SPDX-License-Identifier: Apache-2.0
// Products of matrices of a few elements, inlined: setting up a call of the general product costs more
// than the product. Results are stored in whole 16-byte registers wherever they fill them: scalar
// stores would keep the next operation, which loads a register, waiting for the store buffer (four
// sigmoids behind a 4x2 product: 20 ns instead of 35).
#pragma once

#include <cstddef>
#include <cstring>

#include "../inline.hpp"

namespace autograd::ops {

/// Sums of at most four terms, and at most this many multiplications, are done here.
inline constexpr std::size_t kTinyProduct = 32;
inline constexpr std::size_t kTinyTerms = 4;

/// How the operands of a product lie in memory, row-major, S being the number of terms of a sum.
enum class TinyForm {
  normal,        // a [rows, S], b [S, columns]
  transposed_a,  // a [S, rows], b [S, columns]
  transposed_b,  // a [rows, S], b [columns, S]
  column_sums,   // b [S, columns], one row, a not read: every factor is 1
};

/// y [rows, columns] = the product of a and b, plus bias [columns] where it is not null (which
/// only transposed_b looks at). The number of
/// terms, and of columns up to four, are constants in the loops, so that addresses are too. y owns a
/// whole number of 16-byte registers, which are all written.
template <class T, TinyForm kForm> struct TinyProduct {
  const T* a;
  const T* b;
  const T* bias;
  T* y;
  std::size_t rows, columns;

  /// True when the product is one for this file; `terms` may be 0 only for others.
  static bool fits(std::size_t rows, std::size_t columns, std::size_t terms) {
    return terms - 1 < kTinyTerms && rows * columns * terms <= kTinyProduct;
  }

  AUTOGRAD_INLINE void run(std::size_t terms) const {
    switch (terms) {
      case 1: return with_terms<1>();
      case 2: return with_terms<2>();
      case 3: return with_terms<3>();
      default: return with_terms<4>();
    }
  }

 private:
  static constexpr std::size_t kLanes = 16 / sizeof(T);
  typedef T Register __attribute__((vector_size(16)));

  // A copy: what is written to y could change the members otherwise.
  template <std::size_t S> void with_terms() const { TinyProduct(*this).by_columns<S>(); }

  template <std::size_t S> AUTOGRAD_INLINE void by_columns() const {
    switch (columns) {
      case 1: return blocks<S, 1>();
      case 2: return blocks<S, 2>();
      case 3: return blocks<S, 3>();
      case 4: return blocks<S, 4>();
      default:
        for (std::size_t r = 0; r < rows; ++r) {
          for (std::size_t c = 0; c < columns; ++c) y[r * columns + c] = element<S>(r, c, columns);
        }
    }
  }

  template <std::size_t S>
  AUTOGRAD_INLINE T element(std::size_t r, std::size_t c, std::size_t n) const {
    const auto left = [&](std::size_t s) __attribute__((always_inline)) {
      if constexpr (kForm == TinyForm::column_sums) return T(1);
      return kForm == TinyForm::transposed_a ? a[s * rows + r] : a[r * S + s];
    };
    const auto right = [&](std::size_t s) __attribute__((always_inline)) {
      return kForm == TinyForm::transposed_b ? b[c * S + s] : b[s * n + c];
    };
    T sum = left(0) * right(0);
    if constexpr (kForm == TinyForm::transposed_b) sum = bias ? bias[c] + sum : sum;
    for (std::size_t s = 1; s < S; ++s) sum += left(s) * right(s);
    return sum;
  }

  template <std::size_t S, std::size_t C> AUTOGRAD_INLINE void blocks() const {
    const std::size_t size = rows * C;
    std::size_t at = 0;
    const auto next = [&](std::size_t i) __attribute__((always_inline)) {
      if constexpr (kLanes % C == 0) return element<S>(at / C + i / C, i % C, C);
      return element<S>((at + i) / C, (at + i) % C, C);
    };
    for (; at + kLanes <= size; at += kLanes) {
      Register sums;
      if constexpr (kLanes == 4) {
        sums = Register{next(0), next(1), next(2), next(3)};
      } else {
        sums = Register{next(0), next(1)};
      }
      std::memcpy(y + at, &sums, sizeof sums);
    }
    if (at == size) return;
    Register rest = {next(0)};
    if constexpr (kLanes == 4) {
      if (at + 1 < size) rest[1] = next(1);
      if (at + 2 < size) rest[2] = next(2);
    }
    std::memcpy(y + at, &rest, sizeof rest);
  }
};

}  // namespace autograd::ops
