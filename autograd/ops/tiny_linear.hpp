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

/// y [rows, columns] = a b + bias, summed over `terms`. Element (r, s) of a is a[r a_row + s a_term],
/// element (s, c) of b is b[s b_term + c b_column]; bias [columns] may be null.
template <class T> struct TinyProduct {
  const T* a;
  std::size_t a_row, a_term;
  const T* b;
  std::size_t b_term, b_column;
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

  template <std::size_t S> AUTOGRAD_INLINE void with_terms() const {
    std::size_t done = 0;
    if (columns == 1) done = blocks<S, 1>();
    if (columns == 2) done = blocks<S, 2>();
    if (columns == 4) done = blocks<S, 4>();
    for (; done < rows * columns; ++done) y[done] = element<S>(done / columns, done % columns);
  }

  template <std::size_t S> AUTOGRAD_INLINE T element(std::size_t r, std::size_t c) const {
    const T* p = a + r * a_row;
    const T* q = b + c * b_column;
    T sum = bias ? bias[c] + p[0] * q[0] : p[0] * q[0];
    for (std::size_t s = 1; s < S; ++s) sum += p[s * a_term] * q[s * b_term];
    return sum;
  }

  // Whole registers of results; returns how many elements that were.
  template <std::size_t S, std::size_t C> AUTOGRAD_INLINE std::size_t blocks() const {
    std::size_t at = 0;
    for (; at + kLanes <= rows * C; at += kLanes) {
      Register sums;
      if constexpr (kLanes == 4) {
        sums = Register{element<S>(at / C, at % C), element<S>((at + 1) / C, (at + 1) % C),
                        element<S>((at + 2) / C, (at + 2) % C),
                        element<S>((at + 3) / C, (at + 3) % C)};
      } else {
        sums = Register{element<S>(at / C, at % C), element<S>((at + 1) / C, (at + 1) % C)};
      }
      std::memcpy(y + at, &sums, sizeof sums);
    }
    return at;
  }
};

}  // namespace autograd::ops
